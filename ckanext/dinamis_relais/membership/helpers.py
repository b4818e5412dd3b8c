"""Words of membership for the pages: steps, who must act, what a presumption means."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from markupsafe import Markup

from ckanext.dinamis_relais import config
from ckanext.dinamis_relais.authority import Role, holders
from ckanext.dinamis_relais.gateway.mailer import LINK
from ckanext.dinamis_relais.membership import rules
from ckanext.dinamis_relais.portal.words import words

__all__ = [
    "dinamis_acceptance_label",
    "dinamis_category_choices",
    "dinamis_category_label",
    "dinamis_entity_title",
    "dinamis_kind_button",
    "dinamis_kind_label",
    "dinamis_letter_label",
    "dinamis_letter_text",
    "dinamis_link_label",
    "dinamis_missing_label",
    "dinamis_organization_choices",
    "dinamis_organization_membership",
    "dinamis_partner_badge",
    "dinamis_partner_label",
    "dinamis_partner_next",
    "dinamis_presumption",
    "dinamis_reminder_label",
    "dinamis_stamps",
    "dinamis_step_label",
    "dinamis_team_choices",
    "dinamis_territory_choices",
    "dinamis_territory_kind_label",
    "dinamis_transition_done",
    "dinamis_waiting_for",
]


def dinamis_step_label(name: str) -> str:
    """A step of the procedure, in its own words."""
    return {
        "amendment": tk._("Amendment"),
        "eligibility": tk._("Eligibility"),
        "board": tk._("DINAMIS's decision"),
        "member": tk._("Member"),
    }[name]


def _acting() -> dict[str, str]:
    return {
        "pigma": tk._("PIGMA must act."),
        "signatory": tk._("The legal representative must sign."),
        "partner": tk._("The organisation must complete its file."),
        "board": tk._("DINAMIS's executive board must decide."),
        "nobody": tk._("Nobody has to act."),
    }


def dinamis_waiting_for(who: str) -> str:
    """Who must act now, as a sentence."""
    return words(_acting)[who]


def dinamis_presumption(presumption: dict[str, str]) -> str:
    """A presumption of eligibility and why; the decision is the board's."""
    return {
        "state": tk._("Presumed eligible: a body of the State."),
        "local_authority": tk._("Presumed eligible: a local authority."),
        "public_establishment": tk._("Presumed eligible: a public establishment or a body of cooperation."),
        "public_body": tk._("Presumed eligible: a body under public law."),
        "industrial_public_establishment": tk._(
            "Presumed eligible: an industrial and commercial public establishment."
        ),
        "association": tk._("To be justified: an association shows a mission of public interest."),
        "company": tk._("Only as contractor of a public body, or for its own research: to be justified."),
        "sole_trader": tk._("Only as contractor of a public body, or for own research: to be justified."),
    }.get(presumption["why"], tk._("No presumption from the legal category: PIGMA checks with DINAMIS."))


def dinamis_category_label(name: str) -> str:
    """A category of entity."""
    return {
        "state": tk._("Service of the State"),
        "local_authority": tk._("Local authority"),
        "public_establishment": tk._("Public establishment"),
        "research": tk._("Research and higher education"),
        "association": tk._("Association"),
        "contractor": tk._("Contractor of a public body"),
        "other": tk._("Other"),
    }.get(name, name)


def dinamis_territory_kind_label(name: str) -> str:
    """A kind of territory."""
    return {
        "commune": tk._("Commune"),
        "epci": tk._("Intercommunal body (EPCI)"),
        "departement": tk._("Département"),
        "region": tk._("Region"),
    }.get(name, name)


def dinamis_entity_title(name: str) -> str:
    """An official name in capitals as people write it."""
    return rules.entity_title(name)


def dinamis_missing_label(name: str) -> str:
    """A field that a file still lacks."""
    return {
        "siren": tk._("SIREN"),
        "category": tk._("category of the organisation"),
        "territory_code": tk._("territory"),
        "justification": tk._("justification of the need"),
        "representative.given_name": tk._("first name of the legal representative"),
        "representative.family_name": tk._("name of the legal representative"),
        "representative.function": tk._("function of the legal representative"),
        "representative.email": tk._("e-mail address of the legal representative"),
    }.get(name, name)


