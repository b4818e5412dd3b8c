"""What is kept in Redis of the coverage of territories: of each its years in short and whole, and what they rest on.

A year rests on the scenes around its territory, told by a fingerprint of them. As long as the catalogue's mark is the
one at which the fingerprints were last looked at, nothing is asked; when it is another, years whose fingerprint is the
same stay. Lost with Redis: then the years are computed anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import ckan.plugins.toolkit as tk
import orjson
from ckan.lib.redis import connect_to_redis
from redis.exceptions import RedisError

from ckanext.dinamis_relais.imagery.territories import Territory

#: Raised when the rules change what they answer: what was kept is then computed anew.
RULE = 2
#: Seconds that years are kept after a person's last look at them.
KEEP = 30 * 24 * 3600
#: Members of a year that only the whole of it has.
WHOLE = ("scenes", "best", "latest", "holes")
#: Fingerprint of a year without scenes.
NOTHING = ""

_ABOUT = b"about"


def _prefix() -> str:
    return f"dinamis:coverage:{tk.config.get('ckan.site_id', '')}:{RULE}:"


class Kept:
    """The years of one territory, by its present outline.

    :param looked_at: whether a person looks, for whom they are kept on; the worker prolongs nothing
    :ivar mark: the catalogue's, when the fingerprints were last looked at; None when nothing is kept
    :ivar prints: year → fingerprint of the scenes around
    :ivar span: first and last year of the catalogue, None without any scene
    """

    def __init__(self, territory: Territory, looked_at: bool = True):
        drawn = hashlib.blake2b(orjson.dumps(territory.outline), digest_size=8).hexdigest()
        key = f"{_prefix()}{territory.kind}:{territory.code}:{drawn}"
        self._keys = (key, f"{key}:whole")
        self._redis: Any = connect_to_redis()
        found, left = self._read(looked_at)
        self._seconds = KEEP if looked_at or left <= 0 else left
        about = orjson.loads(found.pop(_ABOUT, b"{}"))
        self.mark: str | None = about.get("mark")
        self.span: tuple[int, int] | None = tuple(about["span"]) if about.get("span") else None
        self.prints: dict[int, str] = {int(year): text for year, text in about.get("prints", {}).items()}
        self._short = {int(year): orjson.loads(value) for year, value in found.items()}

    def _read(self, looked_at: bool) -> tuple[dict[bytes, bytes], int]:
        """What is kept in short, and for how many seconds more; not above 0 when nothing is."""
        try:
            pipeline = self._redis.pipeline()
            pipeline.hgetall(self._keys[0])
            pipeline.ttl(self._keys[0])
            for key in self._keys if looked_at else ():
                pipeline.expire(key, KEEP)
            return tuple(pipeline.execute()[:2])
        except RedisError:
            return {}, 0

    def short(self, year: int) -> dict[str, Any] | None:
        """A year without :data:`WHOLE`; None when its scenes are others now, or it was never computed."""
        print_, found = self._short.get(year, (None, None))
        return found if print_ == self.prints.get(year, NOTHING) else None

    def whole(self, wanted: Iterable[int]) -> dict[int, dict[str, Any]]:
        """Years with all that is said of them; without those that are not kept, or whose scenes are others now."""
        known = [year for year in wanted if self.short(year) is not None]
        try:
            values: Any = self._redis.hmget(self._keys[1], known) if known else []
        except RedisError:
            return {}
        found = {year: orjson.loads(value) for year, value in zip(known, values, strict=True) if value}
        return {year: one for year, (text, one) in found.items() if text == self.prints.get(year, NOTHING)}

    def look(self, mark: str, span: tuple[int, int] | None, prints: dict[int, str]) -> None:
        """Note the fingerprints that the catalogue has at a mark; what rests on the same ones is kept on."""
        self.mark, self.span, self.prints = mark, span, prints
        about = {"mark": mark, "span": span, "prints": {str(year): text for year, text in prints.items()}}
        self._write({_ABOUT: about}, {})

    def keep(self, answer: dict[str, Any]) -> None:
        """Keep a year that was computed after :meth:`look`."""
        year = answer["year"]
        text = self.prints.get(year, NOTHING)
        self._short[year] = [text, shortened(answer)]
        self._write({year: self._short[year]}, {year: [text, answer]})

    def _write(self, short: dict[Any, Any], whole: dict[int, Any]) -> None:
        try:
            pipe = self._redis.pipeline()
            for key, values in zip(self._keys, (short, whole), strict=True):
                if values:
                    pipe.hset(key, mapping={name: orjson.dumps(value) for name, value in values.items()})
                pipe.expire(key, self._seconds)
            pipe.execute()
        except RedisError:
            return


def looked_at() -> list[tuple[str, str]]:
    """Kind and code of the territories that somebody asked for while they are kept; none when Redis does not answer."""
    try:
        keys = [key.decode() for key in connect_to_redis().scan_iter(f"{_prefix()}*", count=1000)]
    except RedisError:
        return []
    parts = (key.removeprefix(_prefix()).split(":") for key in keys)
    return sorted({(part[0], part[1]) for part in parts if len(part) > 1})


def shortened(answer: dict[str, Any]) -> dict[str, Any]:
    """A year without :data:`WHOLE`."""
    return {name: value for name, value in answer.items() if name not in WHOLE}
