"""What may be done of membership in quantity; each row is the action for one."""

from __future__ import annotations

from typing import Any, cast

import ckan.plugins.toolkit as tk

from ckanext.dinamis_relais.authority import actor_of
from ckanext.dinamis_relais.batch.rules import UNCHANGED, Handler, Outcome
from ckanext.dinamis_relais.membership import asking, conventions
from ckanext.dinamis_relais.transaction import one_commit

__all__ = ["convention_import", "reacceptance_request", "signature_request"]


def _import(payload: dict[str, Any], params: dict[str, Any], context: Any) -> Outcome:
    del params
    tk.check_access("dinamis_convention_import", context, {})
    with one_commit():
        row, done = conventions.enter(payload["fields"], payload["organization_id"], actor_of(context))
        id_ = row.organization_id
    if done == "unchanged":  # a run that was killed had done it, or somebody else has
        return Outcome(UNCHANGED, tk._("It was so already."), id_)
    return Outcome(message=tk._("Entered.") if done == "entered" else tk._("Changed."), object_id=id_)


def _import_title(params: dict[str, Any]) -> str:
    return tk._("Conventions of the file {name}").format(name=params.get("name") or "CSV")


convention_import = Handler(
    "convention_import", _import, _import_title, "dinamis_partners.list", "dinamis_membership.tab"
)


def _asked(id_: str, organization: str, context: Any) -> Outcome:
    """Ask for the signature of a draft."""
    asked = {"id": id_, "transition": "request_signature"}
    file = tk.get_action("dinamis_application_transition")(cast(Any, {**context}), asked)
    text = tk._("Asked: the mail leaves for {email}.").format(email=file["representative"]["email"])
    return Outcome(message=text, object_id=organization)


def _request(payload: dict[str, Any], params: dict[str, Any], context: Any) -> Outcome:
    """Ask one partner: its draft, or one made from its convention."""
    del params
    tk.check_access("dinamis_signature_request_many", context, {})
    organization = payload["organization_id"]
    draft = asking.draft_of(organization)
    id_ = draft.id if draft else asking.open_from_convention(organization, context)["id"]
    return _asked(id_, organization, context)


def _request_title(params: dict[str, Any]) -> str:
    del params
    return tk._("Signatures to ask for")


def _request_effect(number: int) -> str:
    one = tk.ungettext("%(num)d signature asked for", "%(num)d signatures asked for", number) % {"num": number}
    mails = tk.ungettext("%(num)d mail", "%(num)d mails", number) % {"num": number}
    return f"{one}, {mails}"


signature_request = Handler(
    "signature_request", _request, _request_title, "dinamis_partners.list", "dinamis_membership.tab", _request_effect
)


def _accept_anew(payload: dict[str, Any], params: dict[str, Any], context: Any) -> Outcome:
    """Ask one member: a draft that a killed run left, or a new file."""
    del params
    tk.check_access("dinamis_reacceptance_request_many", context, {})
    organization = payload["organization_id"]
    draft = asking.draft_of(organization, "reacceptance")
    data = {"organization_id": organization, "kind": "reacceptance"}
    create = tk.get_action("dinamis_application_create")
    id_ = draft.id if draft else create(cast(Any, {**context}), data)["id"]
    return _asked(id_, organization, context)


def _accept_title(params: dict[str, Any]) -> str:
    del params
    return tk._("New acceptances to ask for")


reacceptance_request = Handler(
    "reacceptance_request", _accept_anew, _accept_title, "dinamis_partners.list", "dinamis_membership.tab",
    _request_effect,
)  # fmt: skip
