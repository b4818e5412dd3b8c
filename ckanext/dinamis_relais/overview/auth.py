"""Who sees the whole."""

from ckanext.dinamis_relais.authority import guard

__all__ = ["dinamis_health_check", "dinamis_health_show"]

dinamis_health_check = guard("health.check", anonymous=True)
dinamis_health_show = guard("health.read")
