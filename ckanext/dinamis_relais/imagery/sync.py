"""One collection of one source into the store: lists it, resumes it, ends it. Knows nothing of CKAN."""

from __future__ import annotations

from typing import Any

from ckanext.dinamis_relais.imagery import store
from ckanext.dinamis_relais.imagery.normalise import Problem
from ckanext.dinamis_relais.imagery.outside import OutsideError
from ckanext.dinamis_relais.imagery.settings import Settings
from ckanext.dinamis_relais.imagery.source import Request, StacSource

#: Pages in a row that bring nothing but what this run has listed: the listing goes round.
MAX_REPEATED_PAGES = 3
#: A source answers so to a cursor that it no longer knows.
CURSOR_EXPIRED = frozenset({400, 404, 410, 422})


class Report:
    """Hears what happens during a listing. This one stays silent; the harvester's writes it down."""

    def problem(self, problem: Problem) -> None:
        """An item was not taken, or was repaired."""

    def note(self, text: str) -> None:
        """Something about a page, or about the whole listing."""

    def page(self, run: store.Run, saved: store.Saved, matched: int | None) -> None:
        """A page is safe in the store."""


def sync_collection(
    engine: Any,
    source: StacSource,
    source_id: str,
    collection: dict[str, Any],
    settings: Settings,
    report: Report,
    job_id: str | None = None,
) -> store.Outcome | None:
    """List a collection to its end and make the store agree with it.

    :param collection: as :meth:`StacSource.collections` gives it
    :param job_id: the job this is done for; a second worker with the same job does nothing
    :returns: None when another worker has already done it
    :raises OutsideError: the listing broke; what was read is kept, the next call goes on from there
    :raises store.CollectionTaken: another source feeds a collection of this id
    """
    with store.one_at_a_time(engine, source_id, collection["id"]):
        store.save_collection(engine, source_id, source.url, collection, settings.asset_roles)
        first = source.first(collection["_items"], settings.page_size, settings.bbox, settings.datetime)
        run = store.open_run(engine, source_id, collection["id"], first, job_id)
        if run is None:
            return None
        try:
            _list(engine, source, run, run.request, report)
        except OutsideError as error:
            if not (run.resumed and run.request != first and error.status in CURSOR_EXPIRED):
                raise
            report.note(f"{collection['id']}: the source forgot where we were. The listing starts again.")
            run = store.open_run(engine, source_id, collection["id"], first, job_id, fresh=True)
            if run is None:
                return None
            _list(engine, source, run, first, report)
        return _finish(engine, run, settings.max_vanished, report)


def _list(engine: Any, source: StacSource, run: store.Run, request: Request | None, report: Report) -> None:
    repeated = 0
    try:
        for page in source.pages(request):
            saved = store.save_page(engine, run, page)
            for problem in saved.problems:
                report.problem(problem)
            for note in page.notes:
                report.note(note)
            report.page(run, saved, page.matched)
            repeated = repeated + 1 if saved.listed and saved.repeated == saved.listed else 0
            if repeated >= MAX_REPEATED_PAGES:
                problem = f"Its last {repeated} pages gave only items that it had listed before."
                raise OutsideError(page.url, problem, "Tell the source's keeper.")
    except BaseException as error:
        store.interrupt(engine, run, str(error) or type(error).__name__)
        raise


def _finish(engine: Any, run: store.Run, max_vanished: float, report: Report) -> store.Outcome:
    outcome = store.finish(engine, run, max_vanished)
    if outcome.kept:
        report.note(
            f"{run.collection}: the source no longer lists {outcome.kept} scenes ({outcome.share:.0%} of the "
            f"collection). That is more than max_vanished ({max_vanished:.0%}), so they were kept. "
            "To let them go, raise max_vanished in the source's configuration and harvest again."
        )
    return outcome
