"""Who reads guides, who writes them."""

from __future__ import annotations

from ckanext.dinamis_relais.authority import guard

__all__ = [
    "dinamis_guide_create",
    "dinamis_guide_list",
    "dinamis_guide_restore",
    "dinamis_guide_show",
    "dinamis_guide_transition",
    "dinamis_guide_update",
    "dinamis_guide_versions",
]

# Drafts are shown to who may write only; the actions see to it.
dinamis_guide_list = guard("guide.read", anonymous=True)
dinamis_guide_show = guard("guide.read", anonymous=True)
dinamis_guide_create = guard("guide.write")
dinamis_guide_update = guard("guide.write")
dinamis_guide_transition = guard("guide.write")
dinamis_guide_versions = guard("guide.write")
dinamis_guide_restore = guard("guide.write")
