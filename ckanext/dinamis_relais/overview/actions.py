"""The actions of the room; each piece of the view has its own file."""

from ckanext.dinamis_relais.overview.health_actions import dinamis_health_check, dinamis_health_show

__all__ = ["dinamis_health_check", "dinamis_health_show"]
