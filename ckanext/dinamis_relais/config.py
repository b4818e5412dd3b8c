"""Typed getters of ``config_declaration.yaml``: one function a setting, named after its key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk

PREFIX = "ckanext.dinamis_relais."


def _get(key: str) -> Any:
    return tk.config.get(PREFIX + key)


def _path(key: str) -> Path | None:
    return Path(_get(key)) if _get(key) else None


def site_url() -> str:
    """CKAN's own address, without a slash at its end."""
    return str(tk.config["ckan.site_url"]).rstrip("/")


def scenes_url() -> str:
    """PostgreSQL URL of the scene store; by default ``dinamis_scenes`` on the server of CKAN's database."""
    from sqlalchemy.engine import make_url

    if _get("scenes_url"):
        return _get("scenes_url")
    return make_url(tk.config["sqlalchemy.url"]).set(database="dinamis_scenes").render_as_string(hide_password=False)


def harvest_folder() -> Path | None:
    """Folder whose files may be harvested by a ``file:`` address; None for none."""
    return _path("harvest_folder")


def harvest_stuck_minutes() -> int:
    """Minutes without a sign of life after which a harvest of imagery is ended; 0 for never."""
    return int(_get("harvest_stuck_minutes"))


def private_hosts() -> list[str]:
    """Hosts on private networks that outside calls may reach."""
    return list(_get("private_hosts") or [])


def secret_keys() -> list[str]:
    """Fernet keys, the newest first: the first encrypts, all of them decrypt."""
    return list(_get("secret_keys") or [])


def entity_search_url() -> str:
    """Base address of the API Recherche d'entreprises, without ``/search``."""
    return str(_get("entity_search_url")).rstrip("/")


def geo_api_url() -> str:
    """Base address of API Géo."""
    return str(_get("geo_api_url")).rstrip("/")


def gateway_transport() -> str:
    """``api`` or ``dossier``."""
    return str(_get("gateway.transport"))


def gateway_url() -> str:
    """Base address of DINAMIS's side of the contract, without ``/v1``."""
    return str(_get("gateway.url") or "").rstrip("/")


def gateway_token() -> str:
    """Bearer token for the gateway."""
    return str(_get("gateway.token") or "")


def gateway_poll_seconds() -> int:
    """Seconds between two questions about a decision that is awaited."""
    return int(_get("gateway.poll_seconds"))


def gateway_timeout() -> int:
    """Seconds after which an outside call is given up and tried again later."""
    return int(_get("gateway.timeout"))


def agreement_number_pattern() -> str:
    """``str.format`` pattern of a convention's number; knows ``year`` and ``number``."""
    return str(_get("agreement_number_pattern"))


def signature_link_days() -> int:
    """Days during which a signature link may be used."""
    return int(_get("signature_link_days"))


def signature_code_minutes() -> int:
    """Minutes during which the code that confirms a signature may be typed."""
    return int(_get("signature_code_minutes"))


def timestamp_url() -> str | None:
    """RFC 3161 service that time-stamps what is signed online; None for none."""
    return _get("timestamp_url") or None


def charter_date() -> str:
    """Date of the charter's official text (ISO 8601), printed beside its version."""
    return str(_get("charter_date") or "")


def licences_date() -> str:
    """Date of the licences' official texts (ISO 8601), printed beside their version."""
    return str(_get("licences_date") or "")


def board_email() -> str:
    """Address of DINAMIS's executive board, to which the ``dossier`` transport writes."""
    return str(_get("gateway.board_email") or "")


def dossier_attach_mb() -> int:
    """Largest dossier that its mail carries as a file, in MB (10**6 bytes); 0 for none."""
    return int(_get("gateway.dossier_attach_mb"))


def seal_trust() -> list[Path]:
    """Certificate files (PEM, DER) whose seals and time-stamps are trusted besides the platform's own."""
    return [Path(path) for path in _get("seal_trust") or ()]


def board_link_days() -> int:
    """Days during which the executive board may decide by its one-time link."""
    return int(_get("board_link_days"))


