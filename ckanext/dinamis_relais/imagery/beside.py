"""Pages made ready in a process beside this one, so that a large file is read on one core and loaded from another.

The process is this module: it reads pages from its standard input and answers on its standard output, until the input
ends. Not a fork, which would share our connections and our threads' locks, and not a child of ``multiprocessing``,
which would load all of CKAN again.
"""

from __future__ import annotations

import gc
import os
import pickle
import select
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

from ckanext.dinamis_relais.imagery.reading import Made, Todo, make

#: Lines of a page from which on the process is worth its start, half a second; what is unchanged is no line here.
WORTH = 500
#: Seconds that a page waits for the process to be up: none, the first ones are made here meanwhile.
PATIENCE = 0.0
#: Nothing is multiplied there: threads that wait for it would only take a core's time from PostgreSQL.
_ALONE = {"OPENBLAS_NUM_THREADS": "1"}


class Maker:
    """Makes pages one after the other: here, or once a large page of a file is followed by others, in a process beside.

    When that process cannot be started or dies, the work goes on here.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "dinamis-make")
        self._process: Any = None
        self._up = self._failed = False

    def submit(self, todo: Todo, more: bool) -> Future[Made]:
        """Begin with a page; pages are made in the order in which they are submitted.

        :param more: whether others follow
        """
        if self._process is None and not self._failed and more and len(todo.lines) >= WORTH:
            self._start()
        return self._thread.submit(self._make, todo)

    def _start(self) -> None:
        command = [sys.executable, "-m", __name__]
        try:
            # In a folder that holds no modules: "-m" looks into the present one first.
            self._process = subprocess.Popen(  # noqa: S603  # our own
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/", env={**os.environ, **_ALONE}
            )
        except OSError:
            self._failed = True

    def _make(self, todo: Todo) -> Made:
        try:
            made = self._ask(todo) if not todo.items and self._is_up() else None
        except (OSError, EOFError, pickle.UnpicklingError):
            self._failed, made = True, None
        if isinstance(made, BaseException):
            raise made
        return make(todo) if made is None else made

    def _is_up(self) -> bool:
        if self._process is None or self._failed:
            return False
        if not self._up and select.select([self._process.stdout], [], [], PATIENCE)[0]:
            self._up = pickle.load(self._process.stdout)  # noqa: S301  # written by this module
        return self._up

    def _ask(self, todo: Todo) -> Any:
        pickle.dump(todo, self._process.stdin, pickle.HIGHEST_PROTOCOL)
        self._process.stdin.flush()
        return pickle.load(self._process.stdout)  # noqa: S301  # written by this module

    def close(self) -> None:
        """End the process, if there is one."""
        self._thread.shutdown()
        if self._process is not None:
            if not self._up:
                self._process.kill()
            with suppress(OSError):  # it is dead already
                self._process.stdin.close()
            self._process.stdout.close()
            self._process.wait()


def serve() -> None:
    """What the process beside does."""
    source, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library may print is no answer
    with seldom_collected(), suppress(EOFError, BrokenPipeError):
        pickle.dump(True, answers)  # up
        answers.flush()
        while True:
            todo = pickle.load(source)  # noqa: S301  # written by this module
            try:
                made: Any = make(todo)
            except Exception as error:  # noqa: BLE001  # handed over to who asked for the page
                made = error
            pickle.dump(made, answers, pickle.HIGHEST_PROTOCOL)
            answers.flush()


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


if __name__ == "__main__":
    serve()
