"""The demonstration's people and files, made by the same actions that everyone uses. All of it is fictitious."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Callable
from typing import Any, cast

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model

from ckanext.dinamis_relais.db import session
from ckanext.dinamis_relais.gateway import secrets as vault
from ckanext.dinamis_relais.gateway.model import Mail
from ckanext.dinamis_relais.membership.rules import ACCEPTANCES

#: role → (user name, full name); the outsider belongs to no organisation.
PEOPLE = {
    "sysadmin": ("admin-demo", "Administration (démonstration)"),
    "super_referent": ("camille-pigma", "Camille, super-référente (démonstration)"),
    "executive_board": ("dominique-dinamis", "Dominique, bureau exécutif (démonstration)"),
    "referent": ("sam-begles", "Sam, référent de Bègles (démonstration)"),
    "member": ("lou-begles", "Lou, SIG de Bègles (démonstration)"),
    "outsider": ("alex-exterieur", "Alex, sans structure (démonstration)"),
}
#: Real communes (their SIREN is public): title, SIREN, Insee's code, name, state that their file is taken to.
#: The people, the signatures and the decisions are made up.
FILES = (
    ("Commune de Bègles", "213300395", "33039", "Bègles", "accepted"),
    ("Commune de Périgueux", "212403224", "24322", "Périgueux", "accepted"),
    ("Commune d'Angoulême", "211600150", "16015", "Angoulême", "accepted"),
    ("Commune de Mont-de-Marsan", "214001927", "40192", "Mont-de-Marsan", "accepted"),
    ("Commune de Limoges", "218708501", "87085", "Limoges", "under_review"),
    ("Commune d'Agen", "214700015", "47001", "Agen", "signed"),
    ("Commune de Poitiers", "218601946", "86194", "Poitiers", "submitted"),
    ("Commune de La Rochelle", "211703004", "17300", "La Rochelle", "awaiting_signature"),
    ("Commune de Pau", "216404459", "64445", "Pau", "draft"),
)
_WAY = ("draft", "awaiting_signature", "signed", "under_review", "submitted", "accepted")
#: A person who tries the relay sent the file back: where it stands now is their choice.
_PLAYED = {"application.changes_requested", "application.reopened"}


def _password() -> str:
    """A password for a demonstration that listens on this machine only."""
    return f"demo-{secrets.token_urlsafe(9)}"


def _site() -> Any:
    return {"ignore_auth": True, "user": tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]}


def as_user(name: str) -> Any:
    """The context of an action that a person of the demonstration calls."""
    return {"user": name, "auth_user_obj": model.User.get(name)}


def people(known: dict[str, Any]) -> dict[str, Any]:
    """Users, their roles, passwords and tokens; what ``known`` holds and still works is kept.

    :param known: what an earlier run wrote
    :returns: ``{"tokens": {role: token}, "logins": {role: {"name", "password"}}}``
    """
    tokens, logins = {}, {}
    for role, (name, fullname) in PEOPLE.items():
        user = model.User.get(name)
        login = known.get("logins", {}).get(role)
        if user is None or login is None or not user.validate_password(login["password"]):
            login = {"name": name, "password": _password()}
            _set_user(user, login, fullname, role == "sysadmin")
        logins[role] = login
        token = known.get("tokens", {}).get(role)
        if not token or not _token_works(token):
            token = tk.get_action("api_token_create")(_site(), {"user": name, "name": "demo"})["token"]
        tokens[role] = token
    for role in ("super_referent", "executive_board"):
        tk.get_action("dinamis_role_grant")(as_user(PEOPLE["sysadmin"][0]), {"user": PEOPLE[role][0], "role": role})
    return {"tokens": tokens, "logins": logins}


def _token_works(token: str) -> bool:
    from ckan.lib import api_token

    return api_token.get_user_from_token(token) is not None


def _set_user(user: model.User | None, login: dict[str, str], fullname: str, sysadmin: bool) -> None:
    fields = {**login, "fullname": fullname, "email": f"{login['name']}@demo.example"}
    if user is None:
        tk.get_action("user_create")(_site(), fields)
        user = model.User.get(login["name"])
    else:
        tk.get_action("user_patch")(_site(), {"id": user.id, "password": login["password"]})
    if user is not None and sysadmin:
        user.sysadmin = True
        session().commit()


def catalogue() -> None:
    """The organisation that the harvested series belong to."""
    if model.Group.get("pigma") is None:
        fields = {"name": "pigma", "title": "PIGMA (démonstration)", "description": "Séries d'images moissonnées."}
        tk.get_action("organization_create")(_site(), fields)


def files(report: Any = print) -> None:
    """Files in several states; one of them a member with its two accounts.

    :raises toolkit.ValidationError: an action refuses, for instance while Recherche d'entreprises is down
    """
    for title, siren, code, place, state in FILES:
        file = _found(siren) or _draft(title, siren, code, place)
        if _take(file, state):
            report(f"{title}: {state}")
    begles = tk.get_action("dinamis_membership_list")(as_user(PEOPLE["super_referent"][0]), {"q": FILES[0][1]})
    if begles["results"]:
        for role in ("referent", "member"):
            _account(begles["results"][0]["organization_id"], role)


def _found(siren: str) -> dict[str, Any] | None:
    listed = tk.get_action("dinamis_application_list")(as_user(PEOPLE["super_referent"][0]), {"q": siren})
    return listed["results"][0] if listed["results"] else None


def _draft(title: str, siren: str, code: str, place: str) -> dict[str, Any]:
    slug = unicodedata.normalize("NFKD", place).encode("ascii", "ignore").decode().lower().replace(" ", "-")
    person = {"given_name": "Maxime", "family_name": f"Exemple ({place})"}
    data = {
        "organization_title": title,
        "siren": siren,
        "category": "local_authority",
        "territory_kind": "commune",
        "territory_code": code,
        "territory_name": place,
        "representative": {**person, "function": "Maire", "email": f"maire@{slug}.example"},
        "referent": {"given_name": "Sam", "family_name": "Exemple", "email": f"sig@{slug}.example"},
    }
    return tk.get_action("dinamis_application_create")(as_user(PEOPLE["super_referent"][0]), data)


def _take(file: dict[str, Any], state: str) -> bool:
    """Take a file on to a state, from wherever an earlier run left it; whether there was anything to do."""
    pigma, board = as_user(PEOPLE["super_referent"][0]), as_user(PEOPLE["executive_board"][0])
    id_, reached = file["id"], file["state"]
    history = tk.get_action("dinamis_application_history")(pigma, {"id": id_})["results"]
    played = _PLAYED & {line["event"] for line in history}
    if played or reached not in _WAY or _WAY.index(reached) >= _WAY.index(state):
        return False
    steps: dict[str, Any] = {
        "awaiting_signature": lambda: _step(pigma, id_, "request_signature"),
        "signed": lambda: _sign(id_),
        "under_review": lambda: _step(pigma, id_, "start_review"),
        "submitted": lambda: _step(
            pigma, id_, "confirm_eligibility", note="Vérification fictive, pour la démonstration."
        ),
        "accepted": lambda: _step(board, id_, "accept", reference=f"DÉMO-{file['siren']}"),
    }
    for passed in _WAY[_WAY.index(reached) + 1 : _WAY.index(state) + 1]:
        steps[passed]()
    return True


def _step(context: Any, id_: str, name: str, **more: Any) -> None:
    tk.get_action("dinamis_application_transition")(context, {"id": id_, "transition": name, **more})


def _token(id_: str, names: tuple[str, ...], again: Callable[[], Any]) -> str:
    """The one-time token in the mail that waits; where the worker has sent it by now, a new link is asked for.

    :param id_: of the thing that the mail is about
    :param names: templates that hold the link
    :param again: asks for a new link
    :raises toolkit.ValidationError: each new link leaves before it can be read
    """
    query = sa.select(Mail).where(Mail.object_id == id_, Mail.name.in_(names))
    for _turn in range(5):
        mail = session().execute(query.order_by(Mail.created_at.desc())).scalars().first()
        if mail is not None and mail.secrets:
            return vault.decrypt(mail.secrets)["link"].rsplit("/", 1)[-1]
        again()
    raise tk.ValidationError({"token": ["The mailed links leave before the demonstration can use them."]})


def _sign(id_: str) -> None:
    """As the fictitious mayor would: with the link of the mail."""
    pigma = as_user(PEOPLE["super_referent"][0])
    anonymous: Any = {"user": ""}
    token = _token(id_, ("signature_requested",), lambda: _step(pigma, id_, "resend_signature"))
    accepted = {"token": token, "accepted": dict.fromkeys(ACCEPTANCES, True)}
    ask: Any = lambda: tk.get_action("dinamis_signature_code")(cast(Any, dict(anonymous)), accepted)  # noqa: E731
    ask()
    code = _token(id_, ("signature_code",), ask)
    data = {"token": token, "code": code, "ip": "127.0.0.1", "user_agent": "démonstration"}
    tk.get_action("dinamis_signature_create")(anonymous, data)


def _account(organization_id: str, role: str) -> None:
    name, fullname = PEOPLE[role]
    data = {
        "organization_id": organization_id,
        "email": f"{name}@demo.example",
        "given_name": fullname.split(",")[0],
        "family_name": "Exemple",
        "function": "Systèmes d'information géographique",
        "purpose": "Démonstration",
        "role": role,
    }
    pigma = as_user(PEOPLE["super_referent"][0])
    held = tk.get_action("dinamis_account_list")(pigma, {"q": data["email"]})["results"]
    account = held[0] if held else tk.get_action("dinamis_account_create")(pigma, data)
    if account["charter_accepted_at"] is None and account["state"] in ("validated", "active"):
        _open(account, name)


def _open(account: dict[str, Any], name: str) -> None:
    """As the fictitious person would: with the link of the mail, logged in."""
    pigma = as_user(PEOPLE["super_referent"][0])
    names = ("account_invitation", "account_join")
    token = _token(account["id"], names, lambda: tk.get_action("dinamis_account_invite")(pigma, {"id": account["id"]}))
    session().expire_all()
    tk.get_action("dinamis_account_invitation_accept")(as_user(name), {"token": token, "charter": True})
