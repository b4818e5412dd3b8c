"""Which images are there of my commune: the pages, as a visitor without JavaScript has them."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from bs4 import BeautifulSoup
from PIL import Image
from shapely.geometry import shape

from .geo import Geo
from .test_coverage import scene, square

__all__ = ["square"]

pytestmark = [
    pytest.mark.usefixtures("with_plugins"),
    pytest.mark.ckan_config("ckanext.dinamis_relais.private_hosts", ["127.0.0.1"]),
    pytest.mark.ckan_config("ckanext.dinamis_relais.map_tiles_url", ""),
]

PAGE = "/dinamis/coverage/commune/33999"


@pytest.fixture
def three_years(engine: Any, load: Any, square: Geo) -> None:
    """2020 whole by two scenes, 2021 without any, 2022 without its north."""
    load([
        scene(1, 0, 0.6, "2020-05-01", 3.0), scene(2, 0.5, 1, "2020-06-01", 15.0),
        scene(3, 0, 1, "2022-07-12", None, north=0.75),
    ])  # fmt: skip


def soup(app: Any, path: str, status: int = 200) -> BeautifulSoup:
    return BeautifulSoup(app.get(path, status=status).body, "html.parser")


def words(node: Any) -> str:
    return " ".join(node.get_text().split())


def test_a_territory_shows_its_years_and_the_newest_with_images(app: Any, three_years: None) -> None:
    page = soup(app, PAGE)
    assert words(page.h1).startswith("Carré (33999) · 88")
    cells = [words(one) for one in page.select(".dinamis-cover-years li")]
    assert cells == ["2020 100 %", "2021 0 %", "2022 75 % (1 trou)"]
    said = words(page.select_one("#dinamis-sentence"))
    assert said.startswith("Pour 2022, une scène suffit ; il manque 21,9") and said.endswith("km² au nord.")
    (row,) = page.select(".dinamis-chosen > li")
    assert "SPOT 6, mardi 12 juillet 2022" in words(row) and "inconnu" in words(row) and "75 %" in words(row)
    assert page.select_one("a[href='/dinamis/requests/new?place=33999&place_kind=commune']")
    assert page.select_one("a[href='/dinamis/images?place=33999&from=2022-01-01&to=2022-12-31']")
    assert page.select_one(f"noscript img[src='{PAGE}.png?year=2022']")


def test_each_year_is_a_link(app: Any, three_years: None) -> None:
    links = [one["href"] for one in soup(app, PAGE).select(".dinamis-cover-years a")]
    assert links == [f"{PAGE}?year={year}" for year in (2020, 2021, 2022)]
    first, none = soup(app, links[0]), soup(app, links[1])
    assert words(first.select_one("#dinamis-sentence")) == "Pour 2020, deux scènes suffisent."
    assert [one["data-scene"] for one in first.select("[data-scene]")] == ["spot/S1", "spot/S2"]
    assert words(none.select_one("#dinamis-sentence")) == "Aucune scène de 2021 ne couvre ce territoire."
    soup(app, f"{PAGE}?year=2019", 404)


def test_the_map_has_numbers_where_each_scene_is_and_nobody_before_it(app: Any, three_years: None) -> None:
    data = json.loads(soup(app, f"{PAGE}?year=2020").select_one("#dinamis-map-data").get_text())  # type: ignore[union-attr]
    one, two = data["scenes"]["features"]
    assert [one["properties"]["number"], two["properties"]["number"]] == [1, 2]
    point = shape({"type": "Point", "coordinates": two["properties"]["label"]})
    assert shape(two["geometry"]).contains(point) and not shape(one["geometry"]).contains(point)


def test_the_table_has_a_line_for_each_scene_and_for_a_year_without(app: Any, three_years: None) -> None:
    answer = app.get(f"{PAGE}.csv")
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig")), delimiter=";"))
    assert [row[0] for row in rows] == ["Année", "2020", "2020", "2021", "2022"]
    assert rows[1][1:6] == ["100", "0", "2", "1", "SPOT 6"]
    assert rows[3][1] == "0" and rows[4][7] == "" and rows[4][-2] == "S3"
    assert rows[4][-1] == "http://test.ckan.net/dinamis/images/spot/S3"


def test_the_picture_shows_outline_scene_and_hole(app: Any, three_years: None) -> None:
    picture = Image.open(io.BytesIO(app.get(f"{PAGE}.png?year=2022").data)).convert("RGB")
    assert picture.size == (2400, 1560)
    colours = {colour for _count, colour in picture.getcolors(1 << 24) or []}
    assert (179, 38, 30) in colours, "hatched"
    assert (11, 92, 173) in colours, "the number's disc"
    whole = Image.open(io.BytesIO(app.get(f"{PAGE}.png?year=2020").data)).convert("RGB")
    assert (179, 38, 30) not in {colour for _count, colour in whole.getcolors(1 << 24) or []}


def test_a_name_opens_what_it_means_or_lets_choose(app: Any, engine: Any, geo: Geo) -> None:
    def to(text: str) -> str:
        answer = app.get("/dinamis/coverage", query_string={"q": text}, follow_redirects=False)
        return answer.headers.get("Location", "")

    assert to("begles").endswith("/dinamis/coverage/commune/33039")
    assert to("33").endswith("/dinamis/coverage/departement/33")
    assert to("Bordeaux").endswith("/dinamis/coverage/commune/33063"), "not the EPCI, whose name is longer"
    page = soup(app, "/dinamis/coverage?q=bord")
    labels = [words(one) for one in page.select(".dinamis-strip a")]
    assert "Bordeaux Métropole (243300316)EPCI" in labels and len(labels) > 1
    assert "Nulleparville" in words(soup(app, "/dinamis/coverage?q=Nulleparville").select_one("[role=status]"))
    for odd in ("%00", "%25", "<script>", "é" * 500, "(33)", "a (b)"):
        soup(app, f"/dinamis/coverage?q={odd}")


def test_suggestions_come_while_one_types(app: Any, engine: Any, geo: Geo) -> None:
    found = app.get("/dinamis/coverage/places.json?q=begl").json
    assert [(one["label"], one["url"]) for one in found] == [("Bègles (33039)", "/dinamis/coverage/commune/33039")]
    assert app.get("/dinamis/coverage/places.json?q=be").json == []
    geo.down = True
    assert app.get("/dinamis/coverage/places.json?q=talence").json == []


def test_a_service_of_places_that_is_down_is_said_with_what_to_do(app: Any, three_years: None, square: Geo) -> None:
    square.down = True
    assert "Réessayez" in words(soup(app, "/dinamis/coverage?q=talence", 503).select_one("[role=alert]"))
    assert "API Géo" in words(soup(app, PAGE, 503).select_one("[role=alert]"))
    app.get(f"{PAGE}.csv", status=503)
    app.get(f"{PAGE}.png", status=503)


def test_what_is_no_territory_is_not_found(app: Any, three_years: None) -> None:
    for path in ("canton/33999", "commune/33998", "commune/xx", "canton/33999.csv", "commune/xx.png"):
        app.get(f"/dinamis/coverage/{path}", status=404)


def test_the_explorer_takes_any_territory_and_leads_back(app: Any, engine: Any, load: Any, geo: Geo) -> None:
    load([scene(1, 0, 1, "2020-05-01")])
    page = soup(app, "/dinamis/images?place=Gironde (33)")
    assert words(page.select_one(".dinamis-chips a")).startswith("Gironde (33)")
    assert len(page.select("[data-scene]")) == 1
    assert page.select_one("a[href='/dinamis/coverage/departement/33']")
