"""Figures as actions: PIGMA's and a partner's own, and those that anyone may see."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.types import Context, DataDict

from ckanext.dinamis_relais.authority import can, user_of
from ckanext.dinamis_relais.db import session
from ckanext.dinamis_relais.membership.rules import CATEGORIES
from ckanext.dinamis_relais.overview import figures, rules
from ckanext.dinamis_relais.schema import list_schema, validated, validator


def _period(data: dict[str, Any]) -> rules.Period:
    try:
        return rules.period(str(data.get("period") or rules.USUAL), figures.today())
    except ValueError as error:
        text = tk._("Give the last months (12m), a year (2025), a month (2025-03) or two of them (2025-03/2025-11).")
        raise tk.ValidationError({"period": [text]}) from error


def _schema() -> dict[str, Any]:
    text = [validator("ignore_missing"), validator("unicode_safe")]
    return dict.fromkeys(("period", "organization_id", "department", "category"), text)


def _chosen(params: dict[str, Any], everyone: list[figures.Member]) -> list[figures.Member] | None:
    """The members that the filters name; None when there is no filter."""
    names = {name: params.get(name) for name in ("organization_id", "department", "category")}
    if not any(names.values()):
        return None
    found = everyone
    if names["organization_id"]:
        group = model.Group.get(names["organization_id"])
        found = [one for one in found if group and one.id == group.id]
    if names["department"]:
        found = [one for one in found if one.department == names["department"]]
    if names["category"]:
        if names["category"] not in (*CATEGORIES, figures.NONE):
            text = tk._("Unknown category. Use one of: {names}.").format(names=", ".join((*CATEGORIES, figures.NONE)))
            raise tk.ValidationError({"category": [text]})
        found = [one for one in found if one.category == names["category"]]
    return found


@tk.side_effect_free
def dinamis_statistics_show(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Figures of a period, from the counters: members, accounts, downloads, requests and delays, by month.

    PIGMA sees all; a referent their own organisation; a member of it the same, less what is about fewer than five
    persons (``null``; ``hidden`` says how many figures that are).

    :param period: ``12m`` (default: the last twelve months), ``2025``, ``2025-03`` or ``2025-03/2025-11``
    :param organization_id: only this organisation, name or id (needed for who is not PIGMA)
    :param department: only members whose territory lies in this département (Insee's code; ``none``: in several)
    :param category: only members of this category (``none``: nobody gave one)
    :returns: ``{"period", "members", "accounts", "requests", "new", "downloads", "delays", "never_downloaded",
        "hidden", "pending"}``; ``pending``: lines of the journal that are not counted yet; surfaces in km², sizes in
        bytes, delays in days
    """
    tk.check_access("dinamis_statistics_show", context, data_dict)
    params = validated(dict(data_dict), _schema(), context)
    period = _period(params)

    def make() -> dict[str, Any]:
        everyone = figures.members()
        return figures.everything(figures.Figures(period, _chosen(params, everyone), everyone))

    asked = [period.start.isoformat(), period.end.isoformat(), *(params.get(name) or "" for name in sorted(_schema()))]
    found = figures.kept("show", asked, make)
    group = model.Group.get(params["organization_id"]) if params.get("organization_id") else None
    found["hidden"] = 0
    if not can(user_of(context), "statistics.details", group.id if group else None):
        found = _for_a_member(found, period, group.id if group else "")
    return {**found, "pending": figures.revision()[1]}


def _persons(organization_id: str, start: Any, end: Any) -> int:
    """How many persons downloaded in a span of days, counted up to five."""
    query = sa.text(
        "SELECT count(*) FROM (SELECT 1 FROM (SELECT DISTINCT user_id FROM dinamis_account "
        " WHERE organization_id = :id AND user_id IS NOT NULL) a WHERE EXISTS (SELECT 1 FROM dinamis_download d "
        "  WHERE d.user_id = a.user_id AND d.organization_id = :id "
        "  AND d.signed_at >= CAST(:start AS date)::timestamp AT TIME ZONE :zone "
        "  AND d.signed_at < CAST(:end AS date)::timestamp AT TIME ZONE :zone) LIMIT :fewest) few"
    )
    values = {"id": organization_id, "start": start, "end": end, "zone": figures.config.time_zone(),
              "fewest": rules.FEWEST}  # fmt: skip
    return session().execute(query, values).scalar() or 0


