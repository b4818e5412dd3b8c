"""Signing for one person: what is asked, what is reused, what is refused, what is journalled."""

from __future__ import annotations

import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import requests
from ckan import model
from ckan.lib.redis import connect_to_redis

from ckanext.dinamis_relais.access import handed, signing
from ckanext.dinamis_relais.access.model import Download, IdentityLink
from ckanext.dinamis_relais.db import utcnow
from tests.journalled import journalled

from .conftest import PREFIX, accept, act, activate, link

pytestmark = [
    pytest.mark.usefixtures("with_plugins", "entity_service", "clean_redis"),
    # What is said is looked at in English, the language of the code; the French is looked at by tests of its own.
    pytest.mark.ckan_config("ckan.locale_default", "en"),
]


def sign(person, urls, **more):
    return act(person.name, "dinamis_asset_sign", urls=urls, **more)


def problem(person, field, urls, **more):
    with pytest.raises(tk.ValidationError) as caught:
        sign(person, urls, **more)
    return str(caught.value.error_dict[field])


def test_answers_like_the_service_and_the_link_opens_the_file(ready):
    href = ready.hrefs[0]
    assert requests.get(href, timeout=10).status_code == 403
    found = sign(ready, [href])
    assert set(found) == {"expiry", "hrefs"}
    until = dt.datetime.fromisoformat(found["expiry"].replace("Z", "+00:00"))
    assert dt.timedelta(hours=7) < until - utcnow() <= dt.timedelta(hours=8)
    assert requests.get(found["hrefs"][href], timeout=10).status_code == 200


def test_at_most_64_a_call_and_no_call_the_second_time(ready):
    urls = ready.hrefs[:70]
    assert len(urls) == 70
    first = sign(ready, urls)
    assert ready.service.signed() == 2
    assert sign(ready, urls) == first
    assert ready.service.signed() == 2
    assert model.Session.query(Download).filter(Download.signed_at.is_not(None)).count() == 70


def test_theme_is_kept_with_each_file_and_a_link_given_again_keeps_it(ready):
    sign(ready, ready.hrefs[:2], theme="forest")
    sign(ready, ready.hrefs[:3], theme="coast")
    sign(ready, ready.hrefs[:4])
    sign(ready, ready.hrefs[4:5], theme="")
    rows = model.Session.query(Download.theme).order_by(Download.id).all()
    assert [theme for (theme,) in rows] == ["forest", "forest", "coast", None, None]


def test_theme_is_kept_where_a_quota_holds_the_place(ready, tmp_path, ckan_config, monkeypatch):
    quota(tmp_path, ckan_config, monkeypatch, "- {scope: person, period: day, files: 10}\n")
    sign(ready, ready.hrefs[:1], theme="water")
    assert model.Session.query(Download.theme).filter(Download.signed_at.is_not(None)).all() == [("water",)]


@pytest.mark.parametrize("theme", ["Forest", "none", "forest\tx", 7, ["forest"]])
def test_unknown_theme_is_refused_with_those_that_there_are(ready, theme):
    said = problem(ready, "theme", ready.hrefs[:1], theme=theme)
    assert said.count("theme: use one of planning, forest, agriculture, coast,") == 1
    assert ready.service.signed() == 0
    assert not model.Session.query(Download).count()


def test_last_theme_is_proposed_to_its_person_alone(ready):
    def proposed(name):
        return act(name, "dinamis_download_rights", collection=ready.items[0]["collection"])["theme"]

    assert proposed(ready.name) is None
    sign(ready, ready.hrefs[:1], theme="risks")
    assert proposed(ready.name) == "risks"
    assert act(ready.name, "dinamis_download_list")["results"][0]["theme"] == "risks"
    assert proposed(ready.people.users["referent"]["name"]) is None
    sign(ready, ready.hrefs[1:2])
    assert proposed(ready.name) is None


def test_link_that_soon_ends_is_signed_anew(ready):
    href = ready.hrefs[0]
    short = sign(ready, [href], duration_seconds=1700)["hrefs"][href]
    again = sign(ready, [href])
    assert again["hrefs"][href] != short
    assert ready.service.signed() == 2


