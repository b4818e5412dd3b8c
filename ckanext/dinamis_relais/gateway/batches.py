"""What may be done with grouped mails in quantity: taking DINAMIS's answer over, row by row."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.dinamis_relais.authority import actor_of
from ckanext.dinamis_relais.batch.rules import Handler, Outcome
from ckanext.dinamis_relais.gateway import answers
from ckanext.dinamis_relais.transaction import one_commit

__all__ = ["sending_answer"]


def _take(payload: dict[str, Any], params: dict[str, Any], context: Any) -> Outcome:
    tk.check_access("dinamis_sending_answer", context, {"id": params["sending_id"]})
    with one_commit():
        return answers.take(payload["id"], params["answer_id"], actor_of(context))


def _title(params: dict[str, Any]) -> str:
    if params.get("outcome") == "refused":
        return tk._("DINAMIS's refusal, recorded")
    return tk._("DINAMIS's confirmation, recorded")


sending_answer = Handler("sending_answer", _take, _title, "dinamis_sendings.list")