def _for_a_member(found: dict[str, Any], period: rules.Period, organization_id: str) -> dict[str, Any]:
    """The figures of one's own organisation without those that are about fewer than five persons."""
    number = 0
    for row in found["accounts"]["by_month"]:
        states = {name: (value, value) for name, value in row.items() if name != "month"}
        for name in rules.hidden(states, apart=True):
            row[name], number = None, number + 1
    own = found["downloads"]
    persons = {month.isoformat()[:7]: _persons(organization_id, month, rules.following(month))
               for month in period.months}  # fmt: skip
    cells = {row["month"]: (row["files"], persons[row["month"]]) for row in own["by_month"]}
    few = rules.hidden(cells, apart=False)
    for row in own["by_month"]:
        if row["month"] in few:
            row.update(dict.fromkeys(figures.DOWNLOADS))
            number += 1
    if own["totals"]["files"] and _persons(organization_id, period.start, period.end) < rules.FEWEST:
        own["totals"], number = dict.fromkeys(figures.DOWNLOADS), number + 1
    # Who asked for what, or waited for what, is one person nearly always; a series, or for a theme, a few download.
    own.update(by_series=[], by_theme=[], by_partner=[], by_category=[])
    found.update(requests={"by_month": []}, delays=[], hidden=number,
                 new=[{"month": row["month"], "members": row["members"]} for row in found["new"]])  # fmt: skip
    return found


@tk.side_effect_free
def dinamis_statistics_public(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """What anyone may know of the relay's activity; a figure about fewer than five persons is ``null``.

    :returns: ``{"members", "departments", "accounts", "downloads": {"scenes", "km2", "bytes"}}``, all as of now;
        downloads since the beginning
    """
    tk.check_access("dinamis_statistics_public", context, data_dict)
    return figures.kept("public", [], _public)


def _public() -> dict[str, Any]:
    everyone = figures.members()
    active = [one for one in everyone if one.state == "active"]
    period = rules.Period("now", figures.today().replace(day=1), figures.today().replace(day=1))
    accounts = figures.Figures(period, None, everyone).states()["account"][-1]["active"]
    rows = session().execute(
        sa.text(
            "SELECT measure, sum(value) FROM dinamis_rollup WHERE organization_id = '*' AND grain = 'm' "
            "AND measure LIKE 'download.%' GROUP BY 1"
        )
    )
    sums = {measure: float(value) for measure, value in rows}
    # Five organisations may still be one contractor: what counts is persons, and five of them.
    query = (
        "SELECT count(*) FROM (SELECT 1 FROM (SELECT DISTINCT user_id FROM dinamis_account WHERE user_id IS NOT NULL) \
a WHERE EXISTS (SELECT 1 FROM dinamis_download d WHERE d.user_id = a.user_id AND d.signed_at IS NOT NULL) LIMIT 5) few"
    )
    enough = (session().execute(sa.text(query)).scalar() or 0) >= rules.FEWEST
    shown = ("scenes", "km2", "bytes")
    return {
        "members": len(active),
        "departments": len({one.department for one in active} - {figures.NONE}),
        "accounts": accounts if accounts == 0 or accounts >= rules.FEWEST else None,
        "downloads": {name: sums.get(figures.DOWNLOADS[name], 0.0) if enough else None for name in shown},
    }


@tk.side_effect_free
def dinamis_never_downloaded_list(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Members that joined and never downloaded an image, those that joined first before the others.

    :param department: only members of this département
    :param category: only members of this category
    :returns: ``{"count", "results"}``, each ``organization_id, name, label, since, category, department``
    """
    tk.check_access("dinamis_never_downloaded_list", context, data_dict)
    params = validated(dict(data_dict), {**list_schema(), **_schema()}, context)
    everyone = figures.members()
    chosen = _chosen(params, everyone)
    return figures.never_downloaded(params["limit"], everyone if chosen is None else chosen, params["offset"])
