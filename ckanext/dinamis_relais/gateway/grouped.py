"""The ZIP of a grouped mail: one table for people, the contract's JSON, and the papers beside it. Pure."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ckanext.dinamis_relais.gateway.dossier import packed
from ckanext.dinamis_relais.gateway.targets import Group
from ckanext.dinamis_relais.tables import Table, csv_chunks

README = """Envoi groupé du relais {relay} : {stem}.

{stem}.csv    une ligne par demande (UTF-8, séparateur « ; », dates françaises)
{stem}.json   les mêmes, telles que le contrat du guichet les décrit, sous leur identifiant ;
              là où le contrat porte les octets d'une pièce (content), file nomme ici le fichier joint,
              ou rien quand la pièce était trop lourde pour ce courriel : elle est à demander au relais
pieces/       les pièces, s'il y en a, un dossier par ligne du tableau
SHA256SUMS    l'empreinte de chaque fichier ; pour la vérifier : sha256sum -c SHA256SUMS
"""


@dataclass(frozen=True)
class Item:
    """One thing as it leaves.

    :ivar row: the row of its table in the database
    :ivar cells: its row of the table that people read
    :ivar body: what the contract carries, its papers named in place of their bytes
    :ivar files: its papers, name → bytes
    :ivar size: bytes that it takes at most in the ZIP
    """

    row: Any
    cells: Sequence[Any]
    body: dict[str, Any]
    files: dict[str, bytes]
    size: int


def _plain(name: str) -> str:
    """A file's name that any disk takes, its ending kept."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9.]+", "-", plain).strip("-.")[-80:].lstrip("-.") or "piece"


def item(group: Group, row: Any, body: dict[str, Any], limit: int) -> Item:
    """A thing with its papers taken out of the contract's JSON, as many as the limit lets through, in their order.

    :param body: what the contract carries; papers under ``documents``
    :param limit: most bytes of papers
    """
    files: dict[str, bytes] = {}
    papers = []
    for number, document in enumerate(body.get("documents", []), 1):
        told = {name: value for name, value in document.items() if name != "content"}
        name = None
        if sum(map(len, files.values())) + document["size"] <= limit:
            name = f"pieces/{row.id}/{number:02d}-{_plain(document['title'])}"
            files[name] = base64.b64decode(document["content"])
        papers.append({**told, "file": name})
    told = {**body, "documents": papers} if "documents" in body else body
    size = len(json.dumps(told, ensure_ascii=False).encode()) * 2 + sum(map(len, files.values()))
    return Item(row, group.cells(row, told), told, files, size)


def parts(items: Iterable[Item], limit: int) -> Iterator[list[Item]]:
    """The items in parts of which each fits into one mail; one that alone is larger is a part of its own.

    :param limit: bytes of a part
    """
    part: list[Item] = []
    for one in items:
        if part and sum(other.size for other in part) + one.size > limit:
            yield part
            part = []
        part.append(one)
    if part:
        yield part


def archive(group: Group, items: Sequence[Item], relay: str, zone: dt.tzinfo) -> bytes:
    """The ZIP of one mail; the same items are the same bytes.

    :param zone: in which the table tells times
    """
    table = Table(group.stem, group.columns, [one.cells for one in items])
    bodies = {one.row.id: one.body for one in items}
    files = {
        "LISEZMOI.txt": README.format(relay=relay, stem=group.stem).encode(),
        f"{group.stem}.csv": b"".join(csv_chunks(table, zone)),
        f"{group.stem}.json": (json.dumps(bodies, ensure_ascii=False, indent=2) + "\n").encode(),
        **group.extras({number: one.body for number, one in enumerate(items, 1)}),
    }
    for one in items:
        files.update(one.files)
    return packed(files)
