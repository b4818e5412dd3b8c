"""Dates, sizes and words as the pages say them."""

from __future__ import annotations

import datetime as dt
import os

import ckan.plugins.toolkit as tk
import pytest
from babel.numbers import format_decimal
from flask_babel import force_locale
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ckanext.dinamis_relais.accounts.rules import MACHINE as ACCOUNT
from ckanext.dinamis_relais.authority import GRANTED
from ckanext.dinamis_relais.dates import in_words
from ckanext.dinamis_relais.gateway.delivery import targets
from ckanext.dinamis_relais.journal.rules import Event
from ckanext.dinamis_relais.membership.machines import APPLICATION, MEMBERSHIP
from ckanext.dinamis_relais.portal import helpers, labels

pytestmark = pytest.mark.usefixtures("with_plugins", "with_request_context")


DATES = [
    ("2023-07-12", "America/Cayenne", "12 juillet 2023"),
    (dt.date(2023, 7, 12), "America/Cayenne", "12 juillet 2023"),
    ("2023-07-12T23:30:00Z", "Europe/Paris", "13 juillet 2023"),
    ("2023-07-12T23:30:00Z", "UTC", "12 juillet 2023"),
    (dt.datetime(2023, 7, 12, 23, 30), "Europe/Paris", "13 juillet 2023"),
    ("", "UTC", ""),
    (None, "UTC", ""),
]
SIZES = {
    0: "0 o", 999: "999 o", 1000: "1 ko", 1_500_000: "1,5 Mo", 999_499: "999 ko", 999_950: "1 Mo",
    212_000_000_000: "212 Go",
}  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.floats(-1e12, 1e12) | st.integers(-(10**18), 10**18), st.integers(0, 3))
def test_a_number_is_written_as_babel_writes_it(app, value, digits):
    rounded = (round(value, digits) or 0) if digits else round(value)
    for locale in ("fr", "en"):
        with app.flask_app.test_request_context(environ_overrides={"CKAN_LANG": locale}):
            assert helpers.dinamis_number(value, digits) == format_decimal(rounded, locale=locale)


def test_dates_times_and_sizes_as_people_read_them(ckan_config, monkeypatch):
    # Each test of a page costs a whole CKAN: hence one for the table.
    for value, zone, expected in DATES:
        monkeypatch.setitem(ckan_config, "ckan.display_timezone", zone)
        assert helpers.dinamis_date(value) == expected, (value, zone)
    for zone, hour in (("Europe/Paris", "14:34"), ("UTC", "12:34"), ("server", "juillet 2023")):
        monkeypatch.setitem(ckan_config, "ckan.display_timezone", zone)
        assert hour in helpers.dinamis_datetime("2023-07-12T12:34:00Z")
    assert helpers.dinamis_datetime(None) == ""
    for size, expected in SIZES.items():
        assert helpers.dinamis_size(size) == expected


