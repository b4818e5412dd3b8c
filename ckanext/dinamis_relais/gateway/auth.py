"""Who sees deliveries and sends them again; who sends grouped mails and records what DINAMIS answers."""

from ckanext.dinamis_relais.authority import guard

__all__ = [
    "dinamis_delivery_list",
    "dinamis_delivery_retry",
    "dinamis_sending_answer",
    "dinamis_sending_create",
    "dinamis_sending_file",
    "dinamis_sending_list",
    "dinamis_sending_proof",
    "dinamis_sending_show",
]

dinamis_delivery_list = guard("delivery.read")
dinamis_delivery_retry = guard("delivery.retry")
dinamis_sending_list = guard("delivery.read")
dinamis_sending_show = guard("delivery.read")
dinamis_sending_file = guard("delivery.read")
dinamis_sending_proof = guard("delivery.read")
dinamis_sending_create = guard("delivery.send")
dinamis_sending_answer = guard("delivery.confirm")
