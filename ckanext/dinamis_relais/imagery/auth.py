"""The catalogue of scenes is public."""

from ckanext.dinamis_relais.authority import guard

__all__ = ["dinamis_scene_coverage", "dinamis_scene_search", "dinamis_scene_show"]

dinamis_scene_coverage = guard("scene.read", anonymous=True)
dinamis_scene_search = guard("scene.read", anonymous=True)
dinamis_scene_show = guard("scene.read", anonymous=True)
