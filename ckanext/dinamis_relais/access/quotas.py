"""What a person and their organisation may still download, by the operator's dated quotas."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
import yaml

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.access import rules
from ckanext.dinamis_relais.access.model import Download
from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.machine import GuardError


@lru_cache(maxsize=4)
def _read(path: Path, _changed: float) -> tuple[rules.Quota, ...]:
    try:
        return rules.parse_quotas(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (ValueError, yaml.YAMLError) as error:
        raise ValueError(f"{path}: {error}") from error


def in_force() -> list[rules.Quota]:
    """The quotas that hold today.

    :raises ValueError: the operator's file cannot be read; names the entry
    """
    path = config.download_quotas()
    return rules.in_force(_read(path, path.stat().st_mtime), utcnow().date()) if path else []


def left(user_id: str, organization_id: str) -> list[rules.Left]:
    """What each quota leaves a person of an organisation, now."""
    now, found = utcnow(), []
    for quota in in_force():
        mine = Download.user_id == user_id if quota.scope == "person" else Download.organization_id == organization_id
        # A place that was taken and neither used nor given back for long belongs to a call that was killed.
        under_way = sa.and_(Download.signed_at.is_(None), Download.created_at > now - rules.RESERVED_FOR)
        counts = sa.or_(Download.signed_at >= rules.period(quota.period, now)[0], under_way)
        used = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(Download.bytes), 0)).where(mine, counts)
        files, size = session().execute(used).one()
        found.append(rules.left(quota, files, int(size), now))
    return found


def check(user_id: str, organization_id: str, files: int, size: int) -> None:
    """Hold so many files against the quotas; the caller then writes them, and commits.

    Two calls of one organisation follow one another, so that together they stay within it.

    :param size: bytes, of the files whose size is known
    :raises GuardError: which quota is used up, and until when
    """
    if not in_force():
        return
    for key in sorted((user_id, organization_id)):
        session().execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"),
                          {"key": f"dinamis_quota:{key}"})  # fmt: skip
    for one in left(user_id, organization_id):
        if not one.allows(files, size):
            text = tk._("This is more than what is left of the quota ({left}) until {until}. Take fewer files, or "
                        "write to PIGMA.")  # fmt: skip
            raise GuardError("quota", text.format(left=words(one), until=tk.h.dinamis_date(isoformat(one.until))))


def words(one: rules.Left) -> str:
    """What is left, said."""
    parts = []
    if one.files is not None:
        parts.append(tk.ungettext("{num} file", "{num} files", one.files).format(num=tk.h.dinamis_number(one.files)))
    if one.gigabytes is not None:
        parts.append(tk._("{number} GB").format(number=tk.h.dinamis_number(round(one.gigabytes, 1))))
    return ", ".join(parts)


def as_dict(one: rules.Left) -> dict[str, Any]:
    """A quota as actions answer it."""
    quota = one.quota
    return {
        "scope": quota.scope, "period": quota.period, "files": quota.files, "gigabytes": quota.gigabytes,
        "files_left": one.files, "gigabytes_left": one.gigabytes, "until": isoformat(one.until), "left": words(one),
    }  # fmt: skip
