"""What the whole site stands on."""

from __future__ import annotations

import ckan.plugins.toolkit as tk

from ckanext.dinamis_relais.config.base import PREFIX, get

__all__ = [
    "clock_zone",
    "contact_email",
    "demonstration",
    "departments",
    "geo_api_url",
    "late_days",
    "map_attribution",
    "map_tiles_url",
    "operator_email",
    "private_hosts",
    "relay_name",
    "relay_operator",
    "secret_keys",
    "site_url",
    "time_zone",
]


def site_url() -> str:
    """CKAN's own address, without a slash at its end."""
    return str(tk.config["ckan.site_url"]).rstrip("/")


def private_hosts() -> list[str]:
    """Hosts on private networks that outside calls may reach."""
    return list(get("private_hosts") or [])


def secret_keys() -> list[str]:
    """Fernet keys, the newest first: the first encrypts, all of them decrypt."""
    return list(get("secret_keys") or [])


def relay_name() -> str:
    """Name of the relay as printed on documents."""
    return str(get("relay_name"))


def relay_operator() -> str:
    """Legal name of the body that runs the relay, as printed on documents."""
    return str(get("relay_operator"))


def demonstration() -> bool:
    """Whether this site is a demonstration: its documents and reports say that they are worth nothing."""
    return bool(get("demonstration"))


def contact_email() -> str:
    """Address of the super-référent: replies to our mails go to a person."""
    return str(get("contact_email") or tk.config.get("smtp.mail_from") or "")


def operator_email() -> str:
    """Address of who runs the server, for what must be kept elsewhere; empty for nobody."""
    return str(get("operator_email") or "")


def clock_zone() -> str:
    """The zone of the relay's own clock: of hours and days at which something happens by itself.

    :raises ValueError: names what is no zone
    """
    from zoneinfo import ZoneInfo

    name = str(get("clock_zone"))
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{PREFIX}clock_zone: '{name}' is no time zone, such as Europe/Paris.") from error
    return name


def time_zone() -> str:
    """The zone of the days and months that are counted: the site's display time zone when it names one, else UTC."""
    from zoneinfo import ZoneInfo

    name = str(tk.config.get("ckan.display_timezone") or "UTC")
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return "UTC"  # "server": what PostgreSQL calls the server's zone is not known here
    return name


def departments() -> list[str]:
    """Insee's codes of the relay's départements: drawn on the map of members, and their coverage is made ready."""
    return [str(code) for code in get("departments") or ()]


def map_tiles_url() -> str:
    """Address pattern of the maps' base tiles (``{z}``, ``{x}``, ``{y}``); empty for the plain base."""
    return str(get("map_tiles_url") or "")


def map_attribution() -> str:
    """Credit line of the base tiles, shown on the maps."""
    return str(get("map_attribution") or "")


def geo_api_url() -> str:
    """Base address of API Géo."""
    return str(get("geo_api_url")).rstrip("/")


def late_days() -> int:
    """Days after which what waits for a person is marked as late, where it has no date of its own; 0 for never."""
    return int(get("late_days"))
