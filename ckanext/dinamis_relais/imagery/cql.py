"""Filters in CQL2, text or JSON (OGC 21-065r2), as SQL of the scene store. Values are always bound, never written.

The text is read by ``cql2``, which gives CQL2 JSON; the JSON is walked here, each operand checked against what the
property is, so that a filter that means nothing is answered with what is wrong and never with an error of SQL's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from reprlib import repr as short
from typing import Any

import cql2
import orjson
import shapely
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from ckanext.dinamis_relais.imagery import periods
from ckanext.dinamis_relais.imagery.areas import geometry_of
from ckanext.dinamis_relais.imagery.moments import parse_moment
from ckanext.dinamis_relais.imagery.queryables import Queryable, SearchError, find, writable

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
LANGUAGES = ("cql2-text", "cql2-json")
#: Operators that a filter may hold, and how deep they may stand in one another. Deeper text would exhaust the stack
#: of the parser, which is no Python code: it would end the process, not the request.
MAX_NODES, MAX_DEPTH = 1000, 50
#: Characters of a filter's text.
MAX_TEXT = 200_000

_QUOTED = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"")
_NEST = re.compile(r"[-+*/%^]|\b(?:NOT|AND|OR|DIV)\b", re.IGNORECASE)
_WHERE = re.compile(r"--> (\d+):(\d+)")

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": lambda a, b: a == b, "<>": lambda a, b: a != b, "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}  # fmt: skip
_SPATIAL = {
    f"s_{name}": f"ST_{name.capitalize()}"
    for name in ("intersects", "equals", "disjoint", "touches", "within", "overlaps", "crosses", "contains")
}
_KINDS = {str: "text", bool: "boolean", int: "number", float: "number"}


@dataclass(frozen=True)
class _Operand:
    """One side of a comparison.

    :ivar kind: what a literal is; None for a property, which may be of several kinds
    :ivar value: a literal's value
    :ivar folded: True inside CASEI
    """

    kind: str | None
    value: Any = None
    queryable: Queryable | None = None
    folded: bool = False
    where: str = ""

    @property
    def kinds(self) -> frozenset[str]:
        return self.queryable.kinds if self.queryable else frozenset({str(self.kind)})

    def sql(self, kind: str) -> Any:
        found = self.queryable.sql(kind) if self.queryable else periods.literal(self.value)
        return sa.func.lower(found) if self.folded else found


def clause(value: Any, language: str | None, known: Mapping[str, Queryable], member: str = "filter") -> Any:
    """The SQL condition of a filter.

    :param value: CQL2 text, or CQL2 JSON (decoded, or as text)
    :param language: ``cql2-text``, ``cql2-json``, or None for what the value looks like
    :param known: what it may name
    :param member: member of the search, for messages
    :raises SearchError: where it is wrong, and what is expected
    """
    if language not in (None, *LANGUAGES):
        raise SearchError("filter-lang", f"Unknown: {short(language)}. Possible: {', '.join(LANGUAGES)}.")
    if isinstance(value, str):
        expression = _json(value) if language == "cql2-json" else _text(value)
    elif isinstance(value, (dict, bool)) and language != "cql2-text":
        expression = value
    else:
        raise SearchError(member, f"Give it as a text for cql2-text, as an object for cql2-json. Got {short(value)}.")
    return _Walk(known, member).condition(expression, "", 0)


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise SearchError("filter", f"It is no JSON: {error}.") from error


def _text(text: str) -> Any:
    """CQL2 JSON of CQL2 text."""
    bare = _QUOTED.sub("''", text)
    depth = deepest = 0
    for sign in bare:
        depth += (sign == "(") - (sign == ")")
        deepest = max(deepest, depth)
    # A coordinate's sign is no operator, but a polygon has one for each number: digits after it tell them apart.
    operators = len(_NEST.findall(re.sub(r"[-+](?=[\d.])|(?<=\de)[-+]", "", bare, flags=re.IGNORECASE)))
    if len(text) > MAX_TEXT or deepest > MAX_DEPTH or operators > MAX_NODES:
        raise SearchError("filter", "It is too long or too deep. Simplify it, or give its area by intersects.")
    try:
        return cql2.parse_text(text).to_json()
    except cql2.ParseError as error:
        raise SearchError("filter", _explained(text, str(error))) from error


def _explained(text: str, said: str) -> str:
    found = _WHERE.search(said)
    line, column = (int(one) for one in found.groups()) if found else (1, 1)
    lines = text.split("\n")
    rest = lines[line - 1][column - 1 :] if line <= len(lines) else ""
    near = f"from '{rest[:40]}' on" if rest.strip() else "where it ends"
    return (
        f"It is no CQL2 text: line {line}, column {column}, it cannot be understood {near}. "
        "Texts stand in single quotes, names with unusual signs in double quotes."
    )


class _Walk:
    """One filter: conditions give SQL, operands are looked at before."""

    def __init__(self, known: Mapping[str, Queryable], member: str):
        self.known, self.member, self.nodes = known, member, 0

    def wrong(self, where: str, message: str) -> SearchError:
        return SearchError(self.member, f"{message}{f' (at {where})' if where else ''}")

    def condition(self, node: Any, where: str, depth: int) -> Any:
        """SQL of something that is true or false."""
        self.nodes += 1
        if depth > MAX_DEPTH or self.nodes > MAX_NODES:
            raise self.wrong("", "It is too long or too deep. Simplify it.")
        if isinstance(node, bool):
            return sa.true() if node else sa.false()
        if isinstance(node, dict) and "property" in node:
            asked = find(self.known, node["property"], self.member)
            if asked.kinds == {"boolean"}:
                return asked.sql("boolean")
            raise self.wrong(where, f"'{asked.name}' is neither true nor false. Compare it with something.")
        op, args = self._call(node, where)
        if op in ("and", "or"):
            parts = [self.condition(one, f"{where}.args[{n}]", depth + 1) for n, one in enumerate(args)]
            if not parts:
                raise self.wrong(where, f"'{op}' joins nothing.")
            return sa.and_(*parts) if op == "and" else sa.or_(*parts)
        if op == "not":
            self._count(op, args, 1, where)
            return sa.not_(self.condition(args[0], f"{where}.args[0]", depth + 1))
        return self._predicate(op, args, where)

    def _call(self, node: Any, where: str) -> tuple[str, list[Any]]:
        if not isinstance(node, dict) or not isinstance(node.get("op"), str) or not isinstance(node.get("args"), list):
            raise self.wrong(where, f'Expected a condition, {{"op": …, "args": […]}}. Got {short(node)}.')
        return node["op"].strip().lower(), node["args"]

    def _count(self, op: str, args: list[Any], count: int, where: str) -> None:
        if len(args) != count:
            raise self.wrong(where, f"'{op}' takes {count} arguments, not {len(args)}.")

    def _predicate(self, op: str, args: list[Any], where: str) -> Any:
        if op in _COMPARE:
            self._count(op, args, 2, where)
            a, b = (self.operand(one, f"{where}.args[{n}]") for n, one in enumerate(args))
            return self._compare(op, a, b)
        if op in _SPATIAL:
            self._count(op, args, 2, where)
            return getattr(sa.func, _SPATIAL[op])(*(self._shape(one, where) for one in args))
        if op in periods.RELATIONS:
            self._count(op, args, 2, where)
            return periods.RELATIONS[op](*(self._period(one, f"{where}.args[{n}]") for n, one in enumerate(args)))
        own = {"between": self._between, "in": self._in, "like": self._like, "isnull": self._null}.get(op)
        if own is None and op.startswith("a_"):
            return self._array(op, args, where)
        if own is None:
            raise self.wrong(where, f"Unknown operator '{op[:60]}'. Possible: {', '.join(OPERATORS)}.")
        return own(args, where)

    def operand(self, node: Any, where: str) -> _Operand:
        """A literal, a property, or one of them inside CASEI."""
        self.nodes += 1
        if isinstance(node, dict):
            if "property" in node:
                return _Operand(None, queryable=find(self.known, node["property"], self.member), where=where)
            for kind in ("timestamp", "date"):
                if kind in node:
                    return _Operand("moment", self._moment(node[kind], where), where=where)
            if str(node.get("op", "")).lower() == "casei" and isinstance(node.get("args"), list):
                self._count("casei", node["args"], 1, where)
                inside = self.operand(_unfolded(node["args"][0]), where)
                if "text" not in inside.kinds:
                    raise self.wrong(where, "CASEI takes a text.")
                return _Operand(inside.kind, inside.value, inside.queryable, True, where)
            raise self.wrong(where, f"Expected a property or a value here. Got {short(node)}.")
        kind = _KINDS.get(type(node))
        if kind == "number":
            if not abs(node) < 1e300:
                raise self.wrong(where, "The number is too large.")
            node = float(node)
        elif kind == "text":
            writable(node, self.member)
        elif kind is None:
            raise self.wrong(where, f"Expected a property or a value here. Got {short(node)}.")
        return _Operand(kind, node, where=where)

    def _moment(self, text: Any, where: str) -> Any:
        moment = parse_moment(text)[0]
        if moment is None:
            raise self.wrong(where, f"{short(text)} is no date. Write it as 2020-01-01T00:00:00Z.")
        return moment

    def _together(self, a: _Operand, b: _Operand) -> tuple[str, _Operand, _Operand]:
        """The kind in which two operands can be compared; a literal in the property's spelling."""
        if b.queryable and not a.queryable:
            kind, b, a = self._together(b, a)
            return kind, a, b
        if a.queryable and not b.queryable:
            if b.kind == "text" and a.kinds == {"moment"}:
                b = _Operand("moment", self._moment(b.value, b.where), where=b.where)
            if b.kind == "moment" and "text" in a.kinds and a.queryable.column is None:
                return "moment", a, b
            if b.kind == "text" and a.queryable.spelling and not a.folded:
                b = _Operand("text", a.queryable.spelling(b.value), folded=b.folded, where=b.where)
        shared = a.kinds & b.kinds - {"geometry", "object", "list"}
        if not shared:
            names = " and ".join(_said(one) for one in (a, b))
            raise self.wrong(b.where, f"{names} cannot be compared.")
        return min(shared), a, b

    def _compare(self, op: str, a: _Operand, b: _Operand) -> Any:
        kind, a, b = self._together(a, b)
        return _COMPARE[op](a.sql(kind), b.sql(kind))

    def _between(self, args: list[Any], where: str) -> Any:
        # The draft of 2021 had the two bounds in a list of their own; clients still write it.
        if len(args) == 2 and isinstance(args[1], list):
            args = [args[0], *args[1]]
        self._count("between", args, 3, where)
        a, low, high = (self.operand(one, f"{where}.args[{n}]") for n, one in enumerate(args))
        return sa.and_(self._compare(">=", a, low), self._compare("<=", a, high))

    def _in(self, args: list[Any], where: str) -> Any:
        self._count("in", args, 2, where)
        if not isinstance(args[1], list) or not args[1]:
            raise self.wrong(where, "'in' takes a list of at least one value.")
        a = self.operand(args[0], f"{where}.args[0]")
        found: dict[str, tuple[_Operand, list[Any]]] = {}
        for number, one in enumerate(args[1]):
            kind, left, right = self._together(a, self.operand(one, f"{where}.args[1][{number}]"))
            found.setdefault(kind, (left, []))[1].append(right.sql(kind))
        return sa.or_(*(left.sql(kind).in_(values) for kind, (left, values) in found.items()))

    def _like(self, args: list[Any], where: str) -> Any:
        self._count("like", args, 2, where)
        a, pattern = (self.operand(one, f"{where}.args[{n}]") for n, one in enumerate(args))
        if pattern.queryable or pattern.kind != "text" or "text" not in a.kinds:
            raise self.wrong(where, "LIKE compares a text with a pattern: % stands for anything, _ for one sign.")
        if re.search(r"(?<!\\)(?:\\\\)*\\$", pattern.value):
            raise self.wrong(where, r"The pattern ends with \, which hides nothing. Write \\ for the sign itself.")
        # A column in our own spelling is no place to look for a part of what the item says.
        text = a.queryable.text if a.queryable and a.queryable.spelling else a.sql("text")
        text = sa.func.lower(text) if a.folded and a.queryable and a.queryable.spelling else text
        return text.like(pattern.sql("text"), escape="\\")

    def _null(self, args: list[Any], where: str) -> Any:
        self._count("isNull", args, 1, where)
        a = self.operand(args[0], f"{where}.args[0]")
        if a.queryable is None:
            raise self.wrong(where, "IS NULL takes a property.")
        return a.queryable.given.is_(None)

    def _shape(self, node: Any, where: str) -> Any:
        if isinstance(node, dict) and "property" in node:
            asked = find(self.known, node["property"], self.member)
            if "geometry" not in asked.kinds:
                raise self.wrong(where, f"'{asked.name}' is no geometry. Name 'geometry'.")
            return asked.column
        if isinstance(node, dict) and isinstance(node.get("bbox"), list):
            node = _box(node["bbox"])
        return geometry_of(node, self.member)

    def _period(self, node: Any, where: str) -> periods.Period:
        """Start and end of a time or an interval; both the same for an instant."""
        if isinstance(node, dict) and "interval" in node:
            ends = node["interval"]
            if not isinstance(ends, list) or len(ends) != 2:
                raise self.wrong(where, "An interval has a start and an end; '..' leaves one open.")
            found = [self._bound(one, n, where) for n, one in enumerate(ends)]
            return found[0], found[1]
        one = self.operand(node, where)
        if one.queryable and "moment" in one.kinds:
            start, end = one.queryable.sql("moment"), one.queryable.end
            return start, start if end is None else end
        if one.kind == "text":
            one = _Operand("moment", self._moment(one.value, where))
        if one.kind != "moment":
            raise self.wrong(where, f"{_said(one)} is no time. Give a timestamp, a date or an interval.")
        return one.sql("moment"), one.sql("moment")

    def _bound(self, node: Any, number: int, where: str) -> Any:
        if node in ("..", "", None):
            return periods.OPEN[number]
        start, end = self._period(node, f"{where}.interval[{number}]")
        return end if number else start

    def _array(self, op: str, args: list[Any], where: str) -> Any:
        """Comparisons of a list that an item has with one that the filter gives."""
        self._count(op, args, 2, where)
        name, values = args
        asked = find(self.known, name.get("property") if isinstance(name, dict) else None, self.member)
        if "list" not in asked.kinds or not isinstance(values, list) or op not in ARRAYS:
            raise self.wrong(where, f"A list is compared with a list, by {', '.join(ARRAYS)}. Got {op[:60]}.")
        given = [self.operand(one, where).value for one in values]
        stored = asked.sql("list")
        if op == "a_overlaps":
            return sa.or_(sa.false(), *(stored.contains(_list([one])) for one in given))
        # Lists here are sets: JSON containment looks neither at the order nor at repetitions.
        has, within = stored.contains(_list(given)), stored.contained_by(_list(given))
        return {"a_contains": has, "a_containedby": within, "a_equals": sa.and_(has, within)}[op]


