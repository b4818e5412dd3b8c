"""What each transition of a file does, in order, none of it hidden: all in the caller's transaction.

:func:`apply` is the one way a file changes its state. It never commits and never uses the network.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model

from ckanext.dinamis_relais.db import isoformat, session, utcnow
from ckanext.dinamis_relais.journal import Event, record
from ckanext.dinamis_relais.machine import GuardError, Transition
from ckanext.dinamis_relais.membership import deeds, dossiers, letters, papers, rules, signing, terms
from ckanext.dinamis_relais.membership.machines import APPLICATION
from ckanext.dinamis_relais.membership.model import Application, SignatureLink
from ckanext.dinamis_relais.membership.proofs import Proof

Data = dict[str, Any]


def _complete(application: Application, data: Data) -> None:
    del data
    lacking = rules.missing(as_rules(application))
    if lacking:
        raise GuardError(
            "transition", tk._("The file is not complete. Missing: {fields}.").format(fields=", ".join(lacking))
        )


def _all_accepted(application: Application, data: Data) -> None:
    refused = rules.not_accepted(data.get("accepted") or {}, application.with_agreement)
    if refused:
        raise GuardError(
            "accepted", tk._("Tick every box to sign. Not ticked: {names}.").format(names=", ".join(refused))
        )


def _entity_checked(application: Application, data: Data) -> None:
    del data
    if application.entity_checked_at is None:
        raise GuardError(
            "siren",
            tk._(
                "The SIREN could not be checked yet: Recherche d'entreprises did not answer. "
                "The file is kept; try again in a few minutes."
            ),
        )


GUARDS: dict[str, Callable[[Application, Data], None]] = {
    "complete": _complete,
    "all_accepted": _all_accepted,
    "entity_checked": _entity_checked,
    "paper": signing.paper_guard,
    "reacceptance": terms.register_guard,
}


def as_rules(application: Application) -> Data:
    """The file as the pure rules read it."""
    names = ("siren", "category", "territory_code", "representative", "justification")
    return {name: getattr(application, name) for name in names}


def _confirm_eligibility(application: Application, row: Transition, actor: str, data: Data) -> None:
    application.eligibility = {
        "presumption": rules.presumption(application.legal_category).level,
        "note": (data.get("note") or "").strip(),
        "checked_at": isoformat(utcnow()),
        "checked_by": actor,
    }
    application.submitted_at = utcnow()
    application.owe()
    letters.send(row.mail or "", application)


def _decide(application: Application, actor: str, data: Data) -> deeds.Decision:
    ready = data.get("decision")
    decided = ready if isinstance(ready, deeds.Decision) else deeds.decision(actor, data)
    application.decided_at, application.decided_on = decided.at, decided.on
    application.decided_by = actor
    application.decided_name = decided.name
    application.decision_reference = decided.reference
    application.decision_via = decided.via
    _answered(application, actor, data)
    return decided


def _answered(application: Application, actor: str, data: Data) -> None:
    """Keep the board's written answer, if that is how it came; its links end."""
    if isinstance(data.get("proof"), Proof):
        proof: Proof = data["proof"]
        papers.keep(application, "board_answer", proof.content, actor, media_type=proof.media_type)
    dossiers.end_links(application)


def _accept(application: Application, row: Transition, actor: str, data: Data) -> None:
    decided = _decide(application, actor, data)
    membership = terms.grant(application, actor, decided.effect)
    _publish(application)
    deed = deeds.make(application, decided, membership.since, data.get("deed"))
    papers.keep(application, "membership_deed", deed, actor)
    letters.send(row.mail or "", application)


def _register_acceptance(application: Application, row: Transition, actor: str, data: Data) -> None:
    del data
    terms.grant(application, actor, utcnow())
    letters.send(row.mail or "", application)


