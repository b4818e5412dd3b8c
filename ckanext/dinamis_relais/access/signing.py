"""Signing for one person, with their own login: rights, licence, quota, then the service, then the journal.

Three transactions at most, none open while the service is asked: places in the quotas are taken, the links are
fetched, what came is written down. Unless there is a quota to keep, the files of later addresses are looked up in the
catalogue while the service is asked for the first ones; when one of them turns out wrong, nothing is handed out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan.types import Context, DataDict

from ckanext.dinamis_relais import accounts, config, copying
from ckanext.dinamis_relais.access import catalogue, handed, licences, links, quotas, rules
from ckanext.dinamis_relais.access.catalogue import File
from ckanext.dinamis_relais.access.identity import person
from ckanext.dinamis_relais.access.model import Download, IdentityLink
from ckanext.dinamis_relais.access.outcome import link_again, said
from ckanext.dinamis_relais.access.service import Links, NeedsLoginError
from ckanext.dinamis_relais.authority import user_of
from ckanext.dinamis_relais.db import isoformat, new_id, session, utcnow
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.machine import GuardError
from ckanext.dinamis_relais.schema import list_schema, listed, validated
from ckanext.dinamis_relais.transaction import one_commit
from ckanext.dinamis_relais.use_cases.rules import THEMES

#: Addresses that are looked up in the catalogue at once: ten calls to the service.
_LOOKED_UP = 10 * rules.MOST_URLS_A_CALL


@dataclass
class _Plan:
    """One call: what is wanted, what is known, what has to be asked for.

    :ivar accepted: licences that the person accepted, as :func:`licences.accepted`
    :ivar files: of the addresses that were looked up so far
    """

    user_id: str
    organization_id: str
    link_id: str
    urls: list[str]
    known: dict[str, tuple[str, dt.datetime]]
    seconds: int | None
    accepted: set[tuple[str, str]]
    theme: str | None
    files: dict[str, File] = field(default_factory=dict)
    call_id: str | None = None

    @property
    def wanting(self) -> list[str]:
        return [url for url in self.urls if url not in self.known]

    def look_up(self) -> Iterator[list[str]]:
        """Find the files, some at a time.

        :returns: those addresses among them that have to be asked for
        :raises toolkit.ValidationError: ``urls`` or ``licence``
        """
        for part in rules.chunks(self.urls, _LOOKED_UP):
            found = _files(part)
            _licensed({file.collection for file in found.values()}, self.accepted)
            self.files |= found
            yield [url for url in part if url not in self.known]

    def calls(self) -> Iterator[list[str]]:
        """Addresses for one call to the service after the other, looking up as it goes what was not looked up yet."""
        ready: list[str] = []
        for part in [self.wanting] if self.files else self.look_up():
            ready += part
            whole = len(ready) - len(ready) % rules.MOST_URLS_A_CALL
            yield from rules.chunks(ready[:whole])
            del ready[:whole]
        yield from rules.chunks(ready)


def dinamis_asset_sign(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Links to files of the catalogue, signed for oneself with one's own DINAMIS login.

    Answers like the signing service's ``POST /sign_urls``, so that a script can use it with a CKAN API token. Calls
    the service with at most 64 addresses at a time; hands the same link out again while more than 1,800 s of it are
    left: that counts as no second download, and what the first was for stays. A link is a secret of the person: whoever
    holds it downloads.

    :param urls: 1 to 6,400 addresses of assets, as the catalogue gives them
    :param duration_seconds: how long the links shall live, at most six days; none for the service's own choice
    :param organization_id: for which of one's organisations; none for the first
    :param theme: what the files are for, for the figures: a theme of the use cases (``planning``, ``forest``,
        ``agriculture``, ``coast``, ``water``, ``risks``, ``biodiversity``, ``climate``, ``other``); none: not told
    :returns: ``{"expiry", "hrefs"}``: the earliest end (RFC 3339, UTC), and address → signed link
    :raises toolkit.ValidationError: ``urls``, ``theme``, ``account``, ``licence``, ``identity``, ``quota`` or
        ``service``, each with what to do
    """
    tk.check_access("dinamis_asset_sign", context, data_dict)
    user_id = person(context).id
    urls, seconds, theme = _asked(data_dict)
    with one_commit():
        plan = _plan(user_id, str(data_dict.get("organization_id") or ""), urls, seconds, theme)
    sealing, lines = handed.Sealing(), _Lines(plan)
    fetched = _fetch(plan, (sealing.add,) if plan.call_id else (sealing.add, lines.add))
    with one_commit():
        _write_down(plan, fetched, lines)
    sealing.keep(plan.link_id)
    found = plan.known | fetched
    return {
        "expiry": isoformat(min(expiry for _, expiry in found.values())),
        "hrefs": {url: found[url][0] for url in urls},
    }


