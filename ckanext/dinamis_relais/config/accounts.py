"""Accounts of people."""

from __future__ import annotations

from pathlib import Path

from ckanext.dinamis_relais.config.base import get, path

__all__ = [
    "dormant_days",
    "erasure_days",
    "invitation_days",
    "keep_registration",
    "public_mailboxes",
    "request_link_hours",
    "requests_per_address",
    "requests_per_client",
    "user_charter",
    "user_charter_version",
]


def user_charter_version() -> str:
    """Version of the charter of use that each person accepts."""
    return str(get("user_charter_version"))


def user_charter() -> Path | None:
    """File with the operator's charter of use; None for the shipped model."""
    return path("user_charter")


def invitation_days() -> int:
    """Days during which an invitation may be used."""
    return int(get("invitation_days"))


def request_link_hours() -> int:
    """Hours during which the address of an account request may be confirmed."""
    return int(get("request_link_hours"))


def requests_per_address() -> int:
    """Account requests about which one e-mail address may be written to, per hour."""
    return int(get("requests_per_address"))


def requests_per_client() -> int:
    """Account requests and tries of a link that one network address may make, per hour."""
    return int(get("requests_per_client"))


def keep_registration() -> bool:
    """Whether CKAN's own self-registration page stays as it is."""
    return bool(get("keep_registration"))


def dormant_days() -> int:
    """Days without a visit after which an account is proposed for closing; 0 for never."""
    return int(get("dormant_days"))


def erasure_days() -> int:
    """Days after an account's end after which the person's details are erased; 0 for never by itself."""
    return int(get("erasure_days"))


def public_mailboxes() -> frozenset[str]:
    """Domains that give an address to anybody."""
    return frozenset(str(domain).lower() for domain in get("public_mailboxes") or ())
