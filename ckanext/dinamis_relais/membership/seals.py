"""The check of a paper that is kept: its bytes against the hash that was journalled, its seal by the PDF itself."""

from __future__ import annotations

import hashlib
import logging
from typing import Any

from cryptography.x509 import Certificate

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.db import isoformat
from ckanext.dinamis_relais.documents.certificates import certificate_of, read_certificates
from ckanext.dinamis_relais.documents.errors import DocumentError
from ckanext.dinamis_relais.membership import dictize
from ckanext.dinamis_relais.membership.model import Document

log = logging.getLogger(__name__)


def trusted() -> list[Certificate]:
    """Certificates whose seals count: the platform's own, and those that the operator lists."""
    found: list[Certificate] = []
    own = config.seal_pkcs12()
    try:
        if own:
            found.append(certificate_of(own, config.seal_password()))
        found += read_certificates(config.seal_trust())
    except DocumentError as error:
        log.error("Seals cannot all be checked: %s", error)
    return found


def checked(row: Document) -> dict[str, Any]:
    """A paper as the action API answers it, with ``check``: ``{unchanged, seal, signer, sealed_at, timestamped}``.

    ``seal`` is ``valid``, ``broken``, or None for a paper that was kept without one.
    """
    from ckanext.dinamis_relais.documents.seal import verify

    content = bytes(row.content)
    found: dict[str, Any] = {"unchanged": hashlib.sha256(content).hexdigest() == row.sha256, "seal": None}
    if row.sealed:
        result = verify(content, trusted())
        found |= {
            "seal": "valid" if result.valid else "broken",
            "signer": result.signer,
            "sealed_at": isoformat(result.signed_at),
            "timestamped": result.timestamped,
            "problems": result.problems,
        }
    return {**dictize.document(row), "check": found}
