"""The CSW's table is made to agree with the records, and pycsw's configuration is written from ours."""

from __future__ import annotations

import configparser
import io
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.db import isoformat, utcnow
from ckanext.dinamis_relais.imagery.datasets import site_url
from ckanext.dinamis_relais.imagery.store import one_at_a_time
from ckanext.dinamis_relais.records import actions, csw
from ckanext.dinamis_relais.records.model import csw_records

#: What a row says that its record does not.
_OURS = ("insert_date", "wkb_geometry")
#: Records that a client gets in one answer when it asks for more: pycsw's counters then tell the smaller number.
MOST = 200


def sync(engine: Any) -> dict[str, int]:
    """Make the CSW's table agree with the records of the public series; what is the same already is not written.

    :param engine: of the scene store
    :returns: how many were ``added``, ``updated``, ``deleted``, ``unchanged``
    """
    counts = {"added": 0, "updated": 0, "deleted": 0, "unchanged": 0}
    with one_at_a_time(engine, "records", "csw"):
        wanted = {one["id"]: csw.row_of(actions.xml_of(one)) for one in actions.all_series()}
        with engine.begin() as connection:
            held = connection.execute(sa.select(*(one for one in csw_records.c if one.name not in _OURS))).mappings()
            present = {row["identifier"]: dict(row) for row in held}
            now = isoformat(utcnow())
            for identifier, row in wanted.items():
                counts[_write(connection, {**_EMPTY, **row}, present.get(identifier), now)] += 1
            gone = present.keys() - wanted.keys()
            if gone:
                connection.execute(csw_records.delete().where(csw_records.c.identifier.in_(gone)))
            counts["deleted"] = len(gone)
    return counts


_EMPTY: dict[str, Any] = {one.name: None for one in csw_records.c if one.name not in _OURS}


def _write(connection: Any, row: dict[str, Any], present: dict[str, Any] | None, now: str | None) -> str:
    if present == row:
        return "unchanged"
    values = {**row, "insert_date": now}
    if present is None:
        connection.execute(csw_records.insert().values(values))
        return "added"
    connection.execute(csw_records.update().where(csw_records.c.identifier == row["identifier"]).values(values))
    return "updated"


def mark() -> tuple[Any, ...]:
    """What changes whenever a record may have: how many series there are, the newest's change, the file of licences."""
    newest = actions.newest()
    path = config.image_licences()
    return (*newest, path.stat().st_mtime_ns if path else None)


def settings(database: str = "") -> str:
    """pycsw's configuration file, in French from the operator's settings.

    :param database: PostgreSQL URL for pycsw, of a role that may read ``csw_record`` only; that of the scene store by
        default
    :raises toolkit.ValidationError: this site has no CSW
    """
    address = config.csw_url()
    if not address:
        raise tk.ValidationError({"csw_url": ["Set ckanext.dinamis_relais.csw_url, the public address of the CSW."]})
    url = make_url(database or config.scenes_url()).set(drivername="postgresql")
    # Whatever a request brings about, this connection writes nothing, and does not hold the server for long.
    options = "-c default_transaction_read_only=on -c statement_timeout=20000"
    url = url.update_query_dict({"options": options, "application_name": "csw"})
    # pycsw also expands what looks like a variable of the environment; an address has its own way to write that sign.
    place = url.render_as_string(hide_password=False).replace("$", "%24")
    title = f"Catalogue des séries d'images – {config.relay_name()}"
    found = configparser.RawConfigParser()
    found.read_dict({
        "server": {
            "url": address, "mimetype": "application/xml; charset=UTF-8", "encoding": "UTF-8", "language": "fr-FR",
            "maxrecords": MOST, "pretty_print": "true", "profiles": "apiso",
        },
        "manager": {"transactions": "false"},
        "metadata:main": _said({
            "identification_title": title,
            "identification_abstract": "Fiches ISO 19139 des séries d'images satellite que présente "
                f"{config.relay_name()} : une fiche par collection et par année. Les mêmes fiches sont dans le dossier "
                f"{site_url()}/dinamis/iso/.",
            "identification_keywords": "imagerie satellite,ortho-imagerie,DINAMIS,catalogue",
            "identification_keywords_type": "theme",
            "identification_fees": "Aucun", "identification_accessconstraints": "Aucune",
            "provider_name": config.relay_operator(), "provider_url": site_url(),
            "contact_name": config.relay_operator(), "contact_email": config.contact_email(),
            "contact_url": site_url(), "contact_role": "pointOfContact", "contact_position": "", "contact_address": "",
            "contact_city": "", "contact_stateorprovince": "", "contact_postalcode": "", "contact_country": "",
            "contact_phone": "", "contact_fax": "", "contact_hours": "", "contact_instructions": "",
        }),
        "repository": {"source": "dinamis_csw.Repository", "database": place.replace("%", "%%"),
                       "table": csw_records.name},
    })  # fmt: skip
    out = io.StringIO()
    out.write("# Written by 'ckan dinamis records csw-config'. Holds a password of the database.\n")
    found.write(out)
    return out.getvalue()


def _said(values: dict[str, str]) -> dict[str, str]:
    """Texts as the configuration takes them: each on one line, its percent signs doubled."""
    return {key: " ".join(value.split()).replace("%", "%%") for key, value in values.items()}
