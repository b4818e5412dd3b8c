"""What is new is as public as the catalogue of scenes."""

from ckanext.dinamis_relais.authority import guard

__all__ = ["dinamis_scene_latest"]

dinamis_scene_latest = guard("scene.read", anonymous=True)
