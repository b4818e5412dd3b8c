"""The room's part of the action API; each action lives beside those of the same task."""

from __future__ import annotations

from ckanext.dinamis_relais.access.basket import dinamis_basket_add, dinamis_basket_remove, dinamis_basket_show
from ckanext.dinamis_relais.access.identity import (
    dinamis_identity_link_delete,
    dinamis_identity_link_finish,
    dinamis_identity_link_show,
    dinamis_identity_link_start,
)
from ckanext.dinamis_relais.access.licences import dinamis_licence_accept, dinamis_licence_list
from ckanext.dinamis_relais.access.signing import dinamis_asset_sign, dinamis_download_list, dinamis_download_rights

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
