"""Accounts in quantity: the confirmation that names the effect, and the file of people."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint, Response

from ckanext.dinamis_relais.accounts.rules import MACHINE
from ckanext.dinamis_relais.batch.uploads import brought
from ckanext.dinamis_relais.web import act, allowed, flash, page

__all__ = ["dinamis_accounts_bulk"]

dinamis_accounts_bulk = Blueprint("dinamis_accounts_bulk", __name__)

#: Names shown on the confirmation; the others are counted.
SHOWN = 20
EXAMPLE = (
    "organisation;courriel;prénom;nom;fonction;usage;rôle;fin\r\n"
    "Commune de Bègles;lou.exemple@begles.example;Lou;Exemple;SIG;Suivi des îlots de chaleur;membre;\r\n"
)
_FILTERS = ("state", "q", "organization_id", "dormant")


def _chosen(values: Any) -> dict[str, Any]:
    """What was ticked, or the whole search; as parameters of the list."""
    if values.get("all"):
        return {name: values[name] for name in _FILTERS if values.get(name)}
    return {"ids": ",".join(values.getlist("ids"))}


@dinamis_accounts_bulk.get("/dinamis/moderation/accounts/confirm", endpoint="confirm")
@page
def confirm() -> Any:
    """What will happen, to whom, and the message that will leave; nothing is done yet."""
    allowed("dinamis_account_transition_many")
    args = tk.request.args
    name, chosen = args.get("transition", ""), _chosen(args)
    steps = [row for row in MACHINE if row.name == name]
    if not steps or (not any(chosen.values()) and not args.get("all")):
        tk.h.flash_error(tk._("Tick at least one account, then choose what to do."))
        return tk.redirect_to("dinamis_accounts.queue", **{k: args[k] for k in _FILTERS if args.get(k)})
    sources = {row.source for row in steps}
    all_ = act("dinamis_account_list", **chosen, limit=1)["count"]
    within = set(chosen["state"].split(",")) & sources if chosen.get("state") else sources
    fits = {**chosen, "state": ",".join(sorted(within) or ["-"])}
    found = act("dinamis_account_list", **fits, limit=SHOWN)
    values = {"transition": name, "reason_needed": any(row.reason for row in steps), "mail": steps[0].mail,
              "found": found, "left_out": all_ - found["count"], "chosen": chosen, "all": args.get("all", ""),
              "ids": args.getlist("ids"), "reason": args.get("reason", "")}  # fmt: skip
    return tk.render("dinamis/accounts/confirm.html", values)


@dinamis_accounts_bulk.post("/dinamis/moderation/accounts/confirm", endpoint="do")
@page
def do() -> Any:
    """Do it: at once when it is short, by a worker when it is long; the results are on the page that follows."""
    form = tk.request.form
    chosen = _chosen(form)
    ids = [one for one in chosen.pop("ids", "").split(",") if one]
    ready, own = form.get("ready", ""), form.get("reason", "").strip()
    data = {"transition": form.get("transition", ""), "reason": own or ready, **chosen, **({"ids": ids} if ids else {})}
    try:
        work = act("dinamis_account_transition_many", **data)
    except tk.ValidationError as error:
        flash(error)
        back = {k: v for k, v in {**chosen, "all": form.get("all"), "transition": data["transition"]}.items() if v}
        return tk.redirect_to("dinamis_accounts_bulk.confirm", ids=ids, **back)
    if work["total"] == 1 and work["counts"].get("done") == 1:
        tk.h.flash_success(tk._("Done. {person} is told by mail.").format(person=work["results"][0]["subject"]))
        return tk.redirect_to("dinamis_accounts.read", id=work["results"][0]["object_id"])
    return tk.redirect_to("dinamis_batch.show", id=work["id"])


@dinamis_accounts_bulk.route("/dinamis/moderation/accounts/import", methods=["GET", "POST"], endpoint="import")
@page
def import_() -> Any:
    """A file of people: first what would be done, row by row; then, on the page that follows, do it."""
    allowed("dinamis_account_import")
    followed, errors = brought("dinamis_account_import")
    if followed is not None:
        return followed
    return tk.render("dinamis/accounts/import.html", {"errors": errors, "example": "dinamis_accounts_bulk.example"})


@dinamis_accounts_bulk.get("/dinamis/moderation/accounts/import/example.csv", endpoint="example")
@page
def example() -> Response:
    """A file to start from, as spreadsheets in French read it."""
    allowed("dinamis_account_import")
    response = Response("\ufeff" + EXAMPLE, mimetype="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="comptes-exemple.csv"'
    return response