def dinamis_acceptance_label(name: str, signature: dict[str, Any]) -> str:
    """What a tick on the signature's page means."""
    versions = {text["kind"]: text["version"] for text in signature["texts"]}
    return {
        "agreement": tk._("I accept agreement no. {number} with PIGMA.").format(number=signature["agreement_number"]),
        "amendment": tk._("I accept amendment no. {number}.").format(number=signature["agreement_number"]),
        "charter": tk._("I accept the DINAMIS charter (version: {version}).").format(version=versions["charter"]),
        "licences": tk._("I accept the DINAMIS licences (version: {version}).").format(version=versions["licences"]),
        "super_referent": tk._("PIGMA is our super-référent: it manages and moderates our user accounts."),
    }[name]


def dinamis_transition_done(name: str) -> str:
    """What happened, after a button was pressed."""
    return {
        "request_signature": tk._("The link to sign was sent to the legal representative."),
        "resend_signature": tk._("A new link was sent; the earlier one no longer works."),
        "start_review": tk._("The file is yours to examine."),
        "confirm_eligibility": tk._("Eligibility is confirmed; the file goes to DINAMIS's executive board."),
        "decline_eligibility": tk._("The organisation is told, with your reason."),
        "ask_changes": tk._("The organisation is asked for a correction; the file waits."),
        "resubmit": tk._("The file goes on."),
        "revoke_signature": tk._("The link is cancelled; the file is a draft again."),
        "withdraw": tk._("The file is withdrawn. It is kept and can be reopened."),
        "reopen": tk._("The file is open again, as a draft."),
    }.get(name, tk._("Done."))


def dinamis_organization_membership(organization_id: str) -> dict[str, Any] | None:
    """The membership of an organisation as the present user may know it, None when it is no member."""
    try:
        return tk.get_action("dinamis_membership_show")(
            {"user": tk.current_user.name}, {"organization_id": organization_id}
        )
    except (tk.ObjectNotFound, tk.NotAuthorized):
        return None


def dinamis_category_choices(names: list[str]) -> list[tuple[str, str]]:
    """Categories for a list to choose from."""
    return [(name, dinamis_category_label(name)) for name in names]


def dinamis_territory_choices(names: list[str]) -> list[tuple[str, str]]:
    """Kinds of territory for a list to choose from."""
    return [(name, dinamis_territory_kind_label(name)) for name in names]


def dinamis_organization_choices(organizations: list[dict[str, str]]) -> list[tuple[str, str]]:
    """Organisations for a list to choose from."""
    return [(organization["name"], organization["title"]) for organization in organizations]


def _partner_kind(state: str) -> str:
    return {"active": "membership", "suspended": "membership", "ended": "membership", "none": "partner"}.get(
        state, "application"
    )


def dinamis_partner_label(state: str) -> str:
    """Where a partner stands, in words."""
    return tk.h.dinamis_state_label(_partner_kind(state), state)


def dinamis_partner_badge(state: str) -> str:
    """Bootstrap classes of the badge of where a partner stands."""
    return tk.h.dinamis_state_badge(_partner_kind(state), state)


def dinamis_partner_next(partner: dict[str, Any]) -> str:
    """What comes next for a partner, as something to do.

    :param partner: of ``dinamis_partner_list``
    """
    running = partner["file_state"] if partner["waiting_for"] != "nobody" else None
    if running is None or partner["state"] == "none":
        return tk._("Ask for the signature") if partner["convention_number"] and partner["state"] == "none" else ""
    return words(_next_steps).get(running, "")


def _next_steps() -> dict[str, str]:
    """State of a file that runs → what is to be done."""
    return {
        "draft": tk._("Complete the file, then ask for the signature"),
        "awaiting_signature": tk._("Sign the amendment"),
        "signed": tk._("Begin the examination"),
        "under_review": tk._("Check the eligibility"),
        "submitted": tk._("Decide"),
        "deferred": tk._("Give the details that the board asks for"),
        "changes_requested": tk._("Correct the file"),
    }


