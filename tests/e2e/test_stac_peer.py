"""Our STAC API beside stac-fastapi-pgstac, which holds the same scenes: the same questions, the same answers.

Three differences are known and kept out of the questions. Scenes whose sorted values are equal follow each other by
collection and id here, by id backwards there: each question ends its order with the id. What has no value comes last
here in both directions, first there when descending. Numbers are sorted as numbers here, there as texts (9.9 before
72.9) unless an operator has declared the property: a test of its own looks at our order of them.
"""

from __future__ import annotations

import random
from typing import Any

import requests

#: Longitude and latitude (EPSG:4326) of what the synthetic scenes cover.
WEST, SOUTH, EAST, NORTH = -1.8, 42.7, 2.7, 47.2
COLLECTIONS = ("dinamis-openspot-6-7", "spot-6-7-drs")
PLATFORM, CLOUD, ANGLE = ({"property": name} for name in ("platform", "eo:cloud_cover", "view:incidence_angle"))
MOMENT, SHAPE = {"property": "datetime"}, {"property": "geometry"}


def box(chance: random.Random) -> list[float]:
    side = chance.choice((0.1, 1, 3))
    west, south = chance.uniform(WEST, EAST), chance.uniform(SOUTH, NORTH)
    return [west, south, west + side, south + side]


def triangle(chance: random.Random) -> dict[str, Any]:
    west, south, east, north = box(chance)
    return {"type": "Polygon", "coordinates": [[[west, south], [east, south], [west, north], [west, south]]]}


def moments(chance: random.Random) -> list[str]:
    years = sorted((chance.randrange(2014, 2024), chance.randrange(2014, 2024)))
    return [f"{years[0]}-0{chance.randrange(3, 8)}-01T00:00:00Z", f"{years[1]}-0{chance.randrange(8, 10)}-15T12:00:00Z"]


def condition(chance: random.Random, depth: int = 0) -> dict[str, Any]:
    """A filter in CQL2 JSON."""
    start, end = moments(chance)
    number = chance.randrange(0, 40)
    if depth < 2 and chance.random() < 0.5:
        parts = [condition(chance, depth + 1) for _ in range(2)]
        op = chance.choice(("and", "or", "not"))
        return {"op": op, "args": parts[:1] if op == "not" else parts}
    made = (
        {"op": chance.choice(("<", "<=", ">", ">=", "=", "<>")), "args": [CLOUD, number]},
        {"op": chance.choice(("<", ">=")), "args": [ANGLE, number / 2]},
        {"op": "between", "args": [CLOUD, number, number + 10]},
        {"op": "in", "args": [PLATFORM, ["spot-6", "other"]]},
        {"op": "=", "args": [PLATFORM, "spot-7"]},
        {"op": "like", "args": [{"property": "id"}, f"SPOT{chance.choice('67')}%{chance.randrange(10)}%"]},
        {"op": "isNull", "args": [CLOUD]},
        {"op": "s_intersects", "args": [SHAPE, triangle(chance)]},
        {"op": "t_intersects", "args": [MOMENT, {"interval": [start, end]}]},
        {"op": "t_after", "args": [MOMENT, {"timestamp": start}]},
        {"op": ">=", "args": [MOMENT, {"timestamp": start}]},
        {"op": "=", "args": [{"property": "collection"}, chance.choice(COLLECTIONS)]},
    )
    return chance.choice(made)


def question(number: int, ids: list[str]) -> dict[str, Any]:
    """A search: the members take turns, alone and together."""
    chance = random.Random(number)
    start, end = moments(chance)
    body: dict[str, Any] = {"limit": chance.choice((1, 7, 50, 200))}
    members = {
        "bbox": box(chance), "datetime": chance.choice((f"{start}/{end}", f"{start}/..", f"../{end}")),
        "collections": [chance.choice(COLLECTIONS)], "filter": condition(chance),
        "ids": chance.sample(ids, 20), "intersects": triangle(chance),
    }  # fmt: skip
    for name, value in members.items():
        if chance.random() < 0.35 and not (name == "intersects" and "bbox" in body):
            body[name] = value
    by = chance.choice(("datetime", "platform", "id", "sat:orbit_state"))
    body["sortby"] = [{"field": by, "direction": chance.choice(("asc", "desc"))}]
    if by != "id":
        body["sortby"] += [{"field": "datetime", "direction": "desc"}, {"field": "id", "direction": "desc"}]
    if "filter" in body:
        body["filter-lang"] = "cql2-json"
    return body


def pages(address: str, body: dict[str, Any]) -> list[list[str]]:
    """Ids of the first page and of the next."""
    found, link = [], {"href": f"{address}/search", "body": body}
    while link and len(found) < 2:
        answer = requests.post(link["href"], json=link["body"], timeout=60)
        assert answer.status_code == 200, (link, answer.text)
        page = answer.json()
        found.append([one["id"] for one in page["features"]])
        link = next((one for one in page["links"] if one["rel"] == "next"), None)
        if link and link.get("merge"):
            link["body"] = {**body, **link["body"]}
    return [one for one in found if one]


def test_the_same_questions_have_the_same_answers(demo: dict[str, Any]) -> None:
    ours, theirs = demo["stac_url"], demo["source_stac_url"]
    ids = pages(theirs, {"limit": 1000})[0]
    found = 0
    for number in range(200):
        body = question(number, ids)
        answer = pages(ours, body)
        assert answer == pages(theirs, body), body
        found += bool(answer)
    assert found > 80, "most questions found nothing: they prove little"


def test_numbers_are_sorted_as_numbers(demo: dict[str, Any]) -> None:
    for name in ("eo:cloud_cover", "view:incidence_angle"):
        body = {"bbox": [-1, 43, 1, 46], "sortby": [{"field": name, "direction": "desc"}], "limit": 1000}
        each = []
        for address in (demo["stac_url"], demo["source_stac_url"]):
            page = requests.post(f"{address}/search", json=body, timeout=60).json()
            each.append({one["id"]: one["properties"].get(name) for one in page["features"]})
        assert each[0] == each[1]
        assert len(each[0]) < 1000
        values = list(each[0].values())
        assert values == sorted(values, key=lambda one: (one is None, -(one or 0)))


def test_a_walk_through_everything_finds_the_same_scenes(demo: dict[str, Any]) -> None:
    each = []
    for address in (demo["stac_url"], demo["source_stac_url"]):
        found: list[tuple[str, str]] = []
        href = f"{address}/search?limit=400"
        while href:
            page = requests.get(href, timeout=60).json()
            found += [(one["collection"], one["id"]) for one in page["features"]]
            href = next((one["href"] for one in page["links"] if one["rel"] == "next"), "")
        assert len(found) == len(set(found))
        each.append(set(found))
    assert each[0] == each[1]
    assert len(each[0]) == 2000
