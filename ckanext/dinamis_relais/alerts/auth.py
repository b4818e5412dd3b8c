"""What is new is as public as the catalogue of scenes; who is told of it by mail has a login."""

from ckanext.dinamis_relais.authority import guard

__all__ = [
    "dinamis_scene_latest",
    "dinamis_watch_create",
    "dinamis_watch_delete",
    "dinamis_watch_list",
    "dinamis_watch_stop",
    "dinamis_watch_stop_show",
]

dinamis_scene_latest = guard("scene.read", anonymous=True)
# For oneself only: the actions take no other person.
dinamis_watch_create = guard("alert.receive")
dinamis_watch_list = guard("alert.receive")
dinamis_watch_delete = guard("alert.receive")
# The link of the mail is the right.
dinamis_watch_stop_show = guard("scene.read", anonymous=True)
dinamis_watch_stop = guard("scene.read", anonymous=True)
