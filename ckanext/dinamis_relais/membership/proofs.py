"""Papers that a person uploads as proof: signed by hand, or the board's written answer. Told by their content."""

from __future__ import annotations

from dataclasses import dataclass

SIGNATURES = {"application/pdf": b"%PDF-", "image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}
EXTENSIONS = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"}
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Proof:
    """A paper that may be kept."""

    media_type: str
    content: bytes


class ProofProblem(ValueError):
    """A file that is no proof; its text is ``empty``, ``large`` or ``type``."""


def check(content: bytes, limit: int) -> Proof:
    """The paper, its type read from its content and never from its name.

    :param limit: largest size, in bytes
    :raises ProofProblem: empty, larger than ``limit``, neither a PDF nor a PNG or JPEG picture, or cut short
    """
    if not content:
        raise ProofProblem("empty")
    if len(content) > limit:
        raise ProofProblem("large")
    media_type = next((m for m, start in SIGNATURES.items() if content.startswith(start)), None)
    whole = {"application/pdf": b"%%EOF", "image/png": b"IEND", "image/jpeg": b"\xff\xd9"}
    if media_type is None or whole[media_type] not in content[-2048:]:
        raise ProofProblem("type")
    return Proof(media_type, content)
