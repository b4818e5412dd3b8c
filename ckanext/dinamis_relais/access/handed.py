"""Signed links that were handed out, kept for the same person while they serve: in Redis, encrypted, never in a dump.

Without Redis each link is signed anew: slower, never wrong.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import secrets
import time
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.lib.redis import connect_to_redis
from cryptography.fernet import InvalidToken
from redis.exceptions import RedisError

from ckanext.dinamis_relais.access import rules
from ckanext.dinamis_relais.db import utcnow
from ckanext.dinamis_relais.gateway.secrets import decrypt, sealer

log = logging.getLogger(__name__)

#: Bytes by which an address is known in the index.
_MARK = 16


def _keys(link_id: str) -> tuple[str, str]:
    """Names of the two tables of an identity link: the portions, and which addresses each holds."""
    site = hashlib.sha256(str(tk.config.get("ckan.site_id", "")).encode()).hexdigest()[:12]
    return f"dinamis:signed:{site}:{link_id}", f"dinamis:signed-index:{site}:{link_id}"


def _mark(url: str) -> bytes:
    # 128 bits tell a person's own addresses apart; what is read is compared with the address itself.
    return hashlib.sha256(url.encode()).digest()[:_MARK]


class Sealing:
    """Links on their way to be kept: encrypted portion by portion while the service is asked for the others."""

    def __init__(self) -> None:
        self._seal = sealer()
        self._portions: dict[Any, bytes] = {}
        self._index: dict[Any, bytes] = {}
        self._ends: list[dt.datetime] = []

    def add(self, found: dict[str, tuple[str, dt.datetime]]) -> None:
        """Encrypt some links; may be called by several threads.

        :param found: address → (signed link, its end in UTC)
        """
        # The clock first, so that names sort as they came: of two links to one file the newer is found.
        name = time.time_ns().to_bytes(8, "big") + secrets.token_bytes(8)
        self._portions[name] = self._seal({url: [link, expiry.isoformat()] for url, (link, expiry) in found.items()})
        self._index[name] = b"".join(_mark(url) for url in found)
        self._ends.append(max(expiry for _, expiry in found.values()))

    def keep(self, link_id: str) -> None:
        """Keep what was added, for its own person alone.

        :param link_id: the person's identity link, which changes when they link anew
        """
        if not self._ends:
            return
        seconds = max(1, int((max(self._ends) - utcnow()).total_seconds()))
        try:
            with connect_to_redis().pipeline() as pipe:
                for key, mapping in zip(_keys(link_id), (self._portions, self._index), strict=True):
                    pipe.hset(key, mapping=mapping)
                    pipe.expire(key, seconds)
                pipe.execute()
        except RedisError as error:
            log.warning("Signed links are not kept: Redis does not answer (%s).", type(error).__name__)


def known(link_id: str, urls: list[str]) -> dict[str, tuple[str, dt.datetime]]:
    """Links of this person that may be handed out again: address → (signed link, its end in UTC)."""
    if not urls:
        return {}
    portions, index = _keys(link_id)
    try:
        redis: Any = connect_to_redis()
        marks = redis.hgetall(index)
        if not marks:
            return {}
        holder = {
            packed[at : at + _MARK]: name
            for name, packed in sorted(marks.items())
            for at in range(0, len(packed), _MARK)
        }
        names = sorted({name for url in urls if (name := holder.get(_mark(url)))})
        contents = redis.hmget(portions, names) if names else []
    except RedisError as error:
        log.warning("Signed links are not read: Redis does not answer (%s).", type(error).__name__)
        return {}
    held: dict[str, list[str]] = {}
    for content in contents:
        try:
            held |= decrypt(content) if content else {}
        except (InvalidToken, ValueError):
            continue  # encrypted with a key that was dropped: signed anew
    now, found = utcnow(), {}
    ends: dict[str, dt.datetime] = {}
    for url in urls:
        if url in held:
            expiry = ends.setdefault(held[url][1], dt.datetime.fromisoformat(held[url][1]))
            if rules.reusable(expiry, now):
                found[url] = (held[url][0], expiry)
    return found


def forget(link_id: str) -> None:
    """Forget all links that were kept for an identity link."""
    try:
        connect_to_redis().delete(*_keys(link_id))
    except RedisError as error:
        # They are found under the link's id alone, which ends with it: nobody can reach them any more.
        log.warning("Signed links are not deleted: Redis does not answer (%s).", type(error).__name__)