def _days(key: str) -> list[int]:
    words = list(_get(key) or ())
    if not all(str(word).isdecimal() and int(word) for word in words):
        raise ValueError(f"{PREFIX}{key}: whole numbers of days, separated by spaces, for instance 7 21.")
    return sorted({int(word) for word in words})


def reminder_days() -> dict[str, list[int]]:
    """Days of the reminders, ascending; a word that is no number of days is a ValueError that names the setting."""
    keys = ("reminders.signature_days", "reminders.correction_days", "reminders.term_days",
            "reminders.reacceptance_days")  # fmt: skip
    return {key.split(".")[1].removesuffix("_days"): _days(key) for key in keys}


def membership_months() -> int:
    """Months that a membership lasts; 0 for one without an end."""
    return int(_get("membership_months"))


def renewal_days() -> int:
    """Days before the end of a term from which its renewal may be opened."""
    return int(_get("renewal_days"))


def reacceptance_answer_days() -> int:
    """Days that a member has to accept new versions of the texts."""
    return int(_get("reacceptance_answer_days"))


def proof_mb() -> int:
    """Largest paper that is uploaded as proof, in MB (10**6 bytes)."""
    return int(_get("proof_mb"))


def relay_name() -> str:
    """Name of the relay as printed on documents."""
    return str(_get("relay_name"))


def relay_operator() -> str:
    """Legal name of the body that runs the relay, as printed on documents."""
    return str(_get("relay_operator"))


def contact_email() -> str:
    """Address of the super-référent: replies to our mails go to a person."""
    return str(_get("contact_email") or tk.config.get("smtp.mail_from") or "")


def charter_version() -> str:
    """Version of the charter that is accepted by signing."""
    return str(_get("charter_version"))


def licences_version() -> str:
    """Version of the licences that are accepted by signing."""
    return str(_get("licences_version"))


def user_charter_version() -> str:
    """Version of the charter of use that each person accepts."""
    return str(_get("user_charter_version"))


def user_charter() -> Path | None:
    """File with the operator's charter of use; None for the shipped model."""
    return _path("user_charter")


def invitation_days() -> int:
    """Days during which an invitation may be used."""
    return int(_get("invitation_days"))


def request_link_hours() -> int:
    """Hours during which the address of an account request may be confirmed."""
    return int(_get("request_link_hours"))


def requests_per_address() -> int:
    """Account requests about which one e-mail address may be written to, per hour."""
    return int(_get("requests_per_address"))


def requests_per_client() -> int:
    """Account requests and tries of a link that one network address may make, per hour."""
    return int(_get("requests_per_client"))


def keep_registration() -> bool:
    """Whether CKAN's own self-registration page stays as it is."""
    return bool(_get("keep_registration"))


def dormant_days() -> int:
    """Days without a visit after which an account is proposed for closing; 0 for never."""
    return int(_get("dormant_days"))


def erasure_days() -> int:
    """Days after an account's end after which the person's details are erased; 0 for never by itself."""
    return int(_get("erasure_days"))


def public_mailboxes() -> frozenset[str]:
    """Domains that give an address to anybody."""
    return frozenset(str(domain).lower() for domain in _get("public_mailboxes") or ())


def document_templates() -> Path | None:
    """The operator's folder of Typst templates, which replace ours file by file."""
    return _path("document_templates")


def seal_pkcs12() -> Path | None:
    """PKCS#12 file with the platform's sealing certificate; without one, documents are not sealed."""
    return _path("seal_pkcs12")


def seal_password() -> str | None:
    """Password of the PKCS#12 file."""
    return _get("seal_password") or None


def map_tiles_url() -> str:
    """Address pattern of the maps' base tiles (``{z}``, ``{x}``, ``{y}``); empty for the plain base."""
    return str(_get("map_tiles_url") or "")


def map_attribution() -> str:
    """Credit line of the base tiles, shown on the maps."""
    return str(_get("map_attribution") or "")


def signing_url() -> str:
    """Base address of the signing service, without a final slash."""
    return str(_get("signing.url")).rstrip("/")


