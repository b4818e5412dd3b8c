"""What every page does the same: rights into answers, errors into sentences, lists into pages."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from functools import wraps
from typing import Any

import ckan.plugins.toolkit as tk
import click
from ckan.types import Context
from flask import Response, current_app, has_request_context, send_file, session, stream_with_context
from flask_babel import force_locale

from ckanext.dinamis_relais import config, throttle
from ckanext.dinamis_relais.tables import XLSX, Table, csv_chunks, no_formula, xlsx_file

#: Rows on one page of a list: as many as on CKAN's own lists.
PAGE_SIZE = 20
#: A page beyond this one is no page of a person's.
LAST_PAGE = 100_000


def protect() -> None:
    """Refuse a form that was not sent from our own page (CSRF), whatever CKAN exempts.

    CKAN 2.11 exempts extensions unless told otherwise, and CKAN 2.12.0 exempts a view for good, for everybody, once a
    visitor or an API token has called it.

    :raises flask_wtf.csrf.CSRFError: the form has no token of this session; CKAN answers 400
    """
    if tk.request.method in ("GET", "HEAD", "OPTIONS"):
        return
    # No other site can make a browser send this header; with a login's cookie beside it, it proves nothing.
    if tk.request.headers.get(tk.config["apitoken_header_name"]) and "_user_id" not in session:
        return
    if current_app.config.get("WTF_CSRF_ENABLED"):
        current_app.extensions["csrf"].protect()


@contextmanager
def as_request(locale: str) -> Iterator[None]:
    """What runs in the worker finds what a request has: CKAN's helpers, addresses, a language.

    :param locale: language of what is written meanwhile
    """
    # In the worker there is no application but that of CKAN's command line.
    application: Any = current_app if current_app else click.get_current_context().meta["flask_app"]
    with nullcontext() if has_request_context() else application.test_request_context(), force_locale(locale):
        yield


def page(view: Callable[..., Any]) -> Callable[..., Any]:
    """A view that only calls actions: what they refuse becomes the login page, 403 or 404."""

    @wraps(view)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        protect()
        try:
            return view(*args, **kwargs)
        except tk.NotAuthorized as error:
            if tk.current_user.is_anonymous:
                return tk.redirect_to("user.login", next=tk.request.full_path.rstrip("?"))
            return tk.abort(403, tk._("Your role does not open this page. {detail}").format(detail=error.message or ""))
        except tk.ObjectNotFound as error:
            return tk.abort(404, str(error) or tk._("This page does not exist."))

    return wrapped


def _context() -> Context:
    user = tk.current_user
    context: Context = {"user": user.name}
    if user.is_authenticated:
        # Whoever is logged in was read from the database for this request: nobody need read them again.
        context["auth_user_obj"] = user._get_current_object()  # type: ignore[attr-defined]  # a proxy of werkzeug's
    return context


def act(action: str, **data: Any) -> Any:
    """Call an action as the present user."""
    return tk.get_action(action)(_context(), data)


def allowed(action: str, **data: Any) -> None:
    """Go on only if the present user may call an action.

    :raises toolkit.NotAuthorized: they may not
    """
    tk.check_access(action, _context(), data)


def within_limit(what: str) -> bool:
    """Whether this network address may still post on the pages of a one-time link; they are shown all the same.

    :param what: the pages' own count, a name of :func:`throttle.allowed`
    """
    within = throttle.allowed(what, throttle.client(), config.requests_per_client() * 3)
    if not within:
        tk.h.flash_error(tk._("Too many tries from here. Wait an hour, then try again."))
    return within


def problems(error: tk.ValidationError) -> list[str]:
    """A validation error's sentences, for a flash message."""
    found: list[str] = []
    for texts in error.error_dict.values():
        found += [str(text) for text in (texts if isinstance(texts, list) else [texts])]
    return found


def flash(error: tk.ValidationError) -> None:
    """Show a validation error above the page that follows."""
    for text in problems(error):
        tk.h.flash_error(text)


def tried(action: str, sentence: str, **data: Any) -> None:
    """Call an action; say what it did, or what is wrong, above the page that follows."""
    try:
        act(action, **data)
    except tk.ValidationError as error:
        flash(error)
    else:
        tk.h.flash_success(sentence)


def private(response: Response) -> Response:
    """An address with a token is a secret: no cache keeps it, no other site is told it, no search engine lists it."""
    response.headers["Cache-Control"] = "private, no-store"
    # The origin alone: CKAN's check of forms over HTTPS asks for a referrer, and none may hold the token.
    response.headers["Referrer-Policy"] = "strict-origin"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


def offset(page_size: int = PAGE_SIZE) -> int:
    """Rows to skip, from ``?page=``; what is no number is the first page, what is too large the last."""
    number = tk.request.args.get("page", "1")
    return (min(max(1, int(number)), LAST_PAGE) - 1) * page_size if number.isdecimal() else 0


def csv_of(rows: Iterable[Iterable[Any]]) -> bytes:
    """A table as spreadsheets in French read it: UTF-8 with its mark, ``;`` between cells, no cell a formula."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    for row in rows:
        writer.writerow([no_formula("" if cell is None else str(cell)) for cell in row])
    return ("\ufeff" + out.getvalue()).encode()


def file_response(content: bytes, media_type: str, name: str, inline: bool = True) -> Response:
    """Bytes of a document, never cached by others and never sniffed."""
    response = Response(content, mimetype=media_type)
    kind = "inline" if inline else "attachment"
    response.headers["Content-Disposition"] = f'{kind}; filename="{name}"'
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def attachment(response: Response, name: str) -> Response:
    """A file to keep: never cached by others, never sniffed."""
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def table_response(table: Table, ending: str) -> Response:
    """A table as a file to keep, ``csv`` or ``xlsx``; its rows are read while it leaves, however many there are."""
    zone = tk.h.get_display_timezone()
    if ending == "xlsx":
        response = send_file(xlsx_file(table, zone), XLSX)
    else:
        response = Response(stream_with_context(csv_chunks(table, zone)), mimetype="text/csv; charset=utf-8")
    return attachment(response, f"{table.name}.{ending}")
