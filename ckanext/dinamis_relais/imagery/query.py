"""The query extension: conditions by property, said again as a filter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ckanext.dinamis_relais.imagery import cql
from ckanext.dinamis_relais.imagery.queryables import Queryable, SearchError

_COMPARE = {"eq": "=", "neq": "<>", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_PATTERNS = {"startsWith": "{}%", "endsWith": "%{}", "contains": "%{}%"}
OPERATORS = (*_COMPARE, *_PATTERNS, "in")


def conditions(value: Any, known: Mapping[str, Queryable]) -> Any:
    """The SQL condition of ``query``.

    :param value: such as ``{"eo:cloud_cover": {"lte": 10}}``
    :param known: what it may name
    :raises SearchError: unknown property or operator, or a value of another kind
    """
    if not isinstance(value, dict):
        raise SearchError("query", 'Give an object such as {"eo:cloud_cover": {"lte": 10}}.')
    parts = []
    for name, wanted in value.items():
        if not isinstance(wanted, dict):
            raise SearchError("query", f'{name}: give an object such as {{"eq": 10}}.')
        parts += [_condition(name, operator, operand) for operator, operand in wanted.items()]
    return cql.clause({"op": "and", "args": parts} if parts else True, "cql2-json", known, "query")


def _condition(name: str, operator: str, operand: Any) -> dict[str, Any]:
    prop = {"property": name}
    if operator in _COMPARE:
        return {"op": _COMPARE[operator], "args": [prop, operand]}
    if operator in _PATTERNS and isinstance(operand, str):
        plain = operand.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return {"op": "like", "args": [prop, _PATTERNS[operator].format(plain)]}
    if operator == "in":
        return {"op": "in", "args": [prop, operand]}
    raise SearchError(
        "query", f"{name}: '{operator}' is unknown or takes another value. Possible: {', '.join(OPERATORS)}."
    )
