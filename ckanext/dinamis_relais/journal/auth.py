"""Who reads the journal."""

from ckanext.dinamis_relais.authority import guard

__all__ = ["dinamis_journal_list", "dinamis_journal_verify"]

dinamis_journal_list = guard("journal.read")
dinamis_journal_verify = guard("journal.read")
