"""Who sees, begins and drops batches; what a row does asks for its own right again."""

from ckanext.dinamis_relais.authority import guard

__all__ = ["dinamis_batch_cancel", "dinamis_batch_show", "dinamis_batch_start"]

dinamis_batch_show = guard("batch.read")
dinamis_batch_start = guard("batch.read")
dinamis_batch_cancel = guard("batch.read")
