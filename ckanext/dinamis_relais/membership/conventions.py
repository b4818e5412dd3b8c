"""The existing conventions of PIGMA's partners: a file of them, read row by row, told before it is entered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.types import Context

from ckanext.dinamis_relais import batch
from ckanext.dinamis_relais.authority import actor_of
from ckanext.dinamis_relais.batch.rules import INVALID, UNCHANGED, WAITING
from ckanext.dinamis_relais.batch.tables import Line, fold
from ckanext.dinamis_relais.batch.uploads import go_on, table_of
from ckanext.dinamis_relais.db import isoformat, new_id, session, utcnow
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.machine import GuardError
from ckanext.dinamis_relais.membership import convention_rules as rules
from ckanext.dinamis_relais.membership.applications import Data, _slug
from ckanext.dinamis_relais.membership.model import Application, Convention
from ckanext.dinamis_relais.transaction import one_commit

#: Fields of a convention that a file gives.
FIELDS = ("number", "signed_on", "siren", "category", "territory_kind", "territory_code", "territory_name", "office",
          "email", "representative")  # fmt: skip
#: Field → public descriptor of the organisation.
PUBLIC = {"siren": "dinamis_siren", "territory_kind": "dinamis_territory_kind",
          "territory_code": "dinamis_territory_code", "office": "dinamis_referent_office"}  # fmt: skip


@dataclass
class Known:
    """What the site has, read once for a whole file.

    :ivar conventions: number → convention
    :ivar by_siren: SIREN → organisation's id
    :ivar by_name: folded title or name → (organisation's id, its SIREN if known)
    :ivar held: organisation's id → number of its convention
    """

    conventions: dict[str, Convention]
    by_siren: dict[str, str]
    by_name: dict[str, tuple[str, str]]
    held: dict[str, str]


def known() -> Known:
    """Read it."""
    db = session()
    conventions = {row.number: row for row in db.execute(sa.select(Convention)).scalars()}
    sirens = {row.organization_id: row.siren for row in conventions.values() if row.siren}
    files = sa.select(Application.organization_id, Application.siren).where(Application.siren != "")
    sirens.update(dict(db.execute(files.order_by(Application.created_at)).all()))
    query = sa.select(model.Group.id, model.Group.name, model.Group.title)
    query = query.where(model.Group.is_organization.is_(True), model.Group.state == "active")
    names: dict[str, tuple[str, str]] = {}
    for id_, name, title in db.execute(query.order_by(model.Group.name)):
        for word in (title, name):
            if word:
                names.setdefault(fold(word), (id_, sirens.get(id_, "")))
    held = {row.organization_id: row.number for row in conventions.values()}
    return Known(conventions, {siren: id_ for id_, siren in sirens.items()}, names, held)


def organization_of(values: Data, site: Known) -> str | None:
    """The organisation that a row is about: by its SIREN, else by its name when no other SIREN is known of it."""
    if values["siren"] and values["siren"] in site.by_siren:
        return site.by_siren[values["siren"]]
    id_, siren = site.by_name.get(fold(values["title"]), (None, ""))
    # Two communes of one name are two organisations: their SIRENs differ.
    return None if id_ and siren and values["siren"] and siren != values["siren"] else id_


def _words(name: str, problem: str, written: str) -> str:
    label = dict(labels())[name]
    if problem == "missing":
        return tk._("{field} is missing.").format(field=label)
    text = {
        "date": tk._("'{value}' is no date: write 31/12/2019."),
        "range": tk._("{value} cannot be the date of a convention: it lies in the future, or before 1990."),
        "length": tk._("'{value}' is no SIREN: it has nine digits."),
        "checksum": tk._("The SIREN {value} is not valid: its check digit does not fit. One digit may be mistyped."),
        "unknown": tk._("'{value}' is not known for {field}."),
        "email": tk._("'{value}' is no e-mail address."),
    }[problem]
    return text.format(value=written, field=label)


def labels() -> list[tuple[str, str]]:
    """Field of a file → what it holds, in the order of the example."""
    _ = tk._
    return [
        ("title", _("Organisation")),
        ("number", _("Number of the convention")),
        ("signed_on", _("Date of signature")),
        ("siren", _("SIREN")),
        ("category", _("Category")),
        ("territory_kind", _("Kind of territory")),
        ("territory_code", _("Territory code")),
        ("territory_name", _("Territory")),
        ("office", _("Office to contact")),
        ("email", _("E-mail address of the office")),
        ("representative.given_name", _("First name of the legal representative")),
        ("representative.family_name", _("Name of the legal representative")),
        ("representative.function", _("Function of the legal representative")),
        ("representative.email", _("E-mail address of the legal representative")),
    ]


def _as_dict(row: Convention) -> Data:
    return {name: getattr(row, name) for name in FIELDS}


def _line(line: Line, site: Known, numbers: dict[str, int], places: dict[str, int]) -> batch.Row:  # noqa: PLR0911
    """What a row of the file would do; the first thing that is wrong with it ends the look."""
    read = rules.row(line.fields, utcnow().date())
    values = read.values
    about = tk._("Line {number}: {person}").format(
        number=line.number, person=values["title"] or values["number"] or "-"
    )
    if read.problems:
        return batch.Row(about, {}, INVALID, " ".join(_words(*problem) for problem in read.problems))
    if values["number"] in numbers:
        text = tk._("The number {number} stands on line {line} already.")
        return batch.Row(about, {}, INVALID, text.format(number=values["number"], line=numbers[values["number"]]))
    organization = organization_of(values, site)
    place = organization or values["siren"] or fold(values["title"])
    if place in places:
        text = tk._("This organisation stands on line {line} already: it has one convention.")
        return batch.Row(about, {}, INVALID, text.format(line=places[place]))
    numbers[values["number"]] = places[place] = line.number
    row = site.conventions.get(values["number"])
    if row is not None:
        if organization not in (None, row.organization_id):
            text = tk._("The number {number} is another organisation's.")
            return batch.Row(about, {}, INVALID, text.format(number=row.number))
        changed = rules.changes(_as_dict(row), values)
        if not changed:
            return batch.Row(about, {}, UNCHANGED, tk._("Entered already."), row.organization_id)
        names = ", ".join(label for name, label in labels() if name.partition(".")[0] in changed)
        text = tk._("Will be changed: {fields}.").format(fields=names)
        return batch.Row(about, _payload(line, row.organization_id), WAITING, text, row.organization_id)
    if organization in site.held:
        text = tk._("This organisation has the convention {number} already.")
        return batch.Row(about, {}, INVALID, text.format(number=site.held[str(organization)]))
    if organization:
        text = tk._("Will be added to the organisation that exists.")
        return batch.Row(about, _payload(line, organization), WAITING, text, organization)
    return batch.Row(about, _payload(line, None), WAITING, tk._("Will be entered, with its organisation."))


def _payload(line: Line, organization_id: str | None) -> Data:
    return {"fields": {name: text for name, text in line.fields.items() if text}, "organization_id": organization_id}


def dinamis_convention_import(context: Context, data_dict: Data) -> Data:
    """Enter the conventions of a CSV file, each with its organisation. The same file again changes nothing.

    A convention without a DINAMIS membership makes its organisation a partner who may be asked to sign the avenant.

    :param content: the file's text; or ``upload``, the file itself (UTF-8 or Windows-1252; ``;``, ``,`` or tabulations)
    :param dry_run: true (default): only tell, row by row, what would be done; ``dinamis_batch_start`` then does it
    :param wait: true (default up to 30 rows): do it before answering; false: a worker does it
    :returns: ``dinamis_batch_show``'s answer, with ``ignored`` (columns that are none of ours) and ``encoding``
    :raises toolkit.ValidationError: ``upload``: the file as a whole cannot be read
    """
    tk.check_access("dinamis_convention_import", context, data_dict)
    table = table_of(data_dict, rules.table)
    site, numbers, places = known(), {}, {}
    rows = [_line(line, site, numbers, places) for line in table.lines]
    started = not tk.asbool(data_dict.get("dry_run", True))
    name = str(getattr(data_dict.get("upload"), "filename", "") or "")
    with one_commit():
        if not rows:
            raise GuardError("upload", tk._("The file has headings and no convention."))
        work = batch.prepare("convention_import", {"name": name}, rows, actor_of(context))
        if started:
            batch.begin(work)
    told = go_on(context, work.id, data_dict, len(rows), started)
    return {**told, "ignored": list(table.ignored), "encoding": table.encoding}


def _site() -> Any:
    name = tk.get_action("get_site_user")({"ignore_auth": True, "defer_commit": True}, {})["name"]
    return {"ignore_auth": True, "defer_commit": True, "user": name}


def _public(values: Data) -> Data:
    return {PUBLIC[name]: values[name] for name in PUBLIC if values[name]}


def _make_organization(values: Data) -> str:
    """The partner's organisation, by CKAN's own action, in the present transaction; its id."""
    name = _slug(values["title"]) or "structure"
    if session().execute(sa.select(model.Group.id).where(model.Group.name == name)).first():
        name = f"{name}-{values['siren'] or new_id()[:8]}"
    # The action would answer with the whole organisation, which asks Solr: its id is all that is needed.
    context: Any = {**_site(), "return_id_only": True}
    fields = {"name": name, "title": values["title"], **_public(values)}
    return tk.get_action("organization_create")(context, fields)


def _match(values: Data) -> str | None:
    """As :func:`organization_of`, for one row, read anew."""
    db = session()
    if values["siren"]:
        for table in (Convention, Application):
            found = db.execute(sa.select(table.organization_id).where(table.siren == values["siren"])).scalars().first()
            if found:
                return found
    query = sa.select(model.Group.id).where(model.Group.is_organization.is_(True), model.Group.state == "active")
    query = query.where(sa.or_(model.Group.title == values["title"], model.Group.name == _slug(values["title"])))
    id_ = db.execute(query).scalars().first()
    if id_ and values["siren"]:
        other = sa.select(Application.siren).where(Application.organization_id == id_, Application.siren != "")
        held = sa.select(Convention.siren).where(Convention.organization_id == id_, Convention.siren != "")
        if set(db.execute(other.union(held)).scalars()) - {values["siren"]}:
            return None
    return id_


def enter(fields: dict[str, str], organization_id: str | None, actor: str) -> tuple[Convention, str]:
    """Enter or change the convention of a file's row, in the present transaction.

    :param fields: cells of the row
    :param organization_id: the organisation, when the dry run knew it
    :returns: the convention, and ``entered``, ``changed`` or ``unchanged``
    :raises GuardError: the row cannot be entered (any more)
    """
    read = rules.row(fields, utcnow().date())
    if read.problems:
        raise GuardError("upload", " ".join(_words(*problem) for problem in read.problems))
    values, db = read.values, session()
    query = sa.select(Convention).where(Convention.number == values["number"]).with_for_update()
    row = db.execute(query.execution_options(populate_existing=True)).scalar_one_or_none()
    if row is not None:
        changed = rules.changes(_as_dict(row), values)
        if not changed:
            return row, "unchanged"
        for name in changed:
            setattr(row, name, values[name])
        row.updated_at = utcnow()
        patch = {PUBLIC[name]: values[name] for name in changed if name in PUBLIC}
        if patch:
            tk.get_action("organization_patch")(_site(), {"id": row.organization_id, **patch})
        record(Event.CONVENTION_CHANGED, actor, "convention", row.id, row.organization_id, fields=sorted(changed))
        return row, "changed"
    organization = organization_id or _match(values)
    if organization is None:
        organization = _make_organization(values)
    else:
        held = db.execute(sa.select(Convention.number).where(Convention.organization_id == organization)).scalar()
        if held:
            text = tk._("This organisation has the convention {number} already.")
            raise GuardError("upload", text.format(number=held))
        if _public(values):
            tk.get_action("organization_patch")(_site(), {"id": organization, **_public(values)})
    row = Convention(id=new_id(), organization_id=organization, created_by=actor, **{n: values[n] for n in FIELDS})
    db.add(row)
    db.flush()
    record(Event.CONVENTION_ENTERED, actor, "convention", row.id, organization, number=row.number)
    return row, "entered"


def of_organization(organization_id: str) -> Convention | None:
    """The convention of an organisation, None when it has none."""
    query = sa.select(Convention).where(Convention.organization_id == organization_id)
    return session().execute(query).scalar_one_or_none()


def as_shown(row: Convention) -> Data:
    """A convention as PIGMA sees it."""
    return {**_as_dict(row), "signed_on": isoformat(row.signed_on), "organization_id": row.organization_id}
