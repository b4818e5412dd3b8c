"""Long work on many things: each row done for itself, with its own result; shown while it goes on, resumed if killed.

A room offers what may be done in quantity as :class:`Handler` objects in its ``batches.py``; its actions call
:func:`prepare` (a dry run that a person reads) and :func:`begin`.
"""

from __future__ import annotations

from ckanext.dinamis_relais.batch.rules import Handler, Outcome, Row
from ckanext.dinamis_relais.batch.work import begin, prepare, run_inline, summary

__all__ = ["Handler", "Outcome", "Row", "begin", "prepare", "run_inline", "summary"]
