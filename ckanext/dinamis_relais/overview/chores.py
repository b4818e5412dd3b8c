"""What the worker does for the global view."""

from ckanext.dinamis_relais.overview.health import beat

__all__ = ["beat"]
