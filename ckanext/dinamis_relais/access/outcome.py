"""What the signing service answered, in words that say what happened, what was kept and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import ckan.plugins.toolkit as tk

from ckanext.dinamis_relais.access.service import BusyError, DownError, NeedsLoginError, ServiceError


def link_again() -> str:
    """The sentence for a login that DINAMIS no longer takes."""
    return tk._("DINAMIS no longer accepts your login here. Link it again: {page}").format(
        page=tk.url_for("dinamis_identity.show", qualified=True)
    )


@contextmanager
def said() -> Iterator[None]:
    """Errors of the service as a person reads them.

    :raises toolkit.ValidationError: field ``identity`` (link again) or ``service`` (try again later)
    """
    try:
        yield
    except NeedsLoginError as error:
        raise tk.ValidationError({"identity": [link_again()]}) from error
    except BusyError as error:
        text = tk._("DINAMIS's service is busy: it asks to try again in {seconds} seconds. Nothing was lost.")
        raise tk.ValidationError({"service": [text.format(seconds=round(error.seconds))]}) from error
    except DownError as error:
        text = tk._("DINAMIS's service does not answer at the moment ({detail}). Nothing was lost: try again in a few "
                    "minutes.")  # fmt: skip
        raise tk.ValidationError({"service": [text.format(detail=error)]}) from error
    except ServiceError as error:
        text = tk._("DINAMIS's service gave an answer that is not understood ({detail}). Write to PIGMA if it lasts.")
        raise tk.ValidationError({"service": [text.format(detail=error)]}) from error
