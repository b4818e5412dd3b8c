"""The global view and health."""

from __future__ import annotations

from ckanext.dinamis_relais.config.base import get

__all__ = [
    "health_certificate_days",
    "health_delivery_minutes",
    "health_harvest_hours",
    "health_scenes_gb",
    "journal_retention_days",
    "metrics_token",
]


def journal_retention_days() -> int:
    """Days after which lines of the journal are deleted; 0 for never."""
    return int(get("journal_retention_days"))


def metrics_token() -> str:
    """Bearer token of the metrics; empty for no metrics."""
    return str(get("metrics_token") or "")


def health_delivery_minutes() -> int:
    """Minutes that a delivery may be owed; 0 for any time."""
    return int(get("health_delivery_minutes"))


def health_harvest_hours() -> int:
    """Hours that the last finished harvest may lie back; 0 for any time."""
    return int(get("health_harvest_hours"))


def health_scenes_gb() -> int:
    """Largest scene store, in GB (10**9 bytes); 0 for any."""
    return int(get("health_scenes_gb"))


def health_certificate_days() -> int:
    """Days before the sealing certificate's end from which the operator is warned."""
    return int(get("health_certificate_days"))
