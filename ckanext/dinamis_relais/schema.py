"""What every action does with its input and its list answers."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan.lib.navl.dictization_functions import validate as navl_validate

from ckanext.dinamis_relais.db import session

#: The largest page that a list action gives.
MAX_LIMIT = 1000
#: The farthest page that a list action gives.
MAX_OFFSET = 10_000_000


def validator(name: str) -> Any:
    """A registered CKAN validator; typed Any since a schema mixes validators and what makes them."""
    return tk.get_validator(name)


def validated(data_dict: dict[str, Any], schema: dict[str, Any], context: Any) -> dict[str, Any]:
    """The input, converted by a CKAN schema.

    :raises toolkit.ValidationError: by field, each problem with its remedy; nothing is written
    """
    data, errors = navl_validate(data_dict, schema, context)
    if errors:
        raise tk.ValidationError(errors)
    data.pop("__junk", None)
    data.pop("__extras", None)
    return data


def _without_nul(value: Any) -> Any:
    # PostgreSQL has no NUL in text: a search that holds one can only be a mistake or a probe.
    return value.replace("\x00", "") if isinstance(value, str) else value


def _offset(value: int) -> int:
    if value > MAX_OFFSET:
        raise tk.Invalid(tk._("At most {number}: narrow the search instead.").format(number=MAX_OFFSET))
    return value


def list_schema() -> dict[str, Any]:
    """``q, state, organization_id, limit, offset, sort``, as every list takes them."""
    text = [validator("ignore_missing"), validator("unicode_safe"), _without_nul]
    return {
        "q": text,
        "state": text,
        "organization_id": text,
        "sort": text,
        "limit": [
            validator("default")(50),
            validator("natural_number_validator"),
            validator("limit_to_configured_maximum")("ckan.search.rows_max", MAX_LIMIT),
        ],
        "offset": [validator("default")(0), validator("natural_number_validator"), _offset],
    }


def listed(
    query: Any, params: dict[str, Any], order: Any, dictize: Any, count: int | None = None, *, plain: bool = False
) -> dict[str, Any]:
    """One page of a query as ``{"count", "results"}``.

    :param query: a ``select`` of one model, or of a table
    :param params: validated :func:`list_schema`
    :param order: an ordering, or a list of them
    :param dictize: row → dict
    :param count: rows of the whole query, when the caller knows it already
    :param plain: the rows of a table as they were read: a list that changes nothing needs no objects of the session,
        which take three times as long
    """
    db = session()
    if count is None:
        count = db.execute(sa.select(sa.func.count()).select_from(query.order_by(None).subquery())).scalar()
    ordering = order if isinstance(order, (list, tuple)) else [order]
    rows = db.execute(query.order_by(*ordering).limit(params["limit"]).offset(params["offset"]))
    return {"count": count, "results": [dictize(row) for row in (rows if plain else rows.scalars())]}