def test_one_person_never_gets_anothers_link(ready):
    activate(ready.people, "referent")
    other = ready.people.referent["name"]
    mine = sign(ready, ready.hrefs[:2])
    with pytest.raises(tk.ValidationError):
        act(other, "dinamis_asset_sign", urls=ready.hrefs[:2])
    link(ready, other)
    accept(ready, other)
    calls = ready.service.signed()
    theirs = act(other, "dinamis_asset_sign", urls=ready.hrefs[:2])
    assert ready.service.signed() == calls + 1
    assert act(other, "dinamis_download_list")["count"] == 2
    assert set(mine["hrefs"]) == set(theirs["hrefs"])


def test_what_redis_holds_is_encrypted_and_ends_with_the_link(ready):
    href = sign(ready, ready.hrefs[:1])["hrefs"][ready.hrefs[0]]
    redis: Any = connect_to_redis()
    keys = list(redis.scan_iter("dinamis:signed:*"))
    assert len(keys) == 1
    held = b"".join(redis.hgetall(keys[0]).values())
    assert href.encode() not in held
    assert href.rsplit("Signature=", 1)[-1].encode() not in held
    assert redis.ttl(keys[0]) <= 8 * 3600
    act(ready.name, "dinamis_identity_link_delete")
    assert not list(redis.scan_iter("dinamis:signed:*"))


def test_without_redis_it_signs_anew(ready, monkeypatch):
    from redis import Redis

    monkeypatch.setattr(handed, "connect_to_redis", lambda: Redis(port=9, socket_connect_timeout=0.2))
    sign(ready, ready.hrefs[:1])
    assert sign(ready, ready.hrefs[:1])["hrefs"]
    assert ready.service.signed() == 2


def test_journal_says_who_and_which_scene_and_never_the_link(ready):
    found = sign(ready, ready.hrefs[:2])
    line = journalled().filter_by(event="images.signed").one()
    assert line.actor == ready.id
    assert line.organization_id == ready.people.organization["id"]
    scene = ready.items[0]
    assert f"{scene['collection']}/{scene['id']}" in line.data["scenes"]
    assert line.data["files"] == 2
    told = json.dumps(line.data)
    assert "http" not in told
    assert all(href not in told for href in found["hrefs"].values())


def test_licence_comes_first(person):
    link(person)
    assert "/dinamis/licences/" in problem(person, "licence", person.hrefs[:1])
    assert person.service.signed() == 0
    accept(person)
    assert sign(person, person.hrefs[:1])["hrefs"]


@pytest.mark.parametrize(
    ("urls", "field", "said"),
    [
        ([], "urls", "1 to 6400"),
        (["https://example.org/a.tif"], "urls", "elsewhere"),
        (["http://127.0.0.1:9/objects/a/b/c/d.tif"], "urls", "no file of this catalogue"),
        ("http://127.0.0.1/a.tif", "urls", "list"),
        ([7], "urls", "list"),
    ],
)
def test_wrong_addresses_are_refused_before_anything_is_asked(ready, urls, field, said):
    assert said in problem(ready, field, urls)
    assert ready.service.signed() == 0


def test_files_are_looked_up_while_the_first_are_asked_for_and_one_wrong_gives_nothing(ready, monkeypatch):
    monkeypatch.setattr(signing, "_LOOKED_UP", 30)
    urls = ready.hrefs[:80]
    assert len(urls) == 80
    found = sign(ready, urls[:70])["hrefs"]
    assert list(found) == urls[:70]
    # 30 + 30 + 10 are looked up, and 64 + 6 are asked for.
    assert ready.service.signed() == 2
    wrong = "http://127.0.0.1:9/objects/a/b/c/d.tif"
    assert "no file of this catalogue" in problem(ready, "urls", [*urls, wrong])
    assert model.Session.query(Download).count() == 70
    assert journalled().filter_by(event="images.signed").count() == 1
    # Nothing of the call that failed is handed out, to nobody.
    link_id = model.Session.query(IdentityLink.id).scalar()
    assert set(handed.known(link_id, urls)) == set(urls[:70])


