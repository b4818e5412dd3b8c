"""Pages made ready in a process beside this one, so that a large file is read on one core and loaded from another."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Any

from ckanext.dinamis_relais.imagery.reading import Made, Todo, make

#: Lines of a page from which on the process is worth its start, half a second; what is unchanged is no line here.
WORTH = 500


class Maker:
    """Makes pages one after the other: here, or from the second large page of a file on, in a process beside.

    When that process cannot be started or dies, the work goes on here.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "dinamis-make")
        self._large = 0
        self._process: Any = None
        self._pipe: Connection | None = None

    def submit(self, todo: Todo) -> Future[Made]:
        """Begin with a page; pages are made in the order in which they are submitted."""
        self._large += len(todo.lines) >= WORTH
        return self._thread.submit(self._make, todo)

    def _make(self, todo: Todo) -> Made:
        if todo.items or self._large < 2:
            return make(todo)
        with suppress(OSError, EOFError):
            if self._process is None:
                self._start()
            if self._pipe is not None:
                self._pipe.send(todo)
                made = self._pipe.recv()
                if isinstance(made, BaseException):
                    raise made
                return made
        self._pipe = None
        return make(todo)

    def _start(self) -> None:
        # Not forked: a fork would share our connections to the databases, and our threads' locks.
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(other,), name="dinamis-make", daemon=True)
        self._process.start()
        other.close()  # so that its death is seen here, and ours there

    def close(self) -> None:
        """End the process, if there is one."""
        self._thread.shutdown()
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None:
            self._process.join()


def _serve(pipe: Connection) -> None:
    """What the other process does until the pipe is closed."""
    with seldom_collected(), suppress(EOFError, OSError):
        while True:
            todo = pipe.recv()
            try:
                made: Any = make(todo)
            except Exception as error:  # noqa: BLE001  # handed over to who asked for the page
                made = error
            pipe.send(made)


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Python's search for cycles of garbage, held back: trees of JSON have none, and it costs a third of the time.

    A page of scenes makes some 100,000 lists and dictionaries; at the usual threshold they are all looked through
    more than a hundred times, and once for each page here.
    """
    usual = gc.get_threshold()
    gc.set_threshold(100_000, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
