"""Outside calls never reach a private network unless the operator said so."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


def check_host(host: str, allowed: list[str]) -> list[str]:
    """The addresses of a host, when all of them may be called.

    :param host: name or address
    :param allowed: hosts on private networks that the operator lists
    :returns: IP addresses as text; empty when the name is in ``allowed``, which is not resolved
    :raises ValueError: the host is private, loopback, link-local, reserved, or has no address
    """
    if host in allowed:
        return []
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except OSError as error:
        raise ValueError(f"The host '{host}' has no address. Check the spelling.") from error
    for address in found:
        if not ipaddress.ip_address(address.split("%")[0]).is_global and address not in allowed:
            raise ValueError(
                f"The host '{host}' is on a private network ({address}). "
                "To allow it, list it in ckanext.dinamis_relais.private_hosts."
            )
    return sorted(found)


class _PrivateAddress(OSError):
    """The name was public when it was checked, and the connection is not."""


def _guard(sock: Any, host: str, allowed: frozenset[str]) -> Any:
    address = str(sock.getpeername()[0]).split("%")[0]
    if host in allowed or address in allowed or ipaddress.ip_address(address).is_global:
        return sock
    sock.close()
    raise _PrivateAddress(f"connected to the private address {address}")


class GuardedAdapter(HTTPAdapter):
    """Looks at the address of each connection it opens: a name that changes its mind gains nothing."""

    def __init__(self, allowed: frozenset[str], pool_maxsize: int = 10):
        self.allowed = allowed
        super().__init__(pool_maxsize=pool_maxsize)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Give the pools connections that check their peer before anything is sent."""
        super().init_poolmanager(*args, **kwargs)
        allowed = self.allowed

        class Plain(HTTPConnection):
            def _new_conn(self) -> Any:
                return _guard(super()._new_conn(), self.host, allowed)

        class Secure(HTTPSConnection):
            def _new_conn(self) -> Any:
                return _guard(super()._new_conn(), self.host, allowed)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls: Any = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls: Any = Secure

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}