def _asked(data_dict: DataDict) -> tuple[list[str], int | None, str | None]:
    urls, seconds = data_dict.get("urls"), data_dict.get("duration_seconds")
    if not isinstance(urls, list) or not 0 < len(urls) <= rules.MOST_URLS or not all(isinstance(u, str) for u in urls):
        text = tk._("urls: give a list of 1 to {number} addresses.").format(number=rules.MOST_URLS)
        raise tk.ValidationError({"urls": [text]})
    hosts = config.signing_hosts()
    elsewhere = rules.first_elsewhere(urls, hosts)
    if elsewhere is not None:
        text = tk._("urls: only files on {hosts} are signed; {url} is elsewhere.")
        raise tk.ValidationError({"urls": [text.format(hosts=", ".join(sorted(hosts)), url=elsewhere[:200])]})
    if seconds is not None and (
        isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 < seconds <= rules.LONGEST_SECONDS
    ):
        text = tk._("duration_seconds: give a whole number from 1 to {number}.").format(number=rules.LONGEST_SECONDS)
        raise tk.ValidationError({"duration_seconds": [text]})
    return list(dict.fromkeys(urls)), seconds, _theme(data_dict.get("theme"))


def _theme(asked: Any) -> str | None:
    """What the files are for; None when it is not told."""
    if asked in (None, ""):
        return None
    if not isinstance(asked, str) or asked not in THEMES:
        text = tk._("theme: use one of {names}, or leave it out.").format(names=", ".join(THEMES))
        raise tk.ValidationError({"theme": [text]})
    return asked


def _files(urls: list[str]) -> dict[str, File]:
    found = catalogue.of_urls(urls)
    unknown = next((url for url in urls if url not in found), None)
    if unknown is not None:
        text = tk._("urls: {url} is no file of this catalogue. Copy the address from a scene's page or from STAC.")
        raise tk.ValidationError({"urls": [text.format(url=unknown[:200])]})
    return {url: found[url] for url in urls}


def organization_of(user_id: str, wanted: str = "") -> str:
    """The organisation for which a person downloads.

    :param wanted: id of one of theirs; empty for the first
    :raises GuardError: no active account there
    """
    own = accounts.active_organizations(user_id)
    if wanted and wanted in own:
        return wanted
    if wanted or not own:
        text = tk._("You need an active DINAMIS account first: your page says where yours stands, and what is missing.")
        raise GuardError("account", text)
    return own[0]


def _plan(user_id: str, wanted: str, urls: list[str], seconds: int | None, theme: str | None) -> _Plan:
    """All that can be said before the catalogue is searched; takes the places in the quotas, when there are any.

    :raises GuardError: what is missing
    """
    organization_id = organization_of(user_id, wanted)
    link = links.of(user_id)
    if link is None:
        text = tk._("Link your DINAMIS login first: {page}")
        raise GuardError("identity", text.format(page=tk.url_for("dinamis_identity.show", qualified=True)))
    if link.refused_at is not None:
        raise GuardError("identity", link_again())
    # A longer life than usual is a wish for a new link.
    known = {} if seconds else handed.known(link.id, urls)
    plan = _Plan(user_id, organization_id, link.id, urls, known, seconds, licences.accepted(user_id), theme)
    if quotas.in_force():
        plan.call_id = _reserve(plan)
    return plan


