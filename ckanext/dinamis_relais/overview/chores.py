"""What the worker does for the global view."""

from ckanext.dinamis_relais.overview.health import beat
from ckanext.dinamis_relais.overview.rollup import keep_counting

__all__ = ["beat", "keep_counting"]
