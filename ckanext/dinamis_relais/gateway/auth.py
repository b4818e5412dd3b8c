"""Who sees deliveries and sends them again."""

from ckanext.dinamis_relais.authority import guard

__all__ = ["dinamis_delivery_list", "dinamis_delivery_retry"]

dinamis_delivery_list = guard("delivery.read")
dinamis_delivery_retry = guard("delivery.retry")
