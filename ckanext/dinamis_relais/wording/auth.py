"""Who writes the mails' texts."""

from __future__ import annotations

from ckanext.dinamis_relais.authority import guard

__all__ = [
    "dinamis_mail_list",
    "dinamis_mail_preview",
    "dinamis_mail_reset",
    "dinamis_mail_show",
    "dinamis_mail_update",
]

dinamis_mail_list = guard("mail.write")
dinamis_mail_show = guard("mail.write")
dinamis_mail_preview = guard("mail.write")
dinamis_mail_update = guard("mail.write")
dinamis_mail_reset = guard("mail.write")
