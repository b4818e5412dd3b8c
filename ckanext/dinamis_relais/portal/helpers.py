"""Template helpers that every page of the relay uses: rights, words, dates, sizes, pages of a list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import ckan.plugins.toolkit as tk
from babel import dates, numbers
from ckan import model
from flask import current_app
from markupsafe import Markup

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.authority import Rights
from ckanext.dinamis_relais.dates import in_words
from ckanext.dinamis_relais.portal import labels
from ckanext.dinamis_relais.portal.words import translator, words

__all__ = [
    "dinamis_actor_label",
    "dinamis_address",
    "dinamis_can",
    "dinamis_contact",
    "dinamis_date",
    "dinamis_datetime",
    "dinamis_day",
    "dinamis_event_groups",
    "dinamis_event_label",
    "dinamis_file",
    "dinamis_moderation_menu",
    "dinamis_number",
    "dinamis_object_label",
    "dinamis_origin_label",
    "dinamis_pages",
    "dinamis_queue_keys",
    "dinamis_refusal_reasons",
    "dinamis_role_label",
    "dinamis_sending_label",
    "dinamis_signal",
    "dinamis_size",
    "dinamis_state_badge",
    "dinamis_state_label",
    "dinamis_states",
    "dinamis_transition_label",
    "dinamis_translator",
    "dinamis_url",
    "dinamis_user_label",
]


#: What all pages' look and keys are made of.
PAGES = Path(__file__).resolve().parent.parent / "public" / "dinamis-pages"


def _user() -> model.User | None:
    user = tk.current_user
    return None if user.is_anonymous else user._get_current_object()  # type: ignore[attr-defined]  # werkzeug's proxy


def _rights() -> Rights:
    """The present user's rights, read once a request: a page of rows asks them many times."""
    user = _user()
    known = tk.g.get("dinamis_rights")
    if known is None or known[0] is not user:
        known = tk.g.dinamis_rights = (user, Rights(user))
    return known[1]


def _locale() -> str:
    return _short(tk.h.lang())


@lru_cache(maxsize=64)
def _short(language: str | None) -> str:
    return str(language or "fr").replace("-", "_").split("_")[0]


def _moment(value: str | dt.datetime) -> dt.datetime:
    """A time in the site's display time zone; without a zone it is UTC, as all that we store."""
    if isinstance(value, str):
        value = dt.datetime.fromisoformat(value.replace("Z", "+00:00"))
    moment = value if value.tzinfo else value.replace(tzinfo=dt.timezone.utc)
    return moment.astimezone(tk.h.get_display_timezone())


def dinamis_address(endpoint: str) -> Callable[[str], str]:
    """What makes the address of the page of one thing from its id, as ``h.url_for``: asked once by a page of rows.

    :param endpoint: whose address has one variable part, ``id``
    """
    before, after = tk.h.url_for(endpoint, id="ID-OF-THE-THING").split("ID-OF-THE-THING")
    return lambda id: f"{before}{quote(id, safe='')}{after}"


def dinamis_url(endpoint: str, id: str) -> str:
    """Address of the page of one thing, as ``h.url_for``: made once a request and page, filled in for each row.

    :param endpoint: whose address has one variable part, ``id``
    """
    known = tk.g.setdefault("dinamis_urls", {})
    key = (endpoint, tk.request.environ.get("CKAN_LANG"))
    if key not in known:
        known[key] = dinamis_address(endpoint)
    return known[key](id)


def dinamis_can(verb: str, organization_id: str | None = None) -> bool:
    """Whether the present user holds a verb (``authority.VERBS``)."""
    return _rights().can(verb, organization_id)


def dinamis_date(value: str | dt.date | None) -> str:
    """A date in full, in the page's language: ``12 juillet 2023``; empty for none.

    :param value: RFC 3339 time, in the display time zone then; or a plain date, which has no zone
    """
    if not value:
        return ""
    if isinstance(value, str) and len(value) == len("2023-07-12"):
        value = dt.date.fromisoformat(value)
    day = _moment(value).date() if isinstance(value, (str, dt.datetime)) else value
    return _long_date(day, _locale())


@lru_cache(maxsize=4096)
def _long_date(day: dt.date, locale: str) -> str:
    return in_words(day, "long", locale)


def dinamis_datetime(value: str | dt.datetime | None) -> str:
    """A date and time in full, in the display time zone: ``12 juillet 2023 à 12:34``; empty for none."""
    if not value:
        return ""
    moment = _moment(value)
    time = dates.format_time(moment, "short", locale=_locale())
    return tk._("{date} at {time}").format(date=dinamis_date(moment), time=time)


def dinamis_day(value: str | dt.datetime | None = None) -> str:
    """The day of a moment in the display time zone as a form's field of a date holds it (ISO 8601); today for none."""
    return _moment(value or dt.datetime.now(dt.timezone.utc)).date().isoformat()


def dinamis_contact() -> str:
    """The super-référent's address, for who wants to join or to ask."""
    return config.contact_email()


def dinamis_file(name: str) -> str:
    """Address of a file of ``public/dinamis-pages``, another one when the file changes, so that browsers keep it.

    CKAN's bundles say it too, but look at all that makes a bundle for each page.
    """
    path = PAGES / name
    return f"{tk.h.url_for_static(f'/{PAGES.name}/{name}')}?{_version(path, path.stat().st_mtime_ns)}"


@lru_cache(maxsize=64)
def _version(path: Path, _changed: int) -> str:
    return sha256(path.read_bytes()).hexdigest()[:12]


