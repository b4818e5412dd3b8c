"""Signed links that were handed out, kept for the same person while they serve: in Redis, encrypted, never in a dump.

Without Redis each link is signed anew: slower, never wrong.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import logging
import secrets
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.lib.redis import connect_to_redis
from cryptography.fernet import InvalidToken
from redis.exceptions import RedisError

from ckanext.dinamis_relais.access import rules
from ckanext.dinamis_relais.db import utcnow
from ckanext.dinamis_relais.gateway.secrets import decrypt, encrypt

log = logging.getLogger(__name__)

#: Links that one entry may hold; a person's basket has no more.
_PORTION = 256


def _key(link_id: str) -> str:
    site = hashlib.sha256(str(tk.config.get("ckan.site_id", "")).encode()).hexdigest()[:12]
    return f"dinamis:signed:{site}:{link_id}"


def _field(url: str) -> bytes:
    # 128 bits tell a person's own addresses apart; what is read is compared with the address itself.
    return hashlib.sha256(url.encode()).digest()[:16]


def keep(link_id: str, found: dict[str, tuple[str, dt.datetime]]) -> None:
    """Keep links for their own person.

    :param link_id: the person's identity link, which changes when they link anew
    :param found: address → (signed link, its end in UTC)
    """
    if not found:
        return
    urls = list(found)
    last = max(expiry for _, expiry in found.values())
    try:
        with connect_to_redis().pipeline() as pipe:
            for start in range(0, len(urls), _PORTION):
                portion = urls[start : start + _PORTION]
                name = secrets.token_bytes(8)
                content = encrypt({url: [found[url][0], found[url][1].isoformat()] for url in portion})
                pipe.hset(_key(link_id), mapping={b"p:" + name: content, **{_field(url): name for url in portion}})
            pipe.expire(_key(link_id), max(1, int((last - utcnow()).total_seconds())))
            pipe.execute()
    except RedisError as error:
        log.warning("Signed links are not kept: Redis does not answer (%s).", type(error).__name__)


def known(link_id: str, urls: list[str]) -> dict[str, tuple[str, dt.datetime]]:
    """Links of this person that may be handed out again: address → (signed link, its end in UTC)."""
    if not urls:
        return {}
    try:
        redis: Any = connect_to_redis()
        if not redis.exists(_key(link_id)):
            return {}
        names = redis.hmget(_key(link_id), [_field(url) for url in urls])
        portions = sorted({name for name in names if name})
        contents = redis.hmget(_key(link_id), [b"p:" + name for name in portions]) if portions else []
    except RedisError as error:
        log.warning("Signed links are not read: Redis does not answer (%s).", type(error).__name__)
        return {}
    held: dict[str, list[str]] = {}
    for content in contents:
        try:
            held |= decrypt(content) if content else {}
        except (InvalidToken, json.JSONDecodeError):
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
        connect_to_redis().delete(_key(link_id))
    except RedisError as error:
        # They are found under the link's id alone, which ends with it: nobody can reach them any more.
        log.warning("Signed links are not deleted: Redis does not answer (%s).", type(error).__name__)
