"""Who grants roles and sees who holds them."""

from ckanext.dinamis_relais.authority import guard

__all__ = ["dinamis_role_grant", "dinamis_role_list", "dinamis_role_revoke"]

dinamis_role_grant = guard("role.grant")
dinamis_role_revoke = guard("role.grant")
dinamis_role_list = guard("role.list")
