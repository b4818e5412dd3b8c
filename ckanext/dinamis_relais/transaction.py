"""One action, one transaction: all of it is committed together, or nothing of it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import ckan.plugins.toolkit as tk

from ckanext.dinamis_relais.db import session
from ckanext.dinamis_relais.gateway import wake
from ckanext.dinamis_relais.machine import GuardError, TransitionError


def wrong_transition(error: TransitionError) -> str:
    """The sentence that names the present state and what it allows."""
    return tk._("'{name}' is not possible: the state is '{state}'. Possible now: {allowed}.").format(
        name=error.name, state=error.state, allowed=", ".join(error.allowed) or tk._("nothing")
    )


@contextmanager
def one_commit() -> Iterator[None]:
    """Commit at the end of the block, then wake the delivery worker; on any error roll back.

    :raises toolkit.ValidationError: in place of ``TransitionError`` (field ``transition``) and of ``GuardError``
        (its field); every other error goes on as it is
    """
    try:
        yield
        session().commit()
    except TransitionError as error:
        session().rollback()
        raise tk.ValidationError({"transition": [wrong_transition(error)]}) from error
    except GuardError as error:
        session().rollback()
        raise tk.ValidationError({error.field: [str(error)]}) from error
    except BaseException:
        session().rollback()
        raise
    wake()
