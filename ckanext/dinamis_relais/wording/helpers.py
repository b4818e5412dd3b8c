"""Words about mails: when one leaves, to whom, what a tag stands for."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk

__all__ = ["dinamis_mail_recipients", "dinamis_mail_when", "dinamis_tag_meaning"]


def dinamis_mail_recipients(who: list[str]) -> str:
    """Those who receive a mail, in words."""
    words = {
        "signatory": tk._("who signs"),
        "representative": tk._("the legal representative"),
        "referent": tk._("the organisation's referent"),
        "super_referent": tk._("the super-référents (PIGMA)"),
        "board": tk._("DINAMIS's executive board"),
        "person": tk._("the person"),
        "contact": tk._("PIGMA's contact address"),
        "author": tk._("who proposed it"),
        "board_address": tk._("the address of DINAMIS's executive board"),
        "site_operator": tk._("the operator of this site"),
    }
    return ", ".join(words.get(one, one) for one in who)


def dinamis_mail_when(mail: dict[str, Any]) -> list[str]:
    """When a mail leaves: the transitions that send it, in the words of their buttons.

    :param mail: of ``dinamis_mail_list``
    """
    found = dict.fromkeys(
        f"{tk.h.dinamis_object_label(step['machine'])} : {tk.h.dinamis_transition_label(step['machine'], step['name'])}"
        for step in mail["transitions"]
    )
    other = {
        "account_erasure_requested": tk._("A person asks for the erasure of their data"),
        "account_join": tk._("An account is validated for a person who has a login already"),
        "account_request_confirm": tk._("A person asks for an account: the address is to be confirmed"),
        "board_dossier": tk._("A file is submitted to the executive board, or sent again (transport by dossier)"),
        "board_notice": tk._("A file is withdrawn or a membership changes (transport by dossier)"),
        "correction_reminder": tk._("Reminder: a correction is still awaited"),
        "event_place": tk._("A place becomes free at an event"),
        "harvest_failed": tk._("A harvest of images fails"),
        "journal_head": tk._("Once a day"),
        "new_images": tk._("New images came over a territory that a person watches: at most once a day"),
        "reacceptance_reminder": tk._("Reminder: new texts are to be accepted"),
        "reacceptance_requested": tk._("A member is asked to accept new texts"),
        "request_received": tk._("A request for an image is sent"),
        "sending_account": tk._("Accounts leave for DINAMIS, grouped (transport by dossier)"),
        "sending_question": tk._("Questions leave for DINAMIS, grouped (transport by dossier)"),
        "sending_request": tk._("Requests for images leave for DINAMIS, grouped (transport by dossier)"),
        "signature_code": tk._("Who signs asks for the code"),
        "signature_reminder": tk._("Reminder: a signature is still awaited"),
        "term_reminder": tk._("Reminder: the term of a membership comes to its end"),
    }.get(mail["name"])
    return [*found, *([other] if other else [])]


def dinamis_tag_meaning(tag: str) -> str:
    """What a tag of a mail stands for; empty when its example tells."""
    return {
        "relay": tk._("name of the relay"),
        "operator": tk._("body that runs the relay"),
        "contact": tk._("address to which people reply"),
        "site_url": tk._("address of this site"),
        "recipient_name": tk._("name of who receives the mail"),
        "organization": tk._("name of the organisation"),
        "number": tk._("number of the amendment"),
        "link": tk._("personal link, or code"),
        "reason": tk._("reason given"),
        "page": tk._("page of the organisation, or of the person"),
        "file_page": tk._("page of the file, for PIGMA"),
        "board_page": tk._("page of the file, for the executive board"),
        "last_day": tk._("last day"),
        "days": tk._("number of days"),
        "texts": tk._("texts in force, with their versions"),
    }.get(tag, "")
