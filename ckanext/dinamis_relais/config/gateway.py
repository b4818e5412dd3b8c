"""What leaves: for DINAMIS, for its board."""

from __future__ import annotations

from ckanext.dinamis_relais.config.base import get

__all__ = [
    "board_email",
    "board_link_days",
    "dossier_attach_mb",
    "gateway_poll_seconds",
    "gateway_timeout",
    "gateway_token",
    "gateway_transport",
    "gateway_url",
    "grouped_hour",
]


def gateway_transport() -> str:
    """``api`` or ``dossier``."""
    return str(get("gateway.transport"))


def gateway_url() -> str:
    """Base address of DINAMIS's side of the contract, without ``/v1``."""
    return str(get("gateway.url") or "").rstrip("/")


def gateway_token() -> str:
    """Bearer token for the gateway."""
    return str(get("gateway.token") or "")


def gateway_poll_seconds() -> int:
    """Seconds between two questions about a decision that is awaited."""
    return int(get("gateway.poll_seconds"))


def gateway_timeout() -> int:
    """Seconds after which an outside call is given up and tried again later."""
    return int(get("gateway.timeout"))


def board_email() -> str:
    """Address of DINAMIS's executive board, to which the ``dossier`` transport writes."""
    return str(get("gateway.board_email") or "")


def board_link_days() -> int:
    """Days during which the executive board may decide by its one-time link."""
    return int(get("board_link_days"))


def dossier_attach_mb() -> int:
    """Largest dossier that its mail carries as a file, in MB (10**6 bytes); 0 for none."""
    return int(get("gateway.dossier_attach_mb"))


def grouped_hour() -> int:
    """Hour of the relay's clock from which what is due leaves for DINAMIS, grouped; negative: only by command."""
    return int(get("gateway.grouped_hour"))
