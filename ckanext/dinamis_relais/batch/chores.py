"""What the worker does of batches, round by round."""

from ckanext.dinamis_relais.batch.work import run_round

__all__ = ["run_round"]
