"""The explorer and the scene page as a visitor without JavaScript sees them."""

from __future__ import annotations

import json
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from bs4 import BeautifulSoup
from ckan.lib.redis import connect_to_redis

from ckanext.dinamis_relais.imagery import series_picture

from .conftest import item
from .geo import Geo

pytestmark = [
    pytest.mark.usefixtures("with_plugins"),
    pytest.mark.ckan_config("ckanext.dinamis_relais.private_hosts", ["127.0.0.1"]),
    pytest.mark.ckan_config("ckanext.dinamis_relais.map_tiles_url", ""),
]


@pytest.fixture
def two(load: Any) -> None:
    unknown = item(2, datetime="2021-07-12T10:34:00Z")
    del unknown["properties"]["eo:cloud_cover"]
    load([item(1, datetime="2020-07-12T10:34:00Z", **{"eo:cloud_cover": 3.0}), unknown])


def page(app: Any, path: str) -> BeautifulSoup:
    return BeautifulSoup(app.get(path).body, "html.parser")


def rows(soup: BeautifulSoup) -> list[str]:
    return [" ".join(one.get_text().split()) for one in soup.select(".dinamis-scenes > li")]


def test_the_list_says_date_sensor_and_cloud(app: Any, engine: Any, two: None) -> None:
    first, second = rows(page(app, "/dinamis/images"))
    assert "lundi 12 juillet 2021" in first and "SPOT 6" in first and "inconnu" in first
    assert "dimanche 12 juillet 2020" in second and "3 %" in second


def test_rows_lead_where_url_for_leads(app: Any, engine: Any, load: Any) -> None:
    # A list makes its addresses of one: whatever an id holds must come out as Werkzeug writes it.
    ids = ["a/b", "à côté", "50%?#&=+", "x;y:z@!$'()*,~", '"<>\\^`{|}']
    load([{**item(number), "id": id} for number, id in enumerate(ids)])
    links = [str(one["href"]) for one in page(app, "/dinamis/images").select(".dinamis-scenes a.title")]
    with app.flask_app.test_request_context():
        wanted = {tk.h.url_for("dinamis_imagery.scene", collection="spot", item_id=id) for id in ids}
    assert set(links) == wanted
    assert all(app.get(link).status_code == 200 for link in links)


def test_a_place_filters_and_the_share_covered_is_said(app: Any, engine: Any, two: None, geo: Geo) -> None:
    soup = page(app, "/dinamis/images?place=begles")
    assert len(rows(soup)) == 2
    assert all("100 %" in row and "Bègles" in row for row in rows(soup))
    page(app, "/dinamis/images?place=begles")
    assert len(geo.asked) == len(set(geo.asked)), "the second time comes from the cache"


def test_a_place_nobody_knows_is_said_and_filters_nothing(app: Any, engine: Any, two: None, geo: Geo) -> None:
    soup = page(app, "/dinamis/images?place=Nulleparville")
    assert soup.select_one("#place-problem")
    assert len(rows(soup)) == 2
    assert soup.select_one("#field-place")["value"] == "Nulleparville"  # type: ignore[index]


