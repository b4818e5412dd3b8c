"""Where a territory lies, as a picture that a page shows without JavaScript, and only when there is an outline."""

from __future__ import annotations

import io
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from bs4 import BeautifulSoup
from ckan import model
from ckan.tests import factories
from PIL import Image
from shapely.geometry import box

from ckanext.dinamis_relais.imagery import series_picture, territories
from tests.accounts.helpers import forget
from tests.membership.members import member

from .geo import Geo
from .test_coverage import SQUARE, feature, square

__all__ = ["square"]

pytestmark = [
    pytest.mark.usefixtures("with_plugins", "entity_service"),
    pytest.mark.ckan_config("ckanext.dinamis_relais.private_hosts", ["127.0.0.1"]),
]

PICTURE = "/dinamis/coverage/commune/33999/territory.png"


def figures(page: Any) -> list[Any]:
    return BeautifulSoup(page.body, "html.parser").select("figure.dinamis-territory img")


class TestTheDrawing:
    def test_a_small_territory_has_a_ring_and_a_large_one_none(self) -> None:
        small = series_picture.territory_svg(box(-0.6, 44.7, -0.5, 44.8), series_picture.TOWNS)
        large = series_picture.territory_svg(box(-1.5, 44.0, 1.0, 46.0), series_picture.TOWNS)
        assert (small.count("#b3261e"), large.count("#b3261e")) == (1, 0)
        assert all("Bordeaux" in one and 'fill="#0b5cad"' in one for one in (small, large))

    def test_the_territory_is_in_the_middle(self) -> None:
        drawn = series_picture.territory_svg(box(-0.6, 44.7, -0.5, 44.8), ())
        assert f'cx="{series_picture.WIDTH / 2:.1f}" cy="{series_picture.HEIGHT / 2:.1f}"' in drawn


class TestTheAddress:
    def test_a_png_that_browsers_keep(self, app: Any, square: Geo) -> None:
        answer = app.get(PICTURE)
        assert Image.open(io.BytesIO(answer.data)).size == (1440, 960)
        # How long is CKAN's setting, ckan.cache_expires.
        assert answer.headers["Cache-Control"].startswith("public")
        assert app.get(PICTURE, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304

    def test_it_is_drawn_once_and_anew_for_another_outline(
        self, app: Any, square: Geo, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = app.get(PICTURE).data
        with monkeypatch.context() as patched:  # whoever draws now, draws something that no browser takes
            patched.setattr(series_picture, "WIDTH", 0)
            assert app.get(PICTURE).data == first
        moved = [[x + 1, y + 1] for x, y in SQUARE]
        square.said["/communes"]["features"][0] = feature("33999", "Carré", moved)
        square.forget("/outline/*")
        assert app.get(PICTURE).data != first

    @pytest.mark.parametrize("path", ["commune/99999", "commune/x", "hameau/33999", "epci/33999"])
    def test_no_such_territory(self, app: Any, square: Geo, path: str) -> None:
        app.get(f"/dinamis/coverage/{path}/territory.png", status=404)

    def test_nobody_answers(self, app: Any, square: Geo) -> None:
        square.down = True
        app.get(PICTURE, status=503)


class TestThePage:
    """The tab of a member whose territory is the square."""

    @pytest.fixture
    def tab(self, people: Any, engine: Any) -> str:
        member(people)
        group = model.Group.get(people.organization["id"])
        group.extras["dinamis_territory_kind"] = "commune"
        group.extras["dinamis_territory_code"] = "33999"
        model.Session.commit()
        forget()
        return f"/organization/{people.organization['name']}/dinamis"

    def test_it_is_shown_with_the_name_and_its_address_answers(self, app: Any, square: Geo, tab: str) -> None:
        image = figures(app.get(tab))[0]
        assert image["alt"] == "Carte\u00a0: où se trouve le territoire, Carré (33999)"
        assert image["src"].endswith(PICTURE)
        assert app.get(image["src"]).mimetype == "image/png"

    def test_no_outline_no_hole(self, app: Any, square: Geo, tab: str) -> None:
        square.said["/communes"]["features"] = []
        page = app.get(tab)
        assert figures(page) == []
        assert "Membre de DINAMIS depuis" in page.body

    def test_the_service_is_down(self, app: Any, square: Geo, tab: str) -> None:
        square.down = True
        assert figures(app.get(tab)) == []

    def test_no_more_calls_than_for_the_coverage(self, app: Any, square: Geo, tab: str) -> None:
        app.get(tab)
        assert len(square.asked) == 1
        app.get(tab)
        assert len(square.asked) == 1

    def test_an_organisation_without_a_territory(self, app: Any, square: Geo, people: Any) -> None:
        name = factories.Organization()["name"]
        forget()
        assert figures(app.get(f"/organization/{name}/dinamis")) == []
        assert square.asked == []


def test_what_is_remembered_asks_nobody(square: Geo) -> None:
    assert territories.remembered("commune", "33999") is None
    assert square.asked == []
    read = territories.read("commune", "33999")
    assert territories.remembered("commune", "33999") == read
    assert territories.remembered("hameau", "33999") is None
    assert len(square.asked) == 1


@pytest.mark.parametrize(
    ("kind", "code"), [(None, None), ("commune", None), ("commune", ""), ("x", "33999"), ("", "1")]
)
def test_the_helper_of_nothing(square: Geo, kind: Any, code: Any) -> None:
    assert tk.h.dinamis_territory(kind, code) is None
