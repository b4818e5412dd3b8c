"""Series as CKAN datasets, written through CKAN's own actions and only where something changed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.imagery import series as rules
from ckanext.dinamis_relais.imagery.model import collections
from ckanext.dinamis_relais.imagery.search import all_collections
from ckanext.dinamis_relais.imagery.series import Series
from ckanext.dinamis_relais.imagery.source import years_of
from ckanext.harvest.model import HarvestObject


class NoOwner(Exception):
    """The harvest source belongs to no organisation, and this site's datasets must."""


def site_url() -> str:
    """Address of this site without a slash at the end; needs no request, a harvest has none."""
    root = (tk.config.get("ckan.root_path") or "").replace("/{{LANG}}", "").rstrip("/")
    return config.site_url() + root


def update_series(harvest_object: Any, engine: Any, collection: str, user: str, part: str = "") -> dict[str, int]:
    """Make a collection's series datasets agree with the store.

    :param harvest_object: the harvest object of the collection; each series gets one of its own beside it
    :param user: name of the CKAN user that writes
    :param part: years to look at, as a harvest in parts names them; empty for all
    :returns: how many were ``added``, ``updated``, ``deleted``, ``unchanged``
    :raises NoOwner: the source belongs to no organisation
    :raises toolkit.ValidationError: CKAN refuses a dataset
    """
    source = harvest_object.source
    package = model.Package.get(source.id)
    owner = package.owner_org if package else source.publisher_id
    if not owner and not tk.asbool(tk.config.get("ckan.auth.create_unowned_dataset")):
        raise NoOwner("The harvest source belongs to no organization. Choose one in the source's form.")
    bodies = {one["id"]: one["body"] for one in all_collections(engine)}
    counts: dict[str, int] = {"added": 0, "updated": 0, "deleted": 0, "unchanged": 0}
    start, end = years_of(part)
    held = rules.of_collection(engine, collection)
    for series in held:
        if (start and series.year < start) or (end and series.year > end):
            continue
        wanted = rules.dataset_of(series, bodies.get(collection, {}), source.url, site_url())
        wanted["owner_org"] = owner
        counts[_write(harvest_object, series, wanted, user)] += 1
    kept = {series.dataset_id for series in held}
    for dataset_id, guid in _present(source.id, collection).items():
        if dataset_id not in kept:
            _delete(harvest_object, dataset_id, guid, user)
            counts["deleted"] += 1
    return counts


def collections_of(engine: Any, source_id: str) -> list[str]:
    """Ids of the collections that a source feeds, or has fed: those without scenes lose their series."""
    query = sa.select(collections.c.id).where(collections.c.source_id == source_id).order_by(collections.c.id)
    with engine.connect() as connection:
        return list(connection.execute(query).scalars())


def guid_of(collection: str, year: int | None = None) -> str:
    """The harvest object's identity: of a collection, or of one of its series."""
    return f"stac:{collection}" if year is None else f"stac:{collection}/{year}"


def _context(user: str) -> Any:
    return {"model": model, "session": model.Session, "user": user, "ignore_auth": True}


def _write(parent: Any, series: Series, wanted: dict[str, Any], user: str) -> str:
    try:
        existing = tk.get_action("package_show")(_context(user), {"id": series.dataset_id})
    except tk.ObjectNotFound:
        existing = None
    if existing and not rules.differs(existing, wanted):
        return "unchanged"
    own = _object(parent, series)
    if existing:
        _supersede(series.dataset_id)
        own.package_id, own.current, own.report_status = series.dataset_id, True, "updated"
        own.save()
        tk.get_action("package_update")(_context(user), rules.merged(existing, wanted))
        return "updated"
    # The index reads the harvest object while the dataset is made, before the key it points to exists.
    own.package_id, own.current, own.report_status = series.dataset_id, True, "added"
    own.add()
    model.Session.execute(sa.text("SET CONSTRAINTS harvest_object_package_id_fkey DEFERRED"))
    model.Session.flush()
    tk.get_action("package_create")(_context(user), {**wanted, "name": _free_name(rules.name_of(series))})
    model.Session.commit()
    return "added"


def _object(parent: Any, series: Series) -> Any:
    now = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None)
    return HarvestObject(
        guid=guid_of(series.collection, series.year), job=parent.job, source=parent.source, state="COMPLETE",
        content="", gathered=now, fetch_started=now, fetch_finished=now, import_started=now,
        import_finished=now,
    )  # fmt: skip


def _supersede(dataset_id: str) -> None:
    query = model.Session.query(HarvestObject).filter(HarvestObject.package_id == dataset_id)
    query.update({"current": False}, synchronize_session=False)


def _present(source_id: str, collection: str) -> dict[str, str]:
    """Datasets that this source's harvests made for a collection and that still stand: id → guid."""
    query = (
        sa.select(HarvestObject.package_id, HarvestObject.guid)
        .join(model.Package, model.Package.id == HarvestObject.package_id)
        .where(
            HarvestObject.harvest_source_id == source_id,
            HarvestObject.current.is_(True),
            HarvestObject.guid.startswith(guid_of(collection) + "/", autoescape=True),
            model.Package.state == "active",
        )
    )
    return {row[0]: row[1] for row in model.Session.execute(query)}


def _delete(parent: Any, dataset_id: str, guid: str, user: str) -> None:
    _supersede(dataset_id)
    own = HarvestObject(
        guid=guid, job=parent.job, source=parent.source, state="COMPLETE", content="",
        package_id=dataset_id, current=False, report_status="deleted",
    )  # fmt: skip
    own.save()
    tk.get_action("package_delete")(_context(user), {"id": dataset_id})


def _free_name(name: str) -> str:
    """The name, or with a number behind it when a dataset of other origin has it."""
    query = sa.select(model.Package.name).where(model.Package.name.startswith(name, autoescape=True))
    taken = set(model.Session.execute(query).scalars())
    if name not in taken:
        return name
    return next(f"{name}-{n}" for n in range(2, len(taken) + 3) if f"{name}-{n}" not in taken)
