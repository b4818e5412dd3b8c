"""The code that confirms a signature: six digits, kept as a keyed hash. Pure."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets

#: Wrong tries of one code; after them a new one must be asked for.
TRIES = 5


def new_code() -> str:
    """Six random digits."""
    return f"{secrets.randbelow(10**6):06d}"


def code_hash(key: str, link_id: str, code: str) -> str:
    """HMAC-SHA256 (hex) of a code: six digits are too few for a hash without a key.

    :param key: a secret of the site
    :param link_id: the link that the code confirms; the code of another is another
    """
    digits = "".join(c for c in code if c.isdigit())
    return hmac.new(key.encode(), f"signature-code\n{link_id}\n{digits}".encode(), hashlib.sha256).hexdigest()


def problem(
    kept: str | None, sent_at: dt.datetime | None, tries: int, typed: str, now: dt.datetime, life: dt.timedelta
) -> str | None:
    """What is wrong with a code that was typed: ``none``, ``expired``, ``tries``, ``wrong``; None when it is right.

    :param kept: hash of the code that was sent
    :param tries: wrong tries so far
    :param typed: hash of what was typed
    """
    if not kept or sent_at is None:
        return "none"
    if tries >= TRIES:
        return "tries"
    if now >= sent_at + life:
        return "expired"
    return None if hmac.compare_digest(kept, typed) else "wrong"