def _licensed(collections: set[str], accepted: set[tuple[str, str]]) -> None:
    """See that the person accepted the licences of all collections.

    :raises toolkit.ValidationError: ``licence``, with the page to do it
    """
    try:
        lacking = licences.lacking(collections, accepted)
    except GuardError as error:
        raise tk.ValidationError({error.field: [str(error)]}) from error
    if lacking:
        page = tk.url_for("dinamis_licences.show", licence=lacking[0].licence, qualified=True)
        text = tk._("Read and accept the licence of the images first: {page}").format(page=page)
        raise tk.ValidationError({"licence": [text]})


def _reserve(plan: _Plan) -> str | None:
    """Take the places in the quotas; without a quota there are none to take, and the files are written once, signed."""
    wanting = [url for part in plan.look_up() for url in part]
    if not wanting:
        return None
    size = sum(plan.files[url].bytes or 0 for url in wanting)
    quotas.check(plan.user_id, plan.organization_id, len(wanting), size)
    lines = _Lines(plan, signed=False)
    lines.add(wanting)
    return lines.write()


class _Lines:
    """Rows of :class:`Download` for one call, put into words while the service is asked for the other links.

    :param signed: whether a link came; else the row holds a place in the quotas
    """

    _SAME = ("call_id", "user_id", "organization_id", "theme", "created_at", "signed_at")
    _OWN = ("collection", "item_id", "asset_key", "bytes")

    def __init__(self, plan: _Plan, signed: bool = True):
        now = utcnow()
        self.call_id = new_id()
        same = (self.call_id, plan.user_id, plan.organization_id, plan.theme, now, now if signed else None)
        self._same, self._plan, self._rows = copying.line(same)[:-1], plan, list[str]()

    def add(self, urls: Iterable[str]) -> None:
        """Note some addresses; may be called by several threads."""
        files, escaped, same = self._plan.files, copying.escaped, self._same
        found = [files[url] for url in urls]
        self._rows.extend([
            f"{same}\t{escaped(f.collection)}\t{escaped(f.item_id)}\t{escaped(f.key)}\t"
            f"{copying.NULL if f.bytes is None else f.bytes}\n"
            for f in found
        ])  # fmt: skip

    def write(self) -> str:
        """Write them in the present transaction; returns what the call's rows have in common."""
        # Thousands of rows: an INSERT costs twice as much.
        rows = "".join(self._rows).encode()
        copying.copy(session().connection(), Download.__tablename__, self._SAME + self._OWN, rows)
        return self.call_id


def _fetch(plan: _Plan, each: tuple[Callable[[Links], None], ...]) -> Links:
    """The links that are not known yet. On any failure the places in the quotas are given back.

    :param each: called with the links of each call as they come, by several threads
    """
    if not plan.wanting:
        list(plan.calls())  # none; but the files are looked up
        return {}
    client = links.service()

    def came(found: Links) -> None:
        for one in each:
            one(found)

    try:
        with said():
            headers = links.headers(plan.user_id, client)
            return client.sign(plan.calls(), headers, plan.seconds, came)
    except tk.ValidationError as error:
        _give_back(plan.call_id)
        if isinstance(error.__cause__, NeedsLoginError):
            links.refused(plan.user_id, plan.link_id)
        raise
    except BaseException:
        _give_back(plan.call_id)
        raise


def _under_way(call_id: str) -> Any:
    return sa.and_(Download.call_id == call_id, Download.signed_at.is_(None))


def _give_back(call_id: str | None) -> None:
    session().rollback()
    if call_id is None:
        return
    session().execute(sa.delete(Download).where(_under_way(call_id)).execution_options(synchronize_session=False))
    session().commit()


