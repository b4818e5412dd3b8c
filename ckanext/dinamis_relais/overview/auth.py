"""Who sees the whole."""

from __future__ import annotations

from typing import Any

from ckan import model

from ckanext.dinamis_relais.authority import guard
from ckanext.dinamis_relais.overview.reports import organization_of

__all__ = [
    "dinamis_health_check",
    "dinamis_health_show",
    "dinamis_never_downloaded_list",
    "dinamis_report_create",
    "dinamis_report_file",
    "dinamis_report_list",
    "dinamis_report_show",
    "dinamis_statistics_public",
    "dinamis_statistics_show",
    "dinamis_timeline_show",
    "dinamis_todo_show",
]


def _organization(_context: Any, data_dict: dict[str, Any]) -> str | None:
    group = model.Group.get(data_dict["organization_id"]) if data_dict.get("organization_id") else None
    return group.id if group else None


def _reported(_context: Any, data_dict: dict[str, Any]) -> str | None:
    return organization_of(data_dict.get("id"))


dinamis_health_check = guard("health.check", anonymous=True)
dinamis_health_show = guard("health.read")
dinamis_todo_show = guard("moderation.open")
dinamis_statistics_show = guard("statistics.read", _organization)
dinamis_statistics_public = guard("statistics.public", anonymous=True)
dinamis_never_downloaded_list = guard("statistics.list")
dinamis_timeline_show = guard("timeline.read", _organization)
dinamis_report_create = guard("report.make", _organization)
dinamis_report_list = guard("report.read", _organization)
dinamis_report_show = guard("report.read", _reported)
dinamis_report_file = guard("report.read", _reported)