def dinamis_number(value: float, digits: int = 0) -> str:
    """A number as it is written in the page's language."""
    group, point = _separators(_locale())
    # Babel's own way takes twenty times as long, and a page of figures has hundreds of numbers.
    if isinstance(value, int) or not digits:
        return f"{round(value):,}".replace(",", group)
    # With nought added, no nought has a sign.
    text = f"{round(value, digits) + 0:,.{digits}f}"
    whole, _point, fraction = text.partition(".")
    fraction = fraction.rstrip("0")
    return whole.replace(",", group) + (point + fraction if fraction else "")


@lru_cache(maxsize=16)
def _separators(locale: str) -> tuple[str, str]:
    """What stands between thousands, and before the decimals."""
    return numbers.get_group_symbol(locale), numbers.get_decimal_symbol(locale)


def dinamis_size(size: int | None) -> str:
    """A size in bytes as people read it: ko, Mo, Go (kB, MB, GB in English)."""
    if size is None:
        return tk._("unknown size")
    units = ("o", "ko", "Mo", "Go", "To") if _locale() == "fr" else ("B", "kB", "MB", "GB", "TB")
    amount, power = float(size), 0
    while round(amount) >= 1000 and power < len(units) - 1:
        amount, power = amount / 1000, power + 1
    return f"{dinamis_number(amount, 0 if amount >= 10 or not power else 1)} {units[power]}"


def dinamis_state_label(kind: str, state: str) -> str:
    """A state in words."""
    return words(labels.states).get(kind, {}).get(state, (state, ""))[0]


def dinamis_states(kind: str) -> dict[str, tuple[str, str]]:
    """All states of a kind of thing: state → (in words, Bootstrap classes of its badge); for a page of rows."""
    return words(labels.states)[kind]


def dinamis_state_badge(kind: str, state: str) -> str:
    """Bootstrap classes of a state's badge."""
    return words(labels.states).get(kind, {}).get(state, ("", "text-bg-secondary"))[1]


def dinamis_transition_label(kind: str, name: str) -> str:
    """A transition as its button says it."""
    return words(labels.transitions).get(kind, {}).get(name, name)


def dinamis_translator() -> Callable[..., Markup]:
    """``_`` for a page of many words: ``{% set _ = h.dinamis_translator() %}`` at its template's top."""
    return translator()


def dinamis_event_label(event: str) -> str:
    """A journal event in words."""
    return words(labels.events).get(event, event)


def dinamis_event_groups() -> list[tuple[str, list[tuple[str, str]]]]:
    """Journal events by kind of thing: (kind, [(event, label)]); an event's name begins with its kind."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for event, label in words(labels.events).items():
        groups.setdefault(event.partition(".")[0], []).append((event, label))
    return list(groups.items())


def dinamis_role_label(role: str) -> str:
    """A role in words."""
    return words(labels.roles).get(role, role)


def dinamis_object_label(kind: str) -> str:
    """A kind of thing, as the journal and the deliveries name it, in words."""
    return words(labels.objects).get(kind, kind)


def dinamis_sending_label(kind: str) -> str:
    """What is in a grouped mail of a kind, in words."""
    return words(labels.sendings).get(kind, kind)


def dinamis_origin_label(origin: str) -> str:
    """Who entered an account, in words."""
    return words(labels.origins).get(origin, origin)


def dinamis_signal(signal: dict[str, Any]) -> str:
    """What helps to decide on a request, as a sentence.

    :param signal: ``{"kind", "values"}`` of ``dinamis_account_list``
    """
    return words(labels.signals)[signal["kind"]].format(**signal["values"])


def dinamis_refusal_reasons() -> list[str]:
    """Ready reasons of a refusal."""
    return labels.refusal_reasons()


def dinamis_actor_label(actor: str, name: str = "") -> str:
    """Who acted: a person's name, or the words for one who is no user."""
    return words(labels.actors).get(actor) or name or actor


def dinamis_user_label(user_id: str) -> str:
    """A user's full name, or their name; empty for one who is gone."""
    user = model.User.get(user_id)
    return (user.fullname or user.name) if user else ""


def dinamis_moderation_menu() -> list[tuple[str, str, str]]:
    """Pages of the super-référent that this site has: (address, label, ``aria-current``).

    ``aria-current`` is ``page`` on the page itself, ``true`` on a page below it, else empty.
    """
    home, rules = "dinamis_portal.home", current_app.url_map
    # What stands before a page's own path (the site's root, the language) is the same for all: asked of one of them.
    front = tk.h.url_for(home).removesuffix(next(rules.iter_rules(home)).rule)
    here, path, known, menu = tk.request.endpoint, tk.request.path, current_app.view_functions, []
    for number, (endpoint, label) in enumerate(words(labels.moderation_menu)):
        if endpoint not in known:
            continue
        rule = next(rules.iter_rules(endpoint)).rule
        # The first page's address begins all the others'.
        below = number > 0 and path.startswith(f"{rule}/")
        menu.append((front + rule, label, "page" if here == endpoint else "true" if below else ""))
    return menu


def dinamis_queue_keys() -> tuple[tuple[str, str], ...]:
    """Keys of the queue of accounts: (key, what it does)."""
    return words(labels.queue_keys)


def dinamis_pages(count: int, page_size: int) -> list[dict[str, Any]]:
    """Pages of a list: first, last and those around the present one, each with its address."""
    args = tk.request.args.to_dict(flat=True)
    number = args.get("page", "1")
    last = max(1, -(-count // page_size))
    present = min(int(number), last) if number.isdecimal() else 1
    shown = sorted({1, last, *range(max(1, present - 2), min(last, present + 2) + 1)})
    pages: list[dict[str, Any]] = []
    for before, page in zip([0, *shown], shown, strict=False):
        if page > before + 1:
            pages.append({"label": "…", "url": None, "current": False})
        url = f"{tk.request.path}?{urlencode({**args, 'page': page})}"
        pages.append({"label": str(page), "url": url, "current": page == present})
    return pages
