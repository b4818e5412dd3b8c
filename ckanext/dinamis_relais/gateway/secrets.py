"""Encryption at rest of what must leave once and never be read again: MultiFernet, keys rotate."""

from __future__ import annotations

import hashlib
import secrets as random_secrets
from collections.abc import Callable
from typing import Any

import orjson
from cryptography.fernet import Fernet, MultiFernet

from ckanext.dinamis_relais import config


def _cipher() -> MultiFernet:
    keys = config.secret_keys()
    if not keys:
        raise RuntimeError(
            "ckanext.dinamis_relais.secret_keys is empty. Make a key with 'ckan dinamis secret-key' and set it."
        )
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(values: dict[str, Any]) -> bytes:
    """A small JSON object, encrypted with the newest key.

    :raises RuntimeError: no key is configured
    """
    return sealer()(values)


def sealer() -> Callable[[dict[str, Any]], bytes]:
    """:func:`encrypt` with the keys of this moment: for threads, which do not know the site's configuration.

    :raises RuntimeError: no key is configured
    """
    cipher = _cipher()
    return lambda values: cipher.encrypt(orjson.dumps(values))


def decrypt(token: bytes) -> dict[str, Any]:
    """What :func:`encrypt` took, with any of the configured keys.

    :raises cryptography.fernet.InvalidToken: changed, or the key was dropped
    """
    return orjson.loads(_cipher().decrypt(bytes(token)))


def one_time_token() -> tuple[str, str]:
    """A random token for a link, and the hash that is kept of it (256 bits, SHA-256 hex)."""
    token = random_secrets.token_urlsafe(32)
    return token, token_hash(token)


def token_hash(token: str) -> str:
    """SHA-256 (hex) of a token; enough since the token itself is 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()
