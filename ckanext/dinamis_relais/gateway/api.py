"""The ``api`` transport: the HTTP contract that ``contract.yaml`` publishes."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.gateway.targets import Parcel, PassingError, RefusedError, check_status
from ckanext.dinamis_relais.net import check_host


def enabled() -> bool:
    """Whether this site delivers to DINAMIS by HTTP."""
    return config.gateway_transport() == "api" and bool(config.gateway_url())


def send(parcel: Parcel) -> dict[str, Any]:
    """PUT the present state, or GET the other side's answer.

    :returns: the answer's JSON object
    :raises PassingError: connection lost, timeout, 408, 425, 429, 5xx, an answer that is no JSON
    :raises StoppingError: 401, 403
    :raises RefusedError: another 4xx, or a gateway address that is not allowed
    """
    url = f"{config.gateway_url()}/v1/{parcel.target}s/{parcel.id}"
    try:
        check_host(urlsplit(url).hostname or "", config.private_hosts())
    except ValueError as error:
        raise RefusedError(str(error)) from error
    headers = {"Authorization": f"Bearer {config.gateway_token()}", "Accept": "application/json"}
    if not parcel.poll:
        headers["Idempotency-Key"] = parcel.idempotency_key
    try:
        answer = requests.request(
            "GET" if parcel.poll else "PUT",
            url,
            json=None if parcel.poll else parcel.body,
            headers=headers,
            timeout=config.gateway_timeout(),
            allow_redirects=False,
        )
    except requests.RequestException as error:
        raise PassingError(f"{type(error).__name__}: DINAMIS could not be reached.") from error
    check_status(answer.status_code, answer.text, answer.headers.get("Retry-After"))
    try:
        found = answer.json()
    except ValueError as error:
        raise PassingError(f"HTTP {answer.status_code}: the answer is not JSON.") from error
    if not isinstance(found, dict):
        raise PassingError(f"HTTP {answer.status_code}: the answer is not a JSON object.")
    return found