def dinamis_kind_label(kind: str) -> str:
    """What a file is about, in words."""
    return words(_kinds).get(kind, kind)


def _kinds() -> dict[str, str]:
    return {
        "first": tk._("First membership"),
        "renewal": tk._("Renewal"),
        "reacceptance": tk._("New acceptance of the texts"),
        "change": tk._("Change of details"),
    }


def dinamis_team_choices(holder: str | None) -> list[tuple[str, str]]:
    """PIGMA's people, of whom one works on a file, for a list to choose from: (id, name).

    :param holder: id of the one who does now, who may have another role or have left since
    """
    found = {user.id: user.fullname or user.name for user in holders(Role.SUPER_REFERENT)}
    if holder and holder not in found:
        found[holder] = tk.h.dinamis_user_label(holder) or tk._("Somebody who left")
    return sorted(found.items(), key=lambda one: one[1].lower())


def dinamis_letter_label(name: str) -> str:
    """What a mail about a file or a membership is, in words.

    :param name: of its template: of ``letters.RECIPIENTS``, ``board_dossier`` or ``board_notice``
    """
    return {
        "signature_requested": tk._("Link to sign"),
        "signature_code": tk._("Code to sign"),
        "signature_delegated": tk._("Link to sign, for the named signatory"),
        "signature_revoked": tk._("Link to sign cancelled"),
        "signature_reminder": tk._("Reminder to sign"),
        "application_signed": tk._("Amendment signed"),
        "application_submitted": tk._("File to decide"),
        "application_ineligible": tk._("Not eligible"),
        "application_accepted": tk._("Membership accepted"),
        "application_refused": tk._("Membership refused"),
        "application_deferred": tk._("Details asked for by the board"),
        "application_changes": tk._("Correction asked for"),
        "application_withdrawn": tk._("File withdrawn"),
        "correction_reminder": tk._("Reminder to correct"),
        "term_reminder": tk._("Reminder of the term's end"),
        "reacceptance_requested": tk._("New texts to accept"),
        "reacceptance_registered": tk._("New texts accepted"),
        "reacceptance_reminder": tk._("Reminder to accept the new texts"),
        "membership_term_over": tk._("Membership ended: term over"),
        "membership_lapsed": tk._("Membership ended: new texts not accepted"),
        "membership_suspended": tk._("Membership suspended"),
        "membership_resumed": tk._("Membership resumed"),
        "membership_ended": tk._("Membership ended"),
        "board_dossier": tk._("Dossier for the executive board"),
        "board_notice": tk._("Notice to the executive board"),
    }.get(name, name)


def dinamis_letter_text(text: str) -> Markup:
    """A mail's text as paragraphs, with words where its one-time link or code stood: neither is ever kept."""
    return tk.h.dinamis_question_text(text.replace(LINK, tk._("[personal link or code, which is not kept]")))


def dinamis_link_label(status: str) -> str:
    """What has become of a link of the executive board."""
    return {
        "used": tk._("it has served"),
        "decided": tk._("the file was decided by another way"),
        "moved": tk._("the file has moved on"),
        "expired": tk._("it has expired"),
        "replaced": tk._("it was replaced or revoked"),
    }.get(status, status)


def dinamis_stamps() -> bool:
    """Whether seals are to bear a time-stamp, so that one without is worth a word."""
    return config.timestamp_url() is not None


def dinamis_kind_button(kind: str) -> str:
    """What opens a file of a kind, as a button says it."""
    return {
        "first": tk._("Join again"),
        "renewal": tk._("Prepare the renewal"),
        "reacceptance": tk._("Accept the new texts"),
        "change": tk._("Change the details"),
    }[kind]


def dinamis_reminder_label(kind: str, days: int) -> str:
    """Which reminder left, for the history.

    :param kind: of ``reminders.KINDS``
    :param days: after the request, or before the last day
    """
    text = {
        "signature": tk._("signature awaited for {days} days"),
        "correction": tk._("correction awaited for {days} days"),
        "term": tk._("{days} days before the end of the term"),
        "reacceptance": tk._("{days} days before the last day to accept the texts"),
    }[kind]
    return text.format(days=days)
