"""Actions on records. They read; what they read is public, whoever asks."""

from __future__ import annotations

import datetime as dt
from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.access import licences
from ckanext.dinamis_relais.db import isoformat
from ckanext.dinamis_relais.imagery.datasets import site_url
from ckanext.dinamis_relais.imagery.series import DATASET_TYPE
from ckanext.dinamis_relais.records import iso, mcf

__all__ = ["dinamis_record_list", "dinamis_record_show"]

#: Series that are read at once.
_ROWS = 500


@tk.side_effect_free
def dinamis_record_list(context: Any, data_dict: dict[str, Any]) -> dict[str, Any]:
    """The records of the public imagery series, by name.

    :returns: ``{"count", "results": [{"id", "name", "title", "changed", "url"}]}``; ``changed`` is RFC 3339 in UTC,
        ``url`` that of the record in ISO 19139
    """
    tk.check_access("dinamis_record_list", context, data_dict)
    found = [_row(one) for one in all_series()]
    return {"count": len(found), "results": found}


@tk.side_effect_free
def dinamis_record_show(context: Any, data_dict: dict[str, Any]) -> dict[str, Any]:
    """One record.

    :param id: name or id of the series' dataset
    :returns: as ``dinamis_record_list`` gives it, and ``xml``, the record in ISO 19139
    :raises toolkit.ObjectNotFound: there is no such public series
    """
    tk.check_access("dinamis_record_show", context, data_dict)
    try:
        series = tk.get_action("package_show")(_nobody(), {"id": tk.get_or_bust(data_dict, "id")})
    except tk.NotAuthorized:
        series = {}
    if series.get("type") != DATASET_TYPE or series.get("state") != "active":
        raise tk.ObjectNotFound(tk._("There is no such record."))
    return {**_row(series), "xml": xml_of(series).decode()}


def all_series() -> list[dict[str, Any]]:
    """Every public series as its dataset, by name."""
    found: list[dict[str, Any]] = []
    query = {"fq": f"dataset_type:{DATASET_TYPE}", "sort": "name asc", "rows": _ROWS}
    while True:
        answer = tk.get_action("package_search")(_nobody(), {**query, "start": len(found)})
        found += answer["results"]
        if not answer["results"] or len(found) >= answer["count"]:
            return found


def newest() -> tuple[int, str]:
    """How many public series there are, and when the last of them changed (as CKAN writes it)."""
    query = {"fq": f"dataset_type:{DATASET_TYPE}", "sort": "metadata_modified desc", "rows": 1}
    answer = tk.get_action("package_search")(_nobody(), query)
    return answer["count"], next((one["metadata_modified"] for one in answer["results"]), "")


def xml_of(series: dict[str, Any]) -> bytes:
    """The record of a series in ISO 19139."""
    page = f"{site_url()}/{DATASET_TYPE}/{series['name']}"
    keeper = mcf.Keeper(config.relay_operator(), config.contact_email(), site_url())
    words = terms_of(series)
    return iso.record(
        mcf.mcf_of(series, changed(series), uri_of(series), page, words, keeper),
        resolution=str(series.get("resolution") or ""), credit=words.credit,
    )  # fmt: skip


def uri_of(series: dict[str, Any]) -> str:
    """The series' identifier in the world, the same in ISO and in DCAT."""
    base = str(tk.config.get("ckanext.dcat.base_uri") or site_url()).rstrip("/")
    return f"{base}/dataset/{series['id']}"


def terms_of(series: dict[str, Any]) -> mcf.Terms:
    """The operator's licence of a series; the shipped model binds nobody, so nobody else is told it."""
    licence = licences.of_collection(str(series.get("collection")))
    if licence is None or licence.model:
        return mcf.Terms({})
    return mcf.Terms(licence.title, licence.credit, licence.url)


def changed(series: dict[str, Any]) -> dt.datetime:
    """When a record last changed: its dataset, or the file of licences."""
    modified = dt.datetime.fromisoformat(series["metadata_modified"]).replace(tzinfo=dt.timezone.utc, microsecond=0)
    path = config.image_licences()
    if path is None:
        return modified
    written = dt.datetime.fromtimestamp(int(path.stat().st_mtime), dt.timezone.utc)
    return max(modified, written)


def _row(series: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": series["id"], "name": series["name"], "title": series["title"], "changed": isoformat(changed(series)),
        "url": f"{site_url()}/dinamis/iso/{series['name']}.xml",
    }  # fmt: skip


def _nobody() -> Any:
    """What a visitor may see: a record leaves the site, whoever asks for it."""
    return {"user": "", "ignore_auth": False}