def _publish(application: Application) -> None:
    """Put the public descriptors of a member on its organisation."""
    organization = model.Group.get(application.organization_id)
    public = {
        "dinamis_siren": application.siren,
        "dinamis_legal_category": application.legal_category,
        "dinamis_territory_kind": application.territory_kind,
        "dinamis_territory_code": application.territory_code,
    }
    if organization is not None:
        site = tk.get_action("get_site_user")({"ignore_auth": True, "defer_commit": True}, {})
        context: Any = {"ignore_auth": True, "defer_commit": True, "user": site["name"]}
        patch = {"id": organization.id, **{key: value for key, value in public.items() if value}}
        tk.get_action("organization_patch")(context, patch)


def _refuse(application: Application, row: Transition, actor: str, data: Data) -> None:
    _decide(application, actor, data)
    letters.send(row.mail or "", application)


def _ask_changes(application: Application, row: Transition, actor: str, data: Data) -> None:
    application.returns_to = row.source
    if row.source == "submitted":
        _answered(application, actor, data)
    letters.send(row.mail or "", application)


def _resubmit(application: Application, row: Transition, actor: str, data: Data) -> None:
    if row.target == "submitted":
        application.submitted_at = utcnow()
        application.owe()
        letters.send(row.mail or "", application)
        return
    target = application.returns_to
    query = (
        sa.select(SignatureLink)
        .where(SignatureLink.application_id == application.id, SignatureLink.used_at.is_not(None))
        .order_by(SignatureLink.used_at.desc())
    )
    signed = session().execute(query).scalars().first()
    if signed and signed.evidence["digest"] != rules.signed_digest(signing.signed_fields(application)):
        target = "awaiting_signature"
        signing.request(application, APPLICATION.row("draft", "request_signature"), actor, data)
    elif target == "submitted":
        application.owe()
    application.returns_to = target


def _withdraw(application: Application, row: Transition, actor: str, data: Data) -> None:
    del actor, data
    signing.revoke_links(application)
    dossiers.end_links(application)
    if application.version:
        application.owe()
    letters.send(row.mail or "", application)


EFFECTS: dict[str, Callable[[Application, Transition, str, Data], None]] = {
    "request_signature": signing.request,
    "resend_signature": signing.request,
    "delegate_signature": signing.delegate,
    "revoke_signature": signing.revoke,
    "record_signature": signing.record_paper,
    "sign": signing.sign,
    "confirm_eligibility": _confirm_eligibility,
    "decline_eligibility": _refuse,
    "accept": _accept,
    "register_acceptance": _register_acceptance,
    "refuse": _refuse,
    "defer": _refuse,
    "ask_changes": _ask_changes,
    "resubmit": _resubmit,
    "withdraw": _withdraw,
}


#: (kind of file, state) → the transition that follows by itself.
FOLLOWS = {("reacceptance", "signed"): "register_acceptance"}


def apply(application: Application, name: str, actor: str, data: Data) -> Transition:
    """Take a file (its row locked) through one transition, with all that follows from it.

    :param name: a transition of ``machines.APPLICATION``
    :param actor: as in ``journal.record``
    :param data: ``reason``, and what the transition's effect asks for
    :raises machine.TransitionError: not possible from the present state
    :raises GuardError: a condition does not hold, or a reason is missing
    """
    row = APPLICATION.row(application.state, name)
    if row.reason and not (data.get("reason") or "").strip():
        raise GuardError("reason", tk._("Say why: the reason is part of the message that will leave."))
    if row.guard:
        GUARDS[row.guard](application, data)
    source = application.state
    application.reason = (data.get("reason") or "").strip() or None
    effect = EFFECTS.get(name)
    if effect:
        effect(application, row, actor, data)
    application.state = application.returns_to if row.target == "@returns_to" else row.target
    if row.target == "@returns_to":
        application.returns_to = None
    application.state_since = utcnow()
    session().flush()
    written = deeds.given_on(data)
    more: Data = {"given_on": written.isoformat()} if written else {}
    record(Event(row.event), actor, "application", application.id, application.organization_id,
           state_from=source, state_to=application.state, reason=application.reason,
           **more)  # fmt: skip
    following = FOLLOWS.get((application.kind, application.state))
    if following:
        apply(application, following, "system", {})
    return row
