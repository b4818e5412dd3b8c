"""The one error of the room."""

from __future__ import annotations


def N_(text: str) -> str:
    """Mark ``text`` as translatable and give it back: this room does not know the language of the reader."""
    return text


class DocumentError(ValueError):
    """A document, an image or a key file that cannot be used.

    ``problem`` and ``remedy`` are English message ids with named ``%(…)s`` places, filled from ``params``, so
    that a caller who knows the reader's language shows ``_(error.problem) % error.params``.
    ``field`` names what the user gave: ``logo``, ``template``, ``data.organization.title``, ``pkcs12``…
    """

    def __init__(self, field: str, problem: str, remedy: str = "", **params: object) -> None:
        self.field = field
        self.problem = problem
        self.remedy = remedy
        self.params = params
        super().__init__(f"{field}: {' '.join(text % params for text in (problem, remedy) if text)}")