def signing_hosts() -> frozenset[str]:
    """Hosts whose addresses are signed: a name stands for its subdomains too, ``name:port`` for exactly that."""
    return frozenset(str(host) for host in _get("signing.hosts") or ())


def signing_client_id() -> str:
    """Client id at the identity provider of the signing service."""
    return str(_get("signing.client_id"))


def signing_scope() -> str:
    """Scope that is asked of the identity provider."""
    return str(_get("signing.scope"))


def image_licences() -> Path | None:
    """The operator's file of licences; None for the shipped model."""
    return _path("image_licences")


def download_quotas() -> Path | None:
    """The operator's file of quotas; None for no quota."""
    return _path("download_quotas")


def questions_per_person() -> int:
    """Messages of questions that one person may write, per hour."""
    return int(_get("questions_per_person"))


def question_files() -> int:
    """Files that may come with one message of a question."""
    return int(_get("question_files"))


def question_file_mb() -> int:
    """Largest file of a question, in MB (10**6 bytes)."""
    return int(_get("question_file_mb"))


def question_thread_mb() -> int:
    """All files of one question together, in MB (10**6 bytes)."""
    return int(_get("question_thread_mb"))


def question_late_days() -> int:
    """Days after which a question that waits for PIGMA is marked as late; 0 for never."""
    return int(_get("question_late_days"))


def late_days() -> int:
    """Days after which what waits for a person is marked as late, where it has no date of its own; 0 for never."""
    return int(_get("late_days"))


def departments() -> list[str]:
    """Insee's codes of the départements that the map of members draws, members or not."""
    return [str(code) for code in _get("departments") or ()]


def operator_email() -> str:
    """Address of who runs the server, for what must be kept elsewhere; empty for nobody."""
    return str(_get("operator_email") or "")


def journal_retention_days() -> int:
    """Days after which lines of the journal are deleted; 0 for never."""
    return int(_get("journal_retention_days"))


def metrics_token() -> str:
    """Bearer token of the metrics; empty for no metrics."""
    return str(_get("metrics_token") or "")


def health_delivery_minutes() -> int:
    """Minutes that a delivery may be owed; 0 for any time."""
    return int(_get("health_delivery_minutes"))


def health_harvest_hours() -> int:
    """Hours that the last finished harvest may lie back; 0 for any time."""
    return int(_get("health_harvest_hours"))


def health_scenes_gb() -> int:
    """Largest scene store, in GB (10**9 bytes); 0 for any."""
    return int(_get("health_scenes_gb"))


def health_certificate_days() -> int:
    """Days before the sealing certificate's end from which the operator is warned."""
    return int(_get("health_certificate_days"))


def time_zone() -> str:
    """The zone of the days and months that are counted: the site's display time zone when it names one, else UTC."""
    from zoneinfo import ZoneInfo

    name = str(tk.config.get("ckan.display_timezone") or "UTC")
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return "UTC"  # "server": what PostgreSQL calls the server's zone is not known here
    return name


def request_products() -> list[str]:
    """Resolutions that may be asked for, as ``NAME:METRES``."""
    return list(_get("request_products") or [])


def request_window_days() -> int:
    """Fewest days that the period of a request for an image lasts."""
    return int(_get("request_window_days"))


def request_lead_days() -> int:
    """Fewest days from today to the end of a request's period."""
    return int(_get("request_lead_days"))


def request_max_km2() -> int:
    """Largest area of a request, in square kilometres; 0 for any."""
    return int(_get("request_max_km2"))


def request_area_mb() -> int:
    """Largest file of an area, in MB (10**6 bytes)."""
    return int(_get("request_area_mb"))


def request_area_unpacked_mb() -> int:
    """Largest content of an archive with an area, in MB (10**6 bytes)."""
    return int(_get("request_area_unpacked_mb"))


def request_area_points() -> int:
    """Most points of an area."""
    return int(_get("request_area_points"))


def request_quotas() -> Path | None:
    """The operator's file of quotas of new images; None for no quota."""
    return _path("request_quotas")


def requests_per_person() -> int:
    """Requests for images that one person may send, per day."""
    return int(_get("requests_per_person"))
