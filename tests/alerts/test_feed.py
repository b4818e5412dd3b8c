"""The feed of new scenes: what RFC 4287 asks for, the newest arrival first, the explorer's filters."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from lxml import etree

from tests.imagery.conftest import item

pytestmark = [
    pytest.mark.usefixtures("with_plugins"),
    pytest.mark.ckan_config("ckanext.dinamis_relais.private_hosts", ["127.0.0.1"]),
]
A = "{http://www.w3.org/2005/Atom}"
FEED = "/dinamis/images/feed.atom"


def read(app: Any, query: str = "") -> Any:
    answer = app.get(FEED + query)
    assert answer.headers["Content-Type"].startswith("application/atom+xml")
    return etree.fromstring(answer.get_data())


def ids(tree: Any) -> list[str]:
    """Scenes by the end of their entries' links."""
    links = [one.find(f"{A}link").get("href") for one in tree.findall(f"{A}entry")]
    return [href.rsplit("/", 1)[1] for href in links]


def arrived(engine: Any, number: int, moment: str) -> None:
    with engine.begin() as connection:
        query = sa.text("UPDATE scene SET updated = :moment WHERE id = :id")
        connection.execute(query, {"moment": moment, "id": f"SPOT6_{number:05d}"})


def check_rfc_4287(tree: Any) -> None:
    """What sections 4.1.1 and 4.1.2 demand of a feed and of its entries."""
    assert tree.tag == f"{A}feed"
    entries = tree.findall(f"{A}entry")
    for one in (tree, *entries):
        for name in ("id", "title", "updated"):
            (found,) = one.findall(f"{A}{name}")
            assert (found.text or "").strip(), name
        assert dt.datetime.fromisoformat(one.findtext(f"{A}updated").replace("Z", "+00:00")).tzinfo
        kinds = [(link.get("rel"), link.get("type"), link.get("hreflang")) for link in one.findall(f"{A}link")]
        assert len(kinds) == len(set(kinds)), "one alternate of a type and language"
        assert all(link.get("href").startswith("http") for link in one.findall(f"{A}link"))
    assert tree.findtext(f"{A}author/{A}name"), "the feed has one, so its entries need none"
    assert tree.find(f"{A}link[@rel='self']") is not None
    for one in entries:
        assert one.findtext(f"{A}summary")
    names = [one.findtext(f"{A}id") for one in entries]
    assert len(names) == len(set(names))


def test_the_newest_arrival_comes_first_whenever_it_was_taken(app: Any, engine: Any, load: Any) -> None:
    load([item(number) for number in (1, 2, 3)])
    arrived(engine, 1, "2026-03-01T08:00:00Z")
    arrived(engine, 2, "2026-03-03T08:00:00Z")
    arrived(engine, 3, "2026-03-02T08:00:00Z")
    tree = read(app)
    check_rfc_4287(tree)
    assert ids(tree) == ["SPOT6_00002", "SPOT6_00003", "SPOT6_00001"]
    assert tree.findtext(f"{A}updated") == tree.find(f"{A}entry").findtext(f"{A}updated")
    assert tree.findtext(f"{A}updated").startswith("2026-03-03T08:00:00")


def test_an_entry_says_what_it_is_and_keeps_its_identifier(app: Any, engine: Any, load: Any) -> None:
    unknown = item(1, datetime="2021-07-12T10:34:00Z")
    del unknown["properties"]["eo:cloud_cover"]
    load([unknown])
    entry = read(app).find(f"{A}entry")
    assert "12 juillet 2021" in entry.findtext(f"{A}title") and "SPOT 6" in entry.findtext(f"{A}title")
    assert "inconnu" in entry.findtext(f"{A}summary")
    assert entry.find(f"{A}link").get("href") == "http://test.ckan.net/dinamis/images/spot/SPOT6_00001"
    again = read(app, "?cloud=100&collection=spot")
    assert not ids(again), "clouds that nobody knows are not few"
    assert read(app, "?collection=spot").findtext(f"{A}entry/{A}id") == entry.findtext(f"{A}id")


def test_a_feed_of_nothing_is_a_feed(app: Any, engine: Any) -> None:
    tree = read(app)
    check_rfc_4287(tree)
    assert tree.findtext(f"{A}updated").startswith("1970-01-01T00:00:00")


@pytest.mark.parametrize(
    "query",
    ["?kind=commune&code=33039", "?kind=epci&code=243300316", "?kind=departement&code=33", "?place=Bègles",
     "?bbox=-0.6,44.7,-0.5,44.8"],
)  # fmt: skip
def test_one_territory(app: Any, engine: Any, load: Any, geo: str, query: str) -> None:
    load([item(1), item(200)])  # the second lies east of it
    tree = read(app, query)
    check_rfc_4287(tree)
    assert ids(tree) == ["SPOT6_00001"]
    assert ids(read(app)) != ids(tree)


def test_a_territory_is_named(app: Any, engine: Any, load: Any, geo: str) -> None:
    tree = read(app, "?kind=commune&code=33039")
    assert tree.findtext(f"{A}title") == "Nouvelles images satellite – Bègles"
    assert tree.find(f"{A}link[@rel='alternate']").get("href") == "http://test.ckan.net/dinamis/images?place=33039"


@pytest.mark.parametrize(
    ("query", "status"),
    [("?kind=commune&code=33999", 404), ("?kind=planete&code=1", 404), ("?kind=commune", 404),
     ("?kind=epci&code=x'", 404),
     ("?place=Nulleparville", 404), ("?bbox=1,2,3", 400), ("?cloud=much", 400), ("?from=yesterday", 400)],
)  # fmt: skip
def test_what_cannot_be_answered_is_said(app: Any, engine: Any, geo: str, query: str, status: int) -> None:
    app.get(FEED + query, status=status)


def test_a_place_service_that_is_down_is_said(
    app: Any, engine: Any, geo: str, ckan_config: Any, monkeypatch: Any
) -> None:
    monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.geo_api_url", "http://127.0.0.1:9")
    app.get(f"{FEED}?kind=commune&code=33039", status=503)


def test_the_explorer_links_the_feed_of_the_same_choice(app: Any, engine: Any, load: Any) -> None:
    load([item(1)])
    page = BeautifulSoup(app.get("/dinamis/images?cloud=50").body, "html.parser")
    link: Any = page.find("link", rel="alternate", type="application/atom+xml")
    assert link["href"] == f"{FEED}?cloud=50"
    app.get(link["href"], status=200)
