"""Harvests through ckanext-harvest: its actions, its queue's functions, its jobs and errors."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa
from ckan.tests import factories
from ckan.tests.helpers import call_action

from ckanext.dinamis_relais.imagery import model as scene_model
from ckanext.dinamis_relais.imagery.demo import NAME, source_of
from ckanext.dinamis_relais.imagery.running import harvest_now

from .conftest import Server, item
from .test_source import page_of

pytestmark = [
    pytest.mark.usefixtures("with_request_context", "harvest_db"),
    pytest.mark.ckan_config("ckanext.dinamis_relais.private_hosts", ["127.0.0.1"]),
]


@pytest.fixture
def harvest_db(with_plugins: Any, relay_db: Any, clean_index: Any, migrate_db_for: Any) -> None:
    """An empty site that can harvest."""
    migrate_db_for("harvest")


@pytest.fixture
def harvest_source(server: Server, engine: Any) -> Any:
    """A source of the server, owned by an organisation, with a configuration when one is given."""
    organization = factories.Organization()

    def make(**config: Any) -> dict[str, Any]:
        return call_action(
            "harvest_source_create", name="spot", title="SPOT", url=server.url, source_type="dinamis-stac",
            owner_org=organization["id"], config=json.dumps(config) if config else "",
        )  # fmt: skip

    return make


def series() -> list[dict[str, Any]]:
    found = call_action("package_search", fq="type:imagery-series", sort="name asc", rows=100)
    return found["results"]


def scenes(engine: Any) -> int:
    with engine.connect() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(scene_model.scenes)).scalar_one()


def two_years() -> list[dict[str, Any]]:
    first = [item(number, datetime=f"2019-07-{number:02d}T10:00:00Z") for number in range(1, 6)]
    second = [item(number, datetime=f"2020-07-{number:02d}T10:00:00Z") for number in range(6, 9)]
    return [*first, *second]


def test_a_harvest_makes_one_dataset_for_each_year(server: Server, engine: Any, harvest_source: Any) -> None:
    server.items["spot"] = two_years()
    server.bodies["spot"] = {"title": "SPOT 6/7", "license": "proprietary"}
    source = harvest_source()
    job = harvest_now(source["id"])
    assert job["status"] == "Finished"
    assert (job["stats"]["added"], job["stats"]["errored"], scenes(engine)) == (2, 0, 8)
    first, second = series()
    assert (first["name"], first["title"], first["scene_count"]) == ("images-spot-2019", "SPOT 6/7 – 2019", "5")
    assert (first["temporal_start"], first["temporal_end"]) == ("2019-07-01", "2019-07-05")
    assert first["owner_org"] == source["owner_org"]
    assert json.loads(first["spatial"])["type"] == "Polygon"
    assert "collection=spot" in second["explorer_url"]
    assert first["licence_note"] == "Licence annoncée par la source\u00a0: proprietary."


def test_nothing_is_written_when_nothing_changed(server: Server, engine: Any, harvest_source: Any) -> None:
    server.items["spot"] = two_years()
    source = harvest_source()
    harvest_now(source["id"])
    before = [one["metadata_modified"] for one in series()]
    job = harvest_now(source["id"])
    assert (job["stats"]["added"], job["stats"]["updated"]) == (0, 0)
    assert [one["metadata_modified"] for one in series()] == before


def test_a_changed_year_is_updated_and_what_people_added_stays(
    server: Server, engine: Any, harvest_source: Any
) -> None:
    server.items["spot"] = two_years()
    source = harvest_source()
    harvest_now(source["id"])
    call_action("resource_create", package_id="images-spot-2020", url="http://guide.example", name="Guide")
    server.items["spot"].append(item(9, datetime="2020-07-09T10:00:00Z"))
    job = harvest_now(source["id"])
    assert (job["stats"]["added"], job["stats"]["updated"]) == (0, 1)
    second = series()[1]
    assert second["scene_count"] == "4"
    assert [one["name"] for one in second["resources"]] == ["Voir les images", "Scènes (STAC)", "Guide"]


def test_a_year_that_vanished_takes_its_dataset_along(server: Server, engine: Any, harvest_source: Any) -> None:
    server.items["spot"] = two_years()
    source = harvest_source(max_vanished=0.5)
    harvest_now(source["id"])
    server.items["spot"] = server.items["spot"][:5]
    job = harvest_now(source["id"])
    assert job["stats"]["deleted"] == 1
    assert [one["year"] for one in series()] == ["2019"]


def test_bad_items_are_errors_of_the_job_and_the_good_ones_are_taken(
    server: Server, engine: Any, harvest_source: Any
) -> None:
    server.items["spot"] = [*two_years(), {**item(20), "geometry": None}]
    job = harvest_now(harvest_source()["id"])
    messages = [error["message"] for error in job["gather_error_summary"]]
    assert messages == [
        "spot: Item SPOT6_00020, geometry: It has no geometry. Add its footprint (GeoJSON) at the source."
    ]
    assert (job["stats"]["added"], scenes(engine)) == (2, 8)


def test_an_item_of_ten_megabytes_is_an_error_of_the_job(server: Server, engine: Any, harvest_source: Any) -> None:
    server.items["spot"] = [item(1), item(2, description="x" * 10_000_000), item(3)]
    job = harvest_now(harvest_source()["id"])
    messages = [error["message"] for error in job["gather_error_summary"]]
    assert len(messages) == 1
    assert "SPOT6_00002" in messages[0]
    assert "At most 2,000,000 are taken" in messages[0]
    assert scenes(engine) == 2


def test_a_million_links_of_a_page_or_of_a_collection_are_no_burden(
    server: Server, engine: Any, harvest_source: Any
) -> None:
    link = {"rel": "item", "href": "https://images.example/1"}
    server.bodies["spot"] = {"title": "SPOT", "links": [link] * 1_000_000}
    server.items["spot"] = [item(1), {**item(2), "links": [link] * 1_000_000}]
    job = harvest_now(harvest_source()["id"])
    assert job["gather_error_summary"] == []
    with engine.connect() as connection:
        body = connection.execute(sa.select(scene_model.collections.c.body)).scalar_one()
        kept = connection.execute(sa.select(scene_model.scenes.c.item)).scalars().all()
    # They lead through the source, which is not where we are: none is stored.
    assert (body["links"], [len(one["links"]) for one in kept]) == ([], [0, 0])


@pytest.mark.parametrize("body", [b"<html>Bonjour</html>", b'{"collections": [', b'{"hello": 1}'])
def test_a_source_that_is_no_stac_api(server: Server, engine: Any, harvest_source: Any, body: bytes) -> None:
    server.broken = [("/collections", (200, {}, body))]
    job = harvest_now(harvest_source()["id"])
    assert job["status"] == "Finished"
    assert server.url in job["gather_error_summary"][0]["message"]


def test_an_interrupted_harvest_loses_nothing_and_goes_on(server: Server, engine: Any, harvest_source: Any) -> None:
    server.items["spot"] = two_years()
    source = harvest_source(page_size=3)
    server.broken = [("start=3", (200, {}, b'{"type": "FeatureColl'))]
    job = harvest_now(source["id"])
    message = job["object_error_summary"][0]["message"]
    assert "broken or cut off" in message and "the next job goes on from there" in message
    assert (scenes(engine), series()) == (3, [])

    server.asked.clear()
    job = harvest_now(source["id"])
    assert next(path for path in server.asked if "/items" in path).endswith("start=3")
    assert (job["stats"]["errored"], job["stats"]["added"], scenes(engine)) == (0, 2, 8)


HTML = b"<!DOCTYPE html><html><body>Maintenance</body></html>"


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([(200, {}, HTML)], "a web page, not JSON"),
        ([(200, {}, b'{"type": "FeatureCollection", "features": [')], "broken or cut off"),
        ([(200, {}, b'{"hello": "world"}')], "no list of items"),
        ([(200, {"Content-Length": "5000"}, page_of([item(9)]))] * 5, "broke off"),
        ([(302, {"Location": "http://10.0.0.1/items"}, b"")], "private network"),
    ],
    ids=["html", "truncated", "no-list", "content-length", "private-redirect"],
)
def test_a_page_that_is_none_is_an_error_of_the_job_and_the_store_keeps_what_it_has(
    server: Server, engine: Any, harvest_source: Any, answers: list[Any], said: str
) -> None:
    server.items["spot"] = two_years()
    source = harvest_source(page_size=3)
    assert harvest_now(source["id"])["stats"]["errored"] == 0
    server.broken = [("start=3", answer) for answer in answers]
    job = harvest_now(source["id"])
    assert job["status"] == "Finished"
    assert said in job["object_error_summary"][0]["message"]
    assert (scenes(engine), len(series())) == (8, 2)


def test_pages_without_end_are_an_error_of_the_job(server: Server, engine: Any, harvest_source: Any) -> None:
    server.items["spot"] = two_years()
    source = harvest_source()
    harvest_now(source["id"])
    for number in range(1, 5):
        href = f"{server.url}/collections/spot/items?limit=10&again={number}"
        server.broken.append(("/items", (200, {}, page_of(two_years()[:1], href))))
    job = harvest_now(source["id"])
    assert "same items" in job["object_error_summary"][0]["message"]
    assert (scenes(engine), len(series())) == (8, 2)


def test_a_collection_that_fails_leaves_the_others_alone(server: Server, engine: Any, harvest_source: Any) -> None:
    server.items = {"bad": [item(1)], "spot": two_years()}
    server.broken = [("/collections/bad/items", (404, {}, b""))]
    job = harvest_now(harvest_source()["id"])
    assert (job["stats"]["added"], job["stats"]["errored"]) == (2, 1)
    assert "HTTP 404" in job["object_error_summary"][0]["message"]


def test_private_addresses_are_refused_on_the_job(
    server: Server, engine: Any, harvest_source: Any, ckan_config: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ckan_config, "ckanext.dinamis_relais.private_hosts", [])
    job = harvest_now(harvest_source()["id"])
    assert "private network" in job["gather_error_summary"][0]["message"]
    assert server.asked == []


def test_a_wrong_configuration_is_refused_by_the_form(server: Server, engine: Any, harvest_source: Any) -> None:
    import ckan.plugins.toolkit as tk

    with pytest.raises(tk.ValidationError, match=r"Clé inconnue.*colections"):
        harvest_source(colections=["spot"])


def test_the_source_keeps_its_type_after_a_job(server: Server, engine: Any, harvest_source: Any) -> None:
    """ckanext-harvest 1.6.3 on CKAN 2.12 loses it, and with it the form and ``run-test``."""
    source = harvest_source()
    harvest_now(source["id"])
    assert call_action("harvest_source_show", id=source["id"])["source_type"] == "dinamis-stac"


def test_the_demonstration_makes_its_source_once(server: Server, engine: Any) -> None:
    factories.Organization()
    server.items["spot"] = two_years()
    first = source_of(server.url)
    assert source_of(server.url)["id"] == first["id"]
    assert first["name"] == NAME
    assert harvest_now(first["id"])["stats"]["added"] == 2


def test_clearing_a_source_takes_its_scenes_along(server: Server, engine: Any, harvest_source: Any) -> None:
    server.items["spot"] = two_years()
    source = harvest_source()
    harvest_now(source["id"])
    call_action("harvest_source_clear", id=source["id"])
    assert (scenes(engine), series()) == (0, [])
    assert harvest_now(source["id"])["stats"]["added"] == 2
