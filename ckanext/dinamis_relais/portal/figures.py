"""The home page's figures: counted as anyone may see them, and kept for a minute.

Every visitor's first page would otherwise walk all memberships.
"""

from __future__ import annotations

import json
import logging
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.lib.redis import connect_to_redis
from ckan.lib.search import SearchError
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

log = logging.getLogger(__name__)

#: Seconds during which the figures are not counted again.
KEEP = 60

_PAGE = 1000


def department(kind: str | None, code: str | None) -> str | None:
    """Insee's code of the département that a territory lies in; None for one that may span several.

    :param kind: ``commune``, ``epci``, ``departement`` or ``region``
    :param code: Insee's code; for an EPCI its SIREN, which says nothing of the place

    >>> department("commune", "33039"), department("commune", "97411"), department("epci", "243300316")
    ('33', '974', None)
    """
    if not code or kind not in ("commune", "departement"):
        return None
    return code[:3] if code.startswith(("97", "98")) else code[:2]


def figures() -> dict[str, int | None]:
    """``members``, ``departments``, ``series`` and ``scenes``; None for what cannot be counted now."""
    key = f"dinamis:figures:{tk.config['ckan.site_id']}"
    try:
        kept: Any = connect_to_redis().get(key)
    except RedisError:
        return _count()
    if kept:
        return json.loads(kept)
    found = _count()
    if None not in found.values():
        try:
            connect_to_redis().set(key, json.dumps(found), ex=KEEP)
        except RedisError:
            log.warning("The home page's figures cannot be kept: Redis does not answer.")
    return found


def _count() -> dict[str, int | None]:
    members, departments = _members()
    return {"members": members, "departments": departments, "series": _series(), "scenes": _scenes()}


def _visitor() -> Any:
    return {"user": ""}


def _members() -> tuple[int, int]:
    departments: set[str | None] = set()
    offset = 0
    while True:
        params = {"limit": _PAGE, "offset": offset}
        found = tk.get_action("dinamis_member_list")(_visitor(), params)
        departments |= {member["department"] for member in found["results"]}
        offset += len(found["results"])
        if not found["results"] or offset >= found["count"]:
            return found["count"], len(departments - {None})


def _series() -> int | None:
    try:
        return tk.get_action("package_search")(_visitor(), {"fq": "type:imagery-series", "rows": 0})["count"]
    except SearchError:
        log.warning("The series cannot be counted: Solr does not answer.")
        return None


def _scenes() -> int | None:
    try:
        return tk.get_action("dinamis_scene_search")(_visitor(), {"limit": 1}).get("numberMatched")
    except SQLAlchemyError:
        log.warning("The scenes cannot be counted: the scene store does not answer.")
        return None