def _list(values: list[Any]) -> Any:
    return sa.cast(sa.literal(orjson.dumps(values).decode()), JSONB)


def _box(bounds: list[Any]) -> Any:
    try:
        numbers = [float(one) for one in bounds]
        if len(numbers) == 6:
            numbers = [*numbers[:2], *numbers[3:5]]
        west, south, east, north = numbers
    except (TypeError, ValueError) as error:
        raise SearchError("filter", "A BBOX is four numbers: west, south, east, north.") from error
    return orjson.loads(shapely.to_geojson(shapely.box(west, south, east, north)))


def _unfolded(node: Any) -> Any:
    """What stands inside CASEI: CASEI in it would change nothing."""
    while isinstance(node, dict) and str(node.get("op", "")).lower() == "casei" and len(node.get("args") or ()) == 1:
        node = node["args"][0]
    return node


def _said(one: _Operand) -> str:
    return f"'{one.queryable.name}' ({'/'.join(sorted(one.kinds))})" if one.queryable else f"a {one.kind}"


ARRAYS = ("a_contains", "a_containedby", "a_equals", "a_overlaps")
OPERATORS = (
    "and", "or", "not", *_COMPARE, "between", "in", "like", "isNull", "casei", *_SPATIAL, *periods.RELATIONS, *ARRAYS,
)  # fmt: skip
