"""What API Géo says, remembered in Redis, for communes seldom move; and the name of the place at a point."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import orjson
from ckan.lib.redis import connect_to_redis
from redis.exceptions import RedisError

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.imagery.outside import Outside, OutsideError

#: Seconds. A commune's outline changes with a vintage, once a year.
KEEP = 30 * 24 * 3600
#: Seconds. An older answer serves for so long, should the service not answer.
KEEP_OLD = 12 * KEEP
#: Seconds. A service that did not answer is asked again after this.
KEEP_NOTHING = 300
#: Seconds that a page waits for a name.
PATIENCE = 4


class PlaceUnavailable(Exception):
    """API Géo does not answer; nobody knows whether the place exists."""


def around(longitude: float, latitude: float) -> str | None:
    """The name of the commune at a point, None when there is none or nobody answers."""
    query = {"lat": f"{latitude:.3f}", "lon": f"{longitude:.3f}", "fields": "nom,code", "limit": "1"}
    try:
        found = _ask(query)
    except PlaceUnavailable:
        return None
    return str(found[0]["nom"]) if found and found[0].get("nom") else None


def plain(text: str) -> str:
    """Lower case without accents or hyphens, for comparing names."""
    bare = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return bare.lower().replace("-", " ").replace("'", " ").strip()


def _ask(query: dict[str, str]) -> list[dict[str, Any]]:
    answer = answer_of(f"communes?{urlencode(query)}")
    if not isinstance(answer, list):
        raise PlaceUnavailable("API Géo")
    return [one for one in answer if isinstance(one, dict)]


def answer_of(path: str) -> Any:
    """What API Géo answers, read from JSON and remembered; None when it does not answer, or not in JSON.

    :param path: with its query, after the service's address
    """
    found = kept(path, lambda: fetched(path))
    try:
        return None if found is None else orjson.loads(found)
    except orjson.JSONDecodeError:
        return None


def fetched(path: str, patience: float = PATIENCE) -> bytes:
    """What API Géo answers now.

    :param patience: seconds
    :raises OutsideError: it does not answer
    """
    return Outside(config.private_hosts(), timeout=patience, retries=0).fetch(f"{config.geo_api_url()}/{path}")[0]


def kept(name: str, make: Callable[[], bytes]) -> bytes | None:
    """What the service said, remembered: asked anew after a month, the old answer serving while it is down.

    :param name: what is kept, among all that this service says
    :param make: asks the service; its :class:`OutsideError` is remembered for a few minutes
    :returns: None when nobody answers, and nothing older is there
    """
    key = _key(name)
    fresh = f"{key}:fresh"
    old, new = _remembered(key, fresh)
    if new is not None:
        return old
    try:
        answer = make()
    except OutsideError:
        _remember(KEEP_NOTHING, {fresh: b"0"})
        return old
    _remember(KEEP_OLD, {key: answer})
    _remember(KEEP, {fresh: b"1"})
    return answer


def remembered(name: str) -> bytes | None:
    """What :func:`kept` keeps under a name, however old; nobody is asked."""
    return _remembered(_key(name))[0]


def _key(name: str) -> str:
    return f"dinamis:geo:{config.geo_api_url()}/{name}"


def _remembered(*keys: str) -> list[bytes | None]:
    try:
        return connect_to_redis().mget(keys)  # type: ignore[return-value]
    except RedisError:
        return [None] * len(keys)


def _remember(seconds: int, values: dict[str, bytes]) -> None:
    try:
        for key, value in values.items():
            connect_to_redis().set(key, value, ex=seconds)
    except RedisError:
        return
