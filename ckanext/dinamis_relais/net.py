"""Outside calls never reach a private network unless the operator said so."""

from __future__ import annotations

import ipaddress
import socket


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
