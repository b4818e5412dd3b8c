"""The ``dossier`` transport: what the contract would carry, as a ZIP that people hand over."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import unicodedata
import zipfile
from typing import Any

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.gateway import api
from ckanext.dinamis_relais.gateway.targets import Parcel

EXTENSIONS = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"}
#: One date for all that is inside: the same state is the same bytes.
_WHEN = (1980, 1, 1, 0, 0, 0)
README = """Dossier remis par le relais {relay}.

dossier.json  l'état présent, tel que le contrat du guichet le décrit (pièces comprises, en base64)
pieces/       les pièces, dans l'ordre où elles ont été établies
SHA256SUMS    l'empreinte de chaque fichier ; pour la vérifier : sha256sum -c SHA256SUMS
"""


def enabled() -> bool:
    """Whether what leaves for DINAMIS leaves by the contract's service, or as dossiers."""
    return api.enabled() or config.gateway_transport() == "dossier"


def send(parcel: Parcel) -> dict[str, Any]:
    """Call the contract's service; as a dossier nothing is called: keeping it and its mail are part of the outcome.

    :returns: the service's answer, or ``{"dossier": body}``
    """
    if config.gateway_transport() == "dossier":
        return {} if parcel.poll else {"dossier": parcel.body}
    return api.send(parcel)


def _name(number: int, document: dict[str, Any]) -> str:
    plain = unicodedata.normalize("NFKD", document["title"]).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:80] or document["kind"]
    return f"pieces/{number:02d}-{words}.{EXTENSIONS.get(document['media_type'], 'bin')}"


def archive(body: dict[str, Any], documents: list[dict[str, Any]]) -> bytes:
    """The ZIP: ``dossier.json``, the papers, ``SHA256SUMS`` of all of it, and what each is.

    :param body: what the contract carries
    :param documents: papers in the contract's form (``kind``, ``title``, ``media_type``, ``content`` in base64)
    """
    files = {
        "dossier.json": (json.dumps(body, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode(),
        "LISEZMOI.txt": README.format(relay=config.relay_name()).encode(),
    }
    for number, document in enumerate(documents, 1):
        files[_name(number, document)] = base64.b64decode(document["content"])
    return packed(files)


def packed(files: dict[str, bytes]) -> bytes:
    """Files as a ZIP, with ``SHA256SUMS`` of all of them; the same files are the same bytes.

    :param files: name → bytes
    """
    everything = dict(files)
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items())
    everything["SHA256SUMS"] = sums.encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in everything.items():
            entry = zipfile.ZipInfo(name, _WHEN)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            zipped.writestr(entry, content)
    return out.getvalue()