def test_a_place_service_that_is_down_is_said(
    app: Any, engine: Any, two: None, ckan_config: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.geo_api_url", "http://127.0.0.1:9")
    soup = page(app, "/dinamis/images?place=Talence")
    assert soup.select_one("#place-problem")
    connect_to_redis().flushdb()


def test_every_filter_is_a_chip_that_removes_it(app: Any, engine: Any, two: None) -> None:
    soup = page(app, "/dinamis/images?from=2020-01-01&to=2020-12-31&cloud=10")
    chips = {chip.get_text().replace("×", "").strip(): chip["href"] for chip in soup.select(".dinamis-chips a")}
    assert chips["2020"] == "/dinamis/images?cloud=10"
    assert len(rows(soup)) == 1


def test_the_chart_links_each_year(app: Any, engine: Any, two: None) -> None:
    bars = page(app, "/dinamis/images?cloud=50").select(".dinamis-years a")
    assert [bar["href"] for bar in bars] == ["/dinamis/images?from=2020-01-01&to=2020-12-31&cloud=50"]


def test_an_empty_list_names_the_filter_that_empties_it(app: Any, engine: Any, two: None) -> None:
    soup = page(app, "/dinamis/images?from=2020-01-01&to=2020-12-31&cloud=1")
    links = [link["href"] for link in soup.select(".alert-info a")]
    assert links == ["/dinamis/images?from=2020-01-01&to=2020-12-31"]


def test_nonsense_in_the_address_is_left_out(app: Any, engine: Any, two: None) -> None:
    soup = page(app, "/dinamis/images?cloud=beaucoup&from=hier&bbox=1")
    assert len(rows(soup)) == 2
    assert soup.select("[role=alert]")
    assert len(rows(page(app, "/dinamis/images?token=x%00"))) == 2, "a page address that no longer holds"


def test_pages_follow_one_another(app: Any, engine: Any, load: Any) -> None:
    load([item(number) for number in range(45)])
    seen: list[str] = []
    path: str | None = "/dinamis/images"
    while path:
        soup = page(app, path)
        seen += [row["data-scene"] for row in soup.select("[data-scene]")]
        more = soup.select_one("a[rel=next]")
        path = str(more["href"]) if more else None
    assert (len(seen), len(set(seen))) == (45, 45)


def test_what_a_source_wrote_cannot_break_out_of_the_page(app: Any, engine: Any, load: Any) -> None:
    evil = "</script><script>alert(1)</script>"
    load([{**item(1, platform=evil), "id": evil}], title=evil)
    html = app.get("/dinamis/images").body
    assert "<script>alert" not in html
    data = BeautifulSoup(html, "html.parser").select_one("#dinamis-map-data")
    assert data and json.loads(data.get_text())["scenes"]["features"][0]["id"] == f"spot/{evil}"


def test_a_scene_in_words(app: Any, engine: Any, load: Any, geo: Geo) -> None:
    geo.said["/communes"] = [{"nom": "Bègles", "code": "33039"}]
    raw = item(1, datetime="2023-07-12T10:34:00Z", gsd=1.5, **{
        "eo:cloud_cover": 3.0, "view:incidence_angle": 24.0, "view:sun_elevation": 61.0,
    })  # fmt: skip
    raw["assets"] = {"MS": {"href": "http://s/ms.tif", "file:size": 412_000_000,
                            "type": "image/tiff; application=geotiff; profile=cloud-optimized"}}  # fmt: skip
    load([raw, item(2, datetime="2021-07-12T10:34:00Z")])
    soup = page(app, "/dinamis/images/spot/SPOT6_00001")
    text = " ".join(soup.get_text().split())
    assert "SPOT 6, mercredi 12 juillet 2023" in text
    assert "Bègles" in text and "1,5 m" in text and "24°" in text and "412 Mo" in text and "COG" in text
    assert [link["href"] for link in soup.select(".dinamis-strip a")] == ["/dinamis/images/spot/SPOT6_00002"]
    assert soup.select_one('a[href="http://test.ckan.net/dinamis/stac/collections/spot/items/SPOT6_00001"]')
    assert not soup.select(".dinamis-quicklook")


def test_a_scene_shows_the_quicklook_that_its_source_gives(app: Any, engine: Any, load: Any, geo: Geo) -> None:
    raw = item(1)
    raw["assets"] = {"quicklook": {"href": "http://s/quick.jpg", "type": "image/jpeg", "roles": ["overview"]}}
    load([raw])
    picture = page(app, "/dinamis/images/spot/SPOT6_00001").select_one(".dinamis-quicklook img")
    assert picture and picture["src"] == "http://s/quick.jpg"


def test_a_synthetic_scene_says_so_wherever_it_is_seen(app: Any, engine: Any, load: Any, geo: Geo) -> None:
    load([item(1, **{"dinamis_relais:synthetic": True}), item(2)])
    soup = page(app, "/dinamis/images")
    assert len(soup.select(".dinamis-scenes .badge")) == 1
    assert page(app, "/dinamis/images/spot/SPOT6_00001").select(".alert-warning")
    assert not page(app, "/dinamis/images/spot/SPOT6_00002").select(".alert-warning")


def test_a_scene_that_is_not_there(app: Any, engine: Any) -> None:
    app.get("/dinamis/images/spot/none", status=404)


def test_tiles_follow_the_filters(app: Any, engine: Any, two: None) -> None:
    tile = app.get("/dinamis/images/tiles/8/127/92.mvt")
    assert tile.content_type == "application/vnd.mapbox-vector-tile"
    assert b"SPOT6_00001" in tile.data and b"SPOT6_00002" in tile.data
    assert b"SPOT6_00002" not in app.get("/dinamis/images/tiles/8/127/92.mvt?to=2020-12-31").data
    app.get("/dinamis/images/tiles/3/9/1.mvt", status=404)


def test_actions_take_and_give_stac_and_need_no_login(app: Any, engine: Any, two: None) -> None:
    found = app.post("/api/3/action/dinamis_scene_search", json={"bbox": [-1, 44, 0, 46], "limit": 1}).json
    assert found["result"]["numberMatched"] == 2
    key = {"collection": "spot", "id": "SPOT6_00001"}
    assert app.post("/api/3/action/dinamis_scene_show", json=key).json["result"]["id"] == "SPOT6_00001"
    wrong = app.post("/api/3/action/dinamis_scene_search", json={"bbox": [1]}, status=409).json
    assert "bbox" in wrong["error"]


def test_a_series_has_a_picture_of_its_footprints(app: Any, engine: Any, load: Any) -> None:
    load([item(number, datetime=f"2019-07-{number:02d}T10:00:00Z") for number in range(1, 9)])
    answer = app.get("/dinamis/images/series/spot/2019.png")
    assert (answer.mimetype, answer.data[:8]) == ("image/png", b"\x89PNG\r\n\x1a\n")
    assert (
        app.get("/dinamis/images/series/spot/2019.png", headers={"If-None-Match": answer.headers["ETag"]}).status_code
        == 304
    )
    app.get("/dinamis/images/series/spot/2018.png", status=404)
    drawn = series_picture.svg(series_picture.footprints(engine, "spot", 2019), (("Bordeaux", -0.58, 44.84),))
    assert drawn.count('fill="#0b5cad"') == 8
    assert "Bordeaux" in drawn
