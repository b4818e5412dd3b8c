"""One collection of one source into the store: lists it, resumes it, ends it. Knows nothing of CKAN."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from ckanext.dinamis_relais.imagery import store
from ckanext.dinamis_relais.imagery.files import FileSource
from ckanext.dinamis_relais.imagery.loading import Compared
from ckanext.dinamis_relais.imagery.outside import OutsideError
from ckanext.dinamis_relais.imagery.problems import Problem
from ckanext.dinamis_relais.imagery.reading import Made, make
from ckanext.dinamis_relais.imagery.settings import Settings
from ckanext.dinamis_relais.imagery.source import Page, Request, StacSource
from ckanext.dinamis_relais.imagery.threads import in_turn

Source = StacSource | FileSource
#: What stands for the collection of a file: its scenes name their own.
A_FILE: dict[str, Any] = {"id": store.WHOLE_FILE}

#: Pages in a row that bring nothing but what this run has listed: the listing goes round.
MAX_REPEATED_PAGES = 3
#: Pages that are loaded, or wait for it.
MOST_LOADING = 2
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
    source: Source,
    source_id: str,
    collection: dict[str, Any],
    settings: Settings,
    report: Report,
    job_id: str | None = None,
) -> store.Outcome | None:
    """List a collection (or a whole file) to its end and make the store agree with it.

    :param collection: as :meth:`StacSource.collections` gives it, or :data:`A_FILE`; with ``_part``, those years of it
    :param job_id: the job this is done for; a second worker with the same job does nothing
    :returns: None when another worker has already done it
    :raises OutsideError: the listing broke; what was read is kept, the next call goes on from there
    :raises store.CollectionTaken: another source feeds a collection of this id
    """
    name, part = collection["id"], collection.get("_part", "")
    with store.one_at_a_time(engine, source_id, name, part):
        if name != store.WHOLE_FILE:
            store.save_collection(engine, source_id, source.url, collection, settings.asset_roles)
        first = source.listing(collection, settings)
        run = store.open_run(engine, source_id, name, first, job_id, part=part)
        if run is None:
            return None
        try:
            _list(engine, source, run, run.request, settings, report)
        except OutsideError as error:
            if not (run.resumed and run.request != first and error.status in CURSOR_EXPIRED):
                raise
            report.note(f"{name}: the source forgot where we were. The listing starts again.")
            run = store.open_run(engine, source_id, name, first, job_id, fresh=True, part=part)
            if run is None:
                return None
            _list(engine, source, run, first, settings, report)
        return _finish(engine, run, settings.max_vanished, report)


@in_turn()
def _list(
    engine: Any, source: Source, run: store.Run, request: Request | None, settings: Settings, report: Report
) -> None:
    """Four things at once: a page comes, the one before is compared, the one before is made ready, one is loaded."""
    work = _Work(engine, run, _Owned(engine, source, run, settings), report)
    pages: Any = ahead(source.pages(request))
    try:
        for page in pages:
            work.take(page)
        work.end()
    except BaseException as error:
        with suppress(BaseException):  # the first error is the one to tell
            work.end()
        store.interrupt(engine, run, str(error) or type(error).__name__)
        raise
    finally:
        pages.close()
        work.close()


class _Work:
    """The pages of a listing on their way into the store, in order."""

    def __init__(self, engine: Any, run: store.Run, owned: _Owned, report: Report):
        self._engine, self._run, self._owned, self._report = engine, run, owned, report
        self._maker, self._writer = ThreadPoolExecutor(1, "dinamis-make"), ThreadPoolExecutor(1, "dinamis-load")
        # One connection for all pages: each one taken from the pool is tried first.
        self._connection = engine.connect()
        self._waiting: Compared | None = None
        self._making: tuple[Compared, Future[Made]] | None = None
        self._loading: deque[tuple[Compared, Future[store.Saved]]] = deque()
        self._broken = False
        self._repeated = 0

    def take(self, page: Page) -> None:
        """Go on by a page.

        :raises OutsideError: the listing goes round
        """
        compared = store.compare(self._engine, self._run, page)
        if self._waiting is None:
            self._waiting = compared
        else:
            self._waiting.join(compared)
        if not self._waiting.is_little:
            self._go_on()

    def end(self) -> None:
        """Load what is on its way."""
        self._go_on()
        self._load()
        while self._loading:
            self._tell()

    def _go_on(self) -> None:
        """Have made ready what waits, while the page before is loaded."""
        if self._waiting is None:
            return
        compared, self._waiting = self._waiting, None
        following = compared, self._maker.submit(make, compared.todo)
        self._load()
        self._making = following

    def close(self) -> None:
        """End what runs beside; to be called whatever happened."""
        self._maker.shutdown()
        self._writer.shutdown()
        self._connection.close()

    def _load(self) -> None:
        """Load the page that is being made; it waits while one is loaded, so that the writer need not wait for us."""
        if self._making is None:
            return
        (compared, making), self._making = self._making, None
        made = making.result()
        self._owned.check(made)
        if len(self._loading) == MOST_LOADING:
            self._tell()
        self._loading.append((compared, self._writer.submit(self._commit, compared, made)))

    def _commit(self, compared: Compared, made: Made) -> store.Saved:
        """What the writer does, in its thread: after an error, no other page follows.

        :raises RuntimeError: there was one; it is told before this one
        """
        if self._broken:
            raise RuntimeError("The page before could not be loaded.")
        try:
            return store.commit(self._connection, self._run, compared, made)
        except BaseException:
            self._broken = True
            raise

    def _tell(self) -> None:
        """Wait until the first of the pages is loaded and say what it did.

        :raises OutsideError: too many pages in a row brought nothing but what this run has listed
        """
        compared, loading = self._loading.popleft()
        saved, page = loading.result(), compared.page
        for problem in saved.problems:
            self._report.problem(problem)
        for note in page.notes:
            self._report.note(note)
        self._report.page(self._run, saved, page.matched)
        self._repeated = self._repeated + 1 if saved.listed and saved.repeated == saved.listed else 0
        if self._repeated >= MAX_REPEATED_PAGES and page.lines is None:
            problem = f"Its last {self._repeated} pages gave only items that it had listed before."
            raise OutsideError(page.url, problem, "Tell the source's keeper.")


class _Owned:
    """Collections that a file names: each is described, and belongs to this source alone."""

    def __init__(self, engine: Any, source: Source, run: store.Run, settings: Settings):
        self.engine, self.source, self.run, self.settings = engine, source, run, settings
        self.known: set[str] = set()
        self.described: dict[str, dict[str, Any]] | None = None if run.collection == store.WHOLE_FILE else {}

    def check(self, made: Made) -> None:
        """:raises store.CollectionTaken: another source feeds one of them"""
        if self.run.collection != store.WHOLE_FILE:
            return
        for name in {key[0] for key in made.rows} - self.known:
            if self.described is None:
                assert isinstance(self.source, FileSource)  # noqa: S101  # only a file is listed whole
                self.described = self.source.descriptions()
            body = {**self.described.get(name, {"title": name}), "id": name}
            store.save_collection(self.engine, self.run.source_id, self.source.url, body, self.settings.asset_roles)
            self.known.add(name)


def ahead(items: Iterator[Page]) -> Iterator[Page]:
    """The same pages, the next of them fetched while one is worked on."""
    made: queue.Queue[Any] = queue.Queue(maxsize=1)
    stopped = threading.Event()

    def put(thing: Any) -> None:
        while not stopped.is_set():
            try:
                made.put(thing, timeout=0.2)
                return
            except queue.Full:
                continue

    def work() -> None:
        try:
            for item in items:
                put((item, None))
                if stopped.is_set():
                    return
            put((None, None))
        except BaseException as error:  # noqa: BLE001  # handed over to who asked for the page
            put((None, error))

    thread = threading.Thread(target=work, name="dinamis-read", daemon=True)
    thread.start()
    try:
        while True:
            item, error = made.get()
            if error is not None:
                raise error
            if item is None:
                return
            yield item
    finally:
        stopped.set()
        thread.join()


def _finish(engine: Any, run: store.Run, max_vanished: float, report: Report) -> store.Outcome:
    outcome = store.finish(engine, run, max_vanished)
    if outcome.kept:
        name = f"{run.collection} {run.part}".strip()
        report.note(
            f"{name}: the source no longer lists {outcome.kept} scenes ({outcome.share:.0%} of the "
            f"collection). That is more than max_vanished ({max_vanished:.0%}), so they were kept. "
            "To let them go, raise max_vanished in the source's configuration and harvest again."
        )
    return outcome
