"""To whom people reply."""

from __future__ import annotations

from ckanext.dinamis_relais.config.base import get

__all__ = ["reply_addresses", "reply_to_claimed"]


def reply_addresses() -> dict[str, str]:
    """Group of mails → the address to which people reply; empty where it is ``contact_email``."""
    found = {
        "membership": get("reply_to.membership"),
        "accounts": get("reply_to.accounts"),
        "requests": get("reply_to.requests"),
        "questions": get("reply_to.questions"),
        "community": get("reply_to.community"),
        "technical": get("reply_to.technical"),
    }
    return {group: str(address or "").strip() for group, address in found.items()}


def reply_to_claimed() -> bool:
    """Whether replies about a file or a request go to the moderator who has it in hand."""
    return bool(get("reply_to.claimed"))
