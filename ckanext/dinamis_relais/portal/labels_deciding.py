"""What a moderator decides on, by what, and why not, in words; read through :mod:`labels`."""

from __future__ import annotations

import ckan.plugins.toolkit as tk


def sendings() -> dict[str, str]:
    """Kind of a grouped mail → what is in it."""
    return {"account": tk._("Accounts"), "question": tk._("Questions"), "request": tk._("Requests for images")}


def origins() -> dict[str, str]:
    """Who entered an account → words."""
    _ = tk._
    return {
        "pigma": _("Entered by PIGMA"),
        "referent": _("Proposed by the referent"),
        "person": _("Asked for by the person"),
        "import": _("Imported from a file"),
    }


def signals() -> dict[str, str]:
    """What helps to decide on a request → its sentence, with the values of ``accounts.signals``."""
    _ = tk._
    return {
        "same_domain": _("Address of the organisation ({domain})"),
        "other_domain": _("Address at {domain}, while the organisation's people use {known}"),
        "public_mailbox": _("Personal mailbox ({domain})"),
        "lookalike_domain": _("Beware: {domain} looks like {known} and is another domain"),
        "foreign_letters": _("Beware: letters that are no plain ones in {domain}"),
        "membership_not_active": _("The organisation's membership does not run"),
        "earlier_refusals": _("Refused before ({number})"),
        "login_exists": _("The login {login} has this address: its person joins by the mailed link"),
        "other_accounts": _("Account elsewhere: {organizations}"),
        "same_name": _("Somebody of this name has an account there already"),
        "verified": _("The person has confirmed the address"),
        "unverified": _("The address is not confirmed"),
    }


def refusal_reasons() -> list[str]:
    """Ready reasons of a refusal, as they are sent; a moderator may change them."""
    _ = tk._
    return [
        _("Your organisation does not know you as one of its people. Ask its referent to propose your account."),
        _("Please give a professional address: yours does not show that you belong to the organisation."),
        _("You have an account already."),
        _("The use that you describe is not within what DINAMIS's licences allow."),
    ]


def request_reasons() -> dict[str, str]:
    """Code of a reason for which a request for an image is not accepted → words."""
    _ = tk._
    return {
        "archive": _("The archive answers the need"),
        "window": _("The period is too short or too near"),
        "purpose": _("The use is not within the licences"),
        "quota": _("The quota is used up"),
        "area": _("The area is too large, or not where it should be"),
        "weather": _("Clouds, season"),
        "technical": _("Technical reason"),
        "other": _("Another reason"),
    }
