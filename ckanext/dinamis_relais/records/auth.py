"""Records are public: they are made for other catalogues."""

from ckanext.dinamis_relais.authority import guard

__all__ = ["dinamis_record_list", "dinamis_record_show"]

dinamis_record_list = guard("scene.read", anonymous=True)
dinamis_record_show = guard("scene.read", anonymous=True)
