"""The actions of the room; each piece of the view has its own file."""

from ckanext.dinamis_relais.overview.health_actions import dinamis_health_check, dinamis_health_show
from ckanext.dinamis_relais.overview.reports import (
    dinamis_report_create,
    dinamis_report_file,
    dinamis_report_list,
    dinamis_report_show,
)
from ckanext.dinamis_relais.overview.statistics import (
    dinamis_never_downloaded_list,
    dinamis_statistics_public,
    dinamis_statistics_show,
)
from ckanext.dinamis_relais.overview.timeline import dinamis_timeline_show
from ckanext.dinamis_relais.overview.todo import dinamis_todo_show

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
