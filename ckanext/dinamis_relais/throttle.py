"""How often something may be done: counters in Redis that end by themselves."""

from __future__ import annotations

import hashlib
import ipaddress
import logging

import ckan.plugins.toolkit as tk
from ckan.lib.redis import connect_to_redis
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

HOUR = 3600


def allowed(what: str, who: str, limit: int, seconds: int = HOUR) -> bool:
    """Count one more, and say whether it is within the limit of a fixed window.

    Without Redis everything is allowed, with a line in the log: a site must not lock its people out with its cache.

    :param what: kind of thing that is counted
    :param who: whose count it is; only its hash is kept
    :param limit: how many in a window
    :param seconds: length of the window, begun by its first count
    """
    digest = hashlib.sha256(f"{tk.config.get('ckan.site_id', '')}\n{who}".encode()).hexdigest()[:32]
    key = f"dinamis:throttle:{what}:{digest}"
    try:
        redis = connect_to_redis()
        with redis.pipeline() as pipe:
            pipe.set(key, 0, ex=seconds, nx=True)
            pipe.incr(key)
            return int(pipe.execute()[1]) <= limit
    except RedisError as error:
        log.warning("Not counted (%s): Redis does not answer (%s).", what, type(error).__name__)
        return True


def client() -> str:
    """The network address of who asks, behind our own proxy too.

    ``X-Forwarded-For`` is believed only when it comes from a private or loopback address, and of it only the last
    entry: the one that our proxy wrote itself.
    """
    peer = tk.request.remote_addr or ""
    try:
        ours = ipaddress.ip_address(peer).is_private
    except ValueError:
        return peer
    forwarded = tk.request.headers.get("X-Forwarded-For", "").rsplit(",", 1)[-1].strip()
    return forwarded if ours and forwarded else peer
