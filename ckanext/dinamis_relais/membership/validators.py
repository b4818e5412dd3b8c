"""Validators that scheming's organisation form uses."""

from ckanext.dinamis_relais.membership.schema import siren as dinamis_siren
from ckanext.dinamis_relais.membership.schema import siret as dinamis_siret

__all__ = ["dinamis_siren", "dinamis_siret"]
