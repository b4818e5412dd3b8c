"""Large files are made ready in a process of their own: the same comes out, and its death is no harm."""

from __future__ import annotations

import math
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest

from ckanext.dinamis_relais.imagery import beside, files
from ckanext.dinamis_relais.imagery.beside import Maker
from ckanext.dinamis_relais.imagery.reading import WHOLE_FILE, Made, Todo, make
from ckanext.dinamis_relais.imagery.settings import Settings
from ckanext.dinamis_relais.imagery.sync import A_FILE, sync_collection

from .conftest import item
from .test_files import take, written
from .test_store import Heard, ids


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "WORTH", 5)
    monkeypatch.setattr(beside, "PATIENCE", 60.0)
    monkeypatch.setattr(files, "BATCH", 10)
    monkeypatch.setattr(subprocess, "Popen", Noted)
    STARTED.clear()


def todo(numbers: range, wanted: Any = bool) -> Todo:
    lines = [(n, str(uuid.UUID(int=n)), files.orjson.dumps(item(n))) for n in numbers]
    return Todo("source", "", WHOLE_FILE, [], wanted, lines=lines)


STARTED: list[subprocess.Popen[bytes]] = []


class Noted(subprocess.Popen[bytes]):
    """A process that is remembered."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        STARTED.append(self)


class Watching(Heard):
    """Kills the process beside, if it is told to, when a page is in the store."""

    def __init__(self, kill: bool = False) -> None:
        super().__init__()
        self.kill = kill

    def page(self, *said: Any) -> None:
        super().page(*said)
        if self.kill and STARTED:
            STARTED[0].kill()


def listed(engine: Any, path: Path, heard: Heard) -> None:
    source = files.FileSource(f"file:///{path.name}", path, "1", None)
    sync_collection(engine, source, "source", A_FILE, Settings(), heard)


@pytest.mark.parametrize("kill", [False, True])
def test_a_large_file_is_made_ready_beside(engine: Any, tmp_path: Path, kill: bool) -> None:
    path, heard = written(tmp_path / "scenes.ndjson", [item(n) for n in range(75)]), Watching(kill)
    listed(engine, path, heard)
    assert (heard.total("created"), len(ids(engine))) == (75, 75)
    assert [process.poll() for process in STARTED] == [-9 if kill else 0]


def test_what_comes_before_the_process_is_up_is_made_here(
    engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beside.Maker, "_is_up", lambda maker: False)
    path, heard = written(tmp_path / "scenes.ndjson", [item(n) for n in range(25)]), Heard()
    listed(engine, path, heard)
    assert heard.total("created") == 25
    assert [process.poll() for process in STARTED] == [-9]


def test_a_file_of_one_page_starts_no_process(engine: Any, tmp_path: Path) -> None:
    path, heard = written(tmp_path / "scenes.ndjson", [item(n) for n in range(9)]), Heard()
    listed(engine, path, heard)
    assert (heard.total("created"), STARTED) == (9, [])


def test_a_file_that_did_not_change_starts_no_process(engine: Any, tmp_path: Path) -> None:
    path, heard = written(tmp_path / "scenes.ndjson", [item(n) for n in range(75)]), Watching()
    take(engine, path)
    listed(engine, path, heard)
    assert (heard.total("unchanged"), STARTED[1:]) == (75, [])


def test_scenes_that_come_again_on_the_next_page_count_once(engine: Any, tmp_path: Path) -> None:
    again = [item(8), item(9, gsd=1.5)]
    path, heard = written(tmp_path / "scenes.ndjson", [*(item(n) for n in range(10)), *again]), Heard()
    listed(engine, path, heard)
    assert [heard.total(name) for name in ("created", "unchanged", "changed", "repeated")] == [10, 1, 1, 2]
    assert [problem.problem for problem in heard.problems] == ["It is listed twice, differently."]


def test_here_and_there_make_the_same() -> None:
    maker = Maker()
    try:
        made = [maker.submit(todo(range(n, n + 7)), more=True).result() for n in (0, 10, 20)]
    finally:
        maker.close()
    assert made == [make(todo(range(n, n + 7))) for n in (0, 10, 20)]


def test_an_error_there_is_told_here() -> None:
    maker = Maker()
    try:
        good = maker.submit(todo(range(9)), more=True)
        assert isinstance(good.result(), Made)
        with pytest.raises(TypeError, match="must be real number"):
            maker.submit(todo(range(9), math.sqrt), more=False).result()
    finally:
        maker.close()
