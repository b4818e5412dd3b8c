"""The pure rules of signing, quotas and lists."""

from __future__ import annotations

import datetime as dt
import shlex
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckanext.dinamis_relais.access import formats, licences, rules

NOW = dt.datetime(2026, 11, 24, 13, 30, tzinfo=dt.timezone.utc)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://s3-data.meso.umontpellier.fr/b/c/i/f.tif", True),
        ("https://meso.umontpellier.fr/f.tif", True),
        ("http://127.0.0.1:9/f.tif", True),
        ("http://127.0.0.1:8/f.tif", False),
        ("https://evilmeso.umontpellier.fr/f.tif", False),
        ("https://meso.umontpellier.fr.evil.example/f.tif", False),
        ("https://meso.umontpellier.fr@evil.example/f.tif", False),
        ("https://user:word@meso.umontpellier.fr/f.tif", False),
        ("ftp://meso.umontpellier.fr/f.tif", False),
        ("https://[::1/f.tif", False),
        ("f.tif", False),
    ],
)
def test_only_files_of_the_configured_hosts(url, allowed):
    assert rules.host_allowed(url, {"meso.umontpellier.fr", "127.0.0.1:9"}) is allowed


@given(st.lists(st.text(min_size=1), max_size=300))
def test_portions_hold_all_addresses_in_order_and_at_most_64(urls):
    found = list(rules.chunks(urls))
    assert [url for part in found for url in part] == urls
    assert all(0 < len(part) <= 64 for part in found)
    assert len(found) == -(-len(urls) // 64)


def test_a_link_is_handed_out_again_while_more_than_half_an_hour_is_left():
    assert rules.reusable(NOW + dt.timedelta(seconds=1801), NOW)
    assert not rules.reusable(NOW + dt.timedelta(seconds=1800), NOW)


@pytest.mark.parametrize(
    ("name", "starts", "ends"),
    [("day", "2026-11-24", "2026-11-25"), ("month", "2026-11-01", "2026-12-01"), ("year", "2026-01-01", "2027-01-01")],
)
def test_periods_are_those_of_the_calendar(name, starts, ends):
    assert tuple(moment.date().isoformat() for moment in rules.period(name, NOW)) == (starts, ends)


def test_quota_leaves_what_was_not_used():
    quota = rules.Quota("person", "day", files=10, gigabytes=2.0)
    left = rules.left(quota, 4, 1_500_000_000, NOW)
    assert (left.files, left.gigabytes) == (6, 0.5)
    assert left.allows(6, 500_000_000)
    assert not left.allows(7, 0)
    assert not left.allows(1, 500_000_001)
    assert rules.left(quota, 99, 9_000_000_000, NOW).files == 0


def test_quotas_hold_from_their_day_to_their_day():
    quota = rules.Quota("person", "day", 1, None, dt.date(2026, 1, 1), dt.date(2026, 12, 31))
    days = [dt.date(2025, 12, 31), dt.date(2026, 1, 1), dt.date(2026, 12, 31), dt.date(2027, 1, 1)]
    assert [quota.holds(day) for day in days] == [False, True, True, False]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"scope": "everyone", "period": "day", "files": 1}, "scope"),
        ({"scope": "person", "period": "day"}, "files, gigabytes"),
        ({"scope": "person", "period": "day", "files": -1}, "files"),
        ({"scope": "person", "period": "day", "files": True}, "files"),
        ({"scope": "person", "period": "day", "files": 1, "starts": "soon"}, "starts"),
    ],
)
def test_wrong_quota_is_named_with_what_is_expected(entry, said):
    with pytest.raises(ValueError, match=rf"quota 2: .*{said}"):
        rules.parse_quotas([{"scope": "person", "period": "day", "files": 1}, entry])


def test_shipped_licence_is_read_and_says_that_it_is_a_model():
    (one,) = licences.parse(licences.MODEL.read_text(encoding="utf-8"))
    assert one.model
    assert set(one.uses) == set(licences.USES)


def test_wrong_licence_is_named():
    with pytest.raises(ValueError, match="licence 1: give"):
        licences.parse("- licence: x\n")


LINKS = [
    formats.Link("https://h/a.tif", "https://h/a.tif?X=1&S='q'", "a'b.tif", "Bègles <1>", True),
    formats.Link("https://h/m.xml", "https://h/m.xml?X=2", "m.xml", "Metadata", False),
]


def test_each_form_holds_every_link_as_its_tool_reads_it():
    assert formats.plain(LINKS).splitlines() == [link.href for link in LINKS]
    assert formats.aria2(LINKS).splitlines()[1] == "  out=a'b.tif"
    assert LINKS[0].href in shlex.split(formats.wget(LINKS).splitlines()[3].replace(";", " "))
    assert [shlex.split(line)[1] for line in formats.gdal(LINKS).splitlines()] == [f"/vsicurl/{LINKS[0].href}"]
    layers = ET.fromstring(formats.qgis(LINKS).split("\n", 1)[1]).findall("maplayers/maplayer")
    assert [layer.findtext("datasource") for layer in layers] == [f"/vsicurl/{LINKS[0].href}"]
    assert [layer.findtext("layername") for layer in layers] == ["Bègles <1>"]


def test_python_script_holds_no_signed_link():
    text = formats.python([(link.url, link.name) for link in LINKS])
    compile(text, "telecharger.py", "exec")
    assert all(link.url in text and link.href not in text for link in LINKS)


@pytest.mark.parametrize(
    ("signable", "step", "accepted", "way"),
    [(True, "ready", True, "signed"), (True, "licence", True, None), (True, "log_in", False, None),
     (False, "log_in", True, "open"), (False, "ready", False, None), (False, "account", True, "open")],
)  # fmt: skip
def test_who_sees_an_image_on_the_map(signable, step, accepted, way):
    assert rules.preview(signable, step, accepted) == way
