"""What the worker does for the CSW: its table follows the series, whoever changed them."""

from __future__ import annotations

import logging
import time
from typing import Any

from ckan import model
from ckan.lib.search.common import SearchError, SolrConnectionError
from sqlalchemy.exc import SQLAlchemyError

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.web import as_request

__all__ = ["keep_records"]

log = logging.getLogger(__name__)

#: Seconds between two looks.
EVERY = 30.0
_last: list[Any] = [-EVERY, None]


def keep_records() -> int:
    """Bring the CSW's table up to date when a series came, changed or went; only on a site that has a CSW.

    :returns: how many rows were written or removed
    """
    if not config.csw_url() or time.monotonic() - _last[0] < EVERY:
        return 0
    _last[0] = time.monotonic()
    try:
        return _sync()
    except (SearchError, SolrConnectionError, SQLAlchemyError):
        # Solr or the scene store is away: the next look finds the same to do, and the worker's other work goes on.
        log.exception("records: the CSW's table was not brought up to date")
        model.Session.rollback()
        return 0


def _sync() -> int:
    from ckanext.dinamis_relais.imagery import model as scene_model
    from ckanext.dinamis_relais.records import catalogue

    with as_request("fr"):
        mark = catalogue.mark()
        if mark == _last[1]:
            return 0
        counts = catalogue.sync(scene_model.engine())
    _last[1] = mark
    return counts["added"] + counts["updated"] + counts["deleted"]