@pytest.mark.parametrize("seconds", [0, -1, 6 * 24 * 3600 + 1, "8", True, 1.5])
def test_wrong_duration(ready, seconds):
    assert "whole number" in problem(ready, "duration_seconds", ready.hrefs[:1], duration_seconds=seconds)


def test_short_wait_is_waited_and_a_long_one_is_said(ready):
    ready.service.refusals = [(429, {"Retry-After": "0"})]
    assert sign(ready, ready.hrefs[:1])["hrefs"]
    ready.service.refusals = [(429, {"Retry-After": "600"})]
    assert "600 seconds" in problem(ready, "service", ready.hrefs[1:2])


@pytest.mark.parametrize("status", [500, 503])
def test_service_that_fails_costs_nothing_of_the_quota(ready, status):
    ready.service.refusals = [(status, {})]
    assert "does not answer" in problem(ready, "service", ready.hrefs[:1])
    assert model.Session.query(Download).count() == 0
    assert sign(ready, ready.hrefs[:1])["hrefs"]


def quota(tmp_path, ckan_config, monkeypatch, text):
    own = tmp_path / "quotas.yaml"
    own.write_text(text, encoding="utf-8")
    monkeypatch.setitem(ckan_config, PREFIX + "download_quotas", str(own))


def test_quota_is_shown_then_bites_and_reuse_is_free(ready, tmp_path, ckan_config, monkeypatch):
    quota(tmp_path, ckan_config, monkeypatch, "- {scope: person, period: day, files: 3}\n")
    sign(ready, ready.hrefs[:2])
    rights = act(ready.name, "dinamis_download_rights", collection=ready.items[0]["collection"])
    assert rights["quotas"][0]["files_left"] == 1
    assert "1 file" in problem(ready, "quota", ready.hrefs[2:4])
    sign(ready, ready.hrefs[:2])
    sign(ready, ready.hrefs[2:3])
    assert "0 files" in problem(ready, "quota", ready.hrefs[3:4])


def test_eight_calls_at_once_stay_within_the_quota(ready, site, tmp_path, ckan_config, monkeypatch):
    quota(tmp_path, ckan_config, monkeypatch, "- {scope: organization, period: day, files: 3}\n")

    def one(number):
        try:
            with site._wsgi_app.test_request_context():
                return len(act(ready.name, "dinamis_asset_sign", urls=[ready.hrefs[number]])["hrefs"])
        except tk.ValidationError as error:
            assert "quota" in error.error_dict
            return 0
        finally:
            model.Session.remove()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(8))) == 3
    assert model.Session.query(Download).filter(Download.signed_at.is_not(None)).count() == 3


def test_basket_holds_scenes_and_series_once(ready):
    scene = ready.items[0]
    one = {"collection": scene["collection"], "id": scene["id"]}
    assert act(ready.name, "dinamis_basket_add", **one) == {"added": 1, "count": 1}
    assert act(ready.name, "dinamis_basket_add", **one) == {"added": 0, "count": 1}
    year = scene["properties"]["datetime"][:4]
    series = act(ready.name, "dinamis_basket_add", collection=scene["collection"], year=year)
    expected = sum(
        each["collection"] == scene["collection"] and each["properties"]["datetime"].startswith(year)
        for each in ready.items
    )
    assert series["count"] == expected
    shown = act(ready.name, "dinamis_basket_show")
    assert shown["count"] == expected
    assert act(ready.people.referent["name"], "dinamis_basket_show")["count"] == 0
    assert act(ready.name, "dinamis_basket_remove", **one)["count"] == expected - 1
    assert act(ready.name, "dinamis_basket_remove")["count"] == 0
    with pytest.raises(tk.ValidationError):
        act(ready.name, "dinamis_basket_add", collection=scene["collection"], id="nothing")


def test_chain_of_the_journal_verifies(ready):
    sign(ready, ready.hrefs[:3])
    assert act(ready.people.super_referent["name"], "dinamis_journal_verify")["valid"]
