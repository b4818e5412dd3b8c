"""Files, papers, signatures, terms."""

from __future__ import annotations

from pathlib import Path

from ckanext.dinamis_relais.config.base import days, get, path

__all__ = [
    "agreement_number_pattern",
    "charter_date",
    "charter_version",
    "document_templates",
    "entity_search_url",
    "licences_date",
    "licences_version",
    "membership_months",
    "proof_mb",
    "reacceptance_answer_days",
    "reminder_days",
    "reminders_hour",
    "renewal_days",
    "seal_password",
    "seal_pkcs12",
    "seal_trust",
    "signature_code_minutes",
    "signature_link_days",
    "timestamp_url",
]


def entity_search_url() -> str:
    """Base address of the API Recherche d'entreprises, without ``/search``."""
    return str(get("entity_search_url")).rstrip("/")


def agreement_number_pattern() -> str:
    """``str.format`` pattern of a convention's number; knows ``year`` and ``number``."""
    return str(get("agreement_number_pattern"))


def signature_link_days() -> int:
    """Days during which a signature link may be used."""
    return int(get("signature_link_days"))


def signature_code_minutes() -> int:
    """Minutes during which the code that confirms a signature may be typed."""
    return int(get("signature_code_minutes"))


def timestamp_url() -> str | None:
    """RFC 3161 service that time-stamps what is signed online; None for none."""
    return get("timestamp_url") or None


def charter_date() -> str:
    """Date of the charter's official text (ISO 8601), printed beside its version."""
    return str(get("charter_date") or "")


def licences_date() -> str:
    """Date of the licences' official texts (ISO 8601), printed beside their version."""
    return str(get("licences_date") or "")


def seal_trust() -> list[Path]:
    """Certificate files (PEM, DER) whose seals and time-stamps are trusted besides the platform's own."""
    return [Path(path) for path in get("seal_trust") or ()]


def reminder_days() -> dict[str, list[int]]:
    """Days of the reminders, ascending; a word that is no number of days is a ValueError that names the setting."""
    keys = ("reminders.signature_days", "reminders.correction_days", "reminders.term_days",
            "reminders.reacceptance_days")  # fmt: skip
    return {key.split(".")[1].removesuffix("_days"): days(key) for key in keys}


def reminders_hour() -> int:
    """Hour of the relay's clock from which the worker sends the day's reminders; negative: only the daily command."""
    return int(get("reminders.hour"))


def membership_months() -> int:
    """Months that a membership lasts; 0 for one without an end."""
    return int(get("membership_months"))


def renewal_days() -> int:
    """Days before the end of a term from which its renewal may be opened."""
    return int(get("renewal_days"))


def reacceptance_answer_days() -> int:
    """Days that a member has to accept new versions of the texts."""
    return int(get("reacceptance_answer_days"))


def proof_mb() -> int:
    """Largest paper that is uploaded as proof, in MB (10**6 bytes)."""
    return int(get("proof_mb"))


def charter_version() -> str:
    """Version of the charter that is accepted by signing."""
    return str(get("charter_version"))


def licences_version() -> str:
    """Version of the licences that are accepted by signing."""
    return str(get("licences_version"))


def document_templates() -> Path | None:
    """The operator's folder of Typst templates, which replace ours file by file."""
    return path("document_templates")


def seal_pkcs12() -> Path | None:
    """PKCS#12 file with the platform's sealing certificate; without one, documents are not sealed."""
    return path("seal_pkcs12")


def seal_password() -> str | None:
    """Password of the PKCS#12 file."""
    return get("seal_password") or None
