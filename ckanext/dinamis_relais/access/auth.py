"""Who links a login, accepts a licence, signs and downloads: everybody for themselves, and nobody for another."""

from __future__ import annotations

from ckanext.dinamis_relais.authority import guard

__all__ = [
    "dinamis_asset_sign",
    "dinamis_basket_add",
    "dinamis_basket_remove",
    "dinamis_basket_show",
    "dinamis_download_list",
    "dinamis_download_rights",
    "dinamis_identity_link_delete",
    "dinamis_identity_link_finish",
    "dinamis_identity_link_show",
    "dinamis_identity_link_start",
    "dinamis_licence_accept",
    "dinamis_licence_list",
]

dinamis_licence_list = guard("licence.read", anonymous=True)
dinamis_download_rights = guard("licence.read", anonymous=True)
dinamis_licence_accept = guard("access.own")
dinamis_identity_link_start = guard("access.own")
dinamis_identity_link_finish = guard("access.own")
dinamis_identity_link_show = guard("access.own")
dinamis_identity_link_delete = guard("access.own")
dinamis_asset_sign = guard("access.own")
dinamis_download_list = guard("access.own")
dinamis_basket_show = guard("access.own")
dinamis_basket_add = guard("access.own")
dinamis_basket_remove = guard("access.own")