def _write_down(plan: _Plan, fetched: Links, lines: _Lines) -> None:
    """Note what is handed out, in the journal too: who, which scenes, how many bytes; never a link."""
    if accounts.active_organizations(plan.user_id, locked=True) == []:
        raise GuardError("account", tk._("Your account was suspended meanwhile. Your page says why."))
    now = utcnow()
    quiet = {"synchronize_session": False}
    if plan.call_id:
        session().execute(sa.update(Download).where(_under_way(plan.call_id)).values(signed_at=now)
                          .execution_options(**quiet))  # fmt: skip
    elif fetched:
        lines.write()
    session().execute(sa.update(IdentityLink).where(IdentityLink.user_id == plan.user_id).values(used_at=now)
                      .execution_options(**quiet))  # fmt: skip
    scenes: dict[str, list[str]] = {}
    for file in plan.files.values():
        scenes.setdefault(f"{file.collection}/{file.item_id}", []).append(file.key)
    sizes = [plan.files[url].bytes for url in fetched]
    record(Event.IMAGES_SIGNED, plan.user_id, "images", plan.user_id, plan.organization_id, scenes=scenes,
           files=len(plan.files), new=len(fetched), bytes=sum(size or 0 for size in sizes),
           sizes_unknown=sizes.count(None))  # fmt: skip


@tk.side_effect_free
def dinamis_download_rights(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Whether one may download, and if not, the one thing to do next.

    :param collection: of the images
    :returns: ``{"step", "licence", "quotas", "theme"}``: ``step`` is ``log_in``, ``account``, ``charter``, ``licence``,
        ``identity``, ``identity_refused`` or ``ready``; ``licence`` that of the collection, or None; ``quotas`` what
        each leaves; ``theme`` what one's last download was for, None when it was not told
    """
    tk.check_access("dinamis_download_rights", context, data_dict)
    user = user_of(context)
    collection = str(data_dict.get("collection") or "")
    one = licences.of_collection(collection) if collection else None
    have = licences.accepted(user.id) if user else set()
    licence = licences.as_dict(one, have) if one else None
    if user is None:
        return {"step": "log_in", "licence": licence, "quotas": [], "theme": None}
    own = accounts.active_organizations(user.id)
    step = _step(user.id, own, licence)
    return {
        "step": step,
        "licence": licence,
        "quotas": [quotas.as_dict(left) for left in quotas.left(user.id, own[0])] if own else [],
        "theme": _last_theme(user.id) if step == "ready" else None,
    }


def _last_theme(user_id: str) -> str | None:
    """What a person's last download was for, to be proposed for the next; None when it was not told."""
    query = sa.select(Download.theme).where(Download.user_id == user_id, Download.signed_at.is_not(None))
    found = session().execute(query.order_by(Download.signed_at.desc()).limit(1)).scalar()
    return found if found in THEMES else None


def _step(user_id: str, own: list[str], licence: dict[str, Any] | None) -> str:
    if not own:
        return "account"
    link = links.of(user_id)
    if link is None:
        return "identity"
    if link.refused_at is not None:
        return "identity_refused"
    return "licence" if licence and not licence["accepted"] else "ready"


@tk.side_effect_free
def dinamis_download_list(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """The files that were handed out to oneself, newest first.

    :param limit: rows
    :param offset: rows to skip
    :returns: ``{"count", "results"}``, each ``collection, item_id, asset_key, bytes, theme, signed_at, url``; ``url``
        is the address that gives the file again, for the same, while one may have it
    """
    tk.check_access("dinamis_download_list", context, data_dict)
    params = validated(dict(data_dict), list_schema(), context)
    query = sa.select(Download).where(Download.user_id == person(context).id, Download.signed_at.is_not(None))
    return listed(query, params, [Download.signed_at.desc(), Download.id], as_dict)


def as_dict(row: Download) -> dict[str, Any]:
    """A file that was handed out."""
    return {
        "collection": row.collection, "item_id": row.item_id, "asset_key": row.asset_key, "bytes": row.bytes,
        "theme": row.theme, "signed_at": isoformat(row.signed_at),
        "url": tk.url_for("dinamis_files.asset", collection=row.collection, item_id=row.item_id, key=row.asset_key,
                          theme=row.theme),
    }  # fmt: skip
