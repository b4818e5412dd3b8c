"""What may be wrong with an area, as a kind that the actions put into words."""

from __future__ import annotations

from typing import Any


class AreaProblem(ValueError):
    """An area that is not taken.

    :ivar kind: what is wrong; ``messages.problem`` says it with its remedy
    :ivar values: figures of the sentence
    """

    def __init__(self, kind: str, **values: Any):
        super().__init__(kind)
        self.kind, self.values = kind, values