@given(count=st.integers(0, 10_000), asked=st.text(max_size=25) | st.integers().map(str))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_of_a_list_whatever_the_address_asks(app, count, asked):
    with app.flask_app.test_request_context("/dinamis/moderation/journal", query_string={"page": asked, "q": "role."}):
        pages = helpers.dinamis_pages(count, 25)
    numbers = [int(page["label"]) for page in pages if page["url"]]
    assert numbers == sorted(set(numbers))
    assert (numbers[0], numbers[-1]) == (1, max(1, -(-count // 25)))
    assert sum(page["current"] for page in pages) <= 1
    assert all("q=role." in page["url"] for page in pages if page["url"])


def test_a_page_says_what_jinja_s_own_translations_say(app):
    # What is remembered of one language must not come into another's page, nor lose Jinja's formats and escapes.
    texts = ["At most {value} %%", "Accounts", "Search", "no such <b>text</b> &", "over {place}"]
    both = "{% autoescape true %}{% for t in texts %}{{ X(t) }};{{ X(t).format(value=y, place=y) }};{% endfor %}"
    both += "{{ X('%(who)s & co', who=y) }}{% endautoescape %}"
    answers = {}
    for locale in ("fr", "en", "fr"):
        with app.flask_app.test_request_context(), force_locale(locale):
            known = {"texts": texts, "y": "<i>5", "translated": helpers.dinamis_translator()}
            made = app.flask_app.jinja_env.from_string
            own, ours = (made(both.replace("X", name)).render(known) for name in ("_", "translated"))
        assert ours == own
        answers[locale] = ours
    assert "Comptes" in answers["fr"] and "Accounts" in answers["en"]
    assert "&lt;i&gt;5 %;" in answers["en"] and "<b>text</b>" in answers["en"]


def test_a_page_s_file_has_another_address_when_it_changes(app, monkeypatch, tmp_path):
    for name in ("dinamis.css", "queue.js"):
        assert app.get(helpers.dinamis_file(name)).body == (helpers.PAGES / name).read_text()
    monkeypatch.setattr(helpers, "PAGES", tmp_path)
    said = []
    for content, changed in (("a", 1), ("b", 2), ("a", 3)):
        (tmp_path / "look.css").write_text(content)
        os.utime(tmp_path / "look.css", (changed, changed))
        said.append(helpers.dinamis_file("look.css"))
    assert said[0] == said[2] != said[1]


@pytest.mark.parametrize("root", ["", "/portail/{{LANG}}"])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_menu_and_rows_lead_where_url_for_leads(app, ckan_config, monkeypatch, root, language):
    # Both make many addresses of one: whatever CKAN puts before a page's path must be in them.
    monkeypatch.setitem(ckan_config, "ckan.root_path", root)
    site = {"CKAN_LANG": language, "CKAN_LANG_IS_DEFAULT": language == "fr"}
    here = "/dinamis/moderation/journal"
    for script in ("", "/sous"):
        overrides = {**site, "SCRIPT_NAME": script}
        tk.g.pop("dinamis_urls", None)  # the fixture's own request lasts on, with what it remembers
        with app.flask_app.test_request_context(here, environ_overrides=overrides):
            menu = helpers.dinamis_moderation_menu()
            expected = [tk.h.url_for(endpoint) for endpoint, _words in labels.moderation_menu()]
            assert [address for address, _label, _place in menu] == expected
            assert [place for _address, _label, place in menu if place] == ["page"]
            address = helpers.dinamis_address("dinamis_accounts.read")
            for id_ in ("a-b", "é ?", "ID"):
                assert address(id_) == tk.h.url_for("dinamis_accounts.read", id=id_)
                assert helpers.dinamis_url("dinamis_accounts.read", id_) == address(id_)


def test_every_state_transition_event_role_and_target_has_words():
    for machine in (APPLICATION, MEMBERSHIP, ACCOUNT):
        assert set(machine.states) <= set(labels.states()[machine.name])
        assert set(machine.transitions) <= set(labels.transitions()[machine.name])
    assert {event.value for event in Event} == set(labels.events())
    assert {role.value for role in GRANTED} <= set(labels.roles())
    assert {target.name for target in targets()} <= set(labels.objects())
    assert {kind for kind, _events in helpers.dinamis_event_groups()} <= set(labels.objects())


def test_a_misspelt_right_in_a_template_is_an_error():
    with pytest.raises(KeyError):
        tk.h.dinamis_can("moderation.opne")


def test_the_first_of_a_month_has_its_french_ordinal():
    first = dt.date(2023, 5, 1)
    assert in_words(first, "long", "fr") == "1er mai 2023"
    assert in_words(first, "full", "fr") == "lundi 1er mai 2023"
    assert in_words(first, "long", "en") == "May 1, 2023"
    assert in_words(dt.date(2023, 5, 11), "long", "fr") == "11 mai 2023"
