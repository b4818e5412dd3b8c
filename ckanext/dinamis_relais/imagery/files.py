"""A file of scenes as a source: NDJSON (also .gz) and stac-geoparquet, from a folder of this server or by http(s)."""

from __future__ import annotations

import datetime as dt
import gzip
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

import orjson
import shapely

from ckanext.dinamis_relais.imagery.moments import parse_moment
from ckanext.dinamis_relais.imagery.normalise import MAX_ITEM_BYTES, NORMALISER_VERSION, Scene, mark
from ckanext.dinamis_relais.imagery.outside import Outside, OutsideError
from ckanext.dinamis_relais.imagery.problems import Problem
from ckanext.dinamis_relais.imagery.settings import Settings
from ckanext.dinamis_relais.imagery.source import Page, Request

ENDINGS = (".ndjson", ".jsonl", ".geojsonl", ".ndjson.gz", ".jsonl.gz", ".geojsonl.gz", ".parquet", ".geoparquet")
#: Items read at once: what bounds the memory.
BATCH = 1000
#: Characters of JSON read at once: large items make smaller batches.
BATCH_BYTES = 16_000_000
#: Bytes read from the disk at once. After each reading a thread waits for its turn.
READ = 1 << 20
#: Bytes of a file from the network.
MAX_FILE_BYTES = 20_000_000_000
#: A zipped file may hold this many times its size; scenes reach 30, a bomb 1,000.
MOST_UNZIPPED = 100
ONE_A_LINE = "Write one STAC item a line (NDJSON)."


def is_file(url: str) -> bool:
    """Whether the address of a harvest source is one of a file, not of a STAC API."""
    parts = urlsplit(url)
    return parts.scheme == "file" or parts.path.lower().endswith(ENDINGS)


def local_path(url: str, folder: Path | None) -> Path:
    """Where a ``file:`` address lies.

    :param folder: the only folder whose files may be harvested
    :raises OutsideError: no folder is configured, or the file is not in it
    """
    if folder is None:
        raise OutsideError(url, "No folder of files is configured.", "Set ckanext.dinamis_relais.harvest_folder.")
    root = folder.resolve()
    asked = unquote(urlsplit(url).path)
    path = Path(asked).resolve() if asked.startswith(f"{root}/") else (root / asked.lstrip("/")).resolve()
    if not path.is_relative_to(root):
        raise OutsideError(url, "It is outside of the folder of files.", f"Put the file into {root}.")
    if not path.is_file():
        raise OutsideError(url, "There is no such file.", f"Put it into {root}, or correct the address.")
    return path


@contextmanager
def opened(url: str, folder: Path | None, outside: Outside) -> Iterator[FileSource]:
    """A file as a source; one from the network is fetched whole before it is read, so that a half one is never taken.

    :raises OutsideError: it cannot be had
    """
    if urlsplit(url).scheme == "file":
        path = local_path(url, folder)
        stat = path.stat()
        yield FileSource(url, path, f"{stat.st_size}-{stat.st_mtime_ns}", path.with_name("collections.ndjson"))
        return
    with tempfile.NamedTemporaryFile(prefix="dinamis-harvest-") as file:
        version = outside.download(url, file, MAX_FILE_BYTES)  # type: ignore[arg-type]  # it is one, wrapped
        yield FileSource(url, Path(file.name), version, None)


class FileSource:
    """A file of scenes.

    :param url: its address, as a person knows it
    :param path: where it lies now
    :param version: recognises its content
    :param described: file of STAC collections beside it, which need not exist
    """

    def __init__(self, url: str, path: Path, version: str, described: Path | None):
        self.url, self.path, self.version, self.described = url, path, version, described
        self.settings = Settings()
        with path.open("rb") as file:
            head = file.read(4)
        self.parquet, self.zipped = head == b"PAR1", head[:2] == b"\x1f\x8b"

    def listing(self, collection: dict[str, Any], settings: Settings) -> Request:
        """The first request: another content of the file, or other wishes, make another listing."""
        del collection
        self.settings = settings
        return Request(self.url, "FILE", {"version": self.version, "filter": filter_mark(settings), "at": 0, "line": 0})

    def descriptions(self) -> dict[str, dict[str, Any]]:
        """STAC collections that the file describes itself, or a ``collections.ndjson`` beside it."""
        if self.parquet:
            import pyarrow.parquet as pq

            metadata = pq.read_schema(self.path).metadata or {}
            try:
                kept = orjson.loads(metadata.get(b"stac-geoparquet") or b"{}").get("collections") or {}
            except (orjson.JSONDecodeError, AttributeError):
                kept = {}
            found = [one for one in kept.values() if isinstance(one, dict)] if isinstance(kept, dict) else []
        else:
            with self._open() as file:
                found = list(_collections(_lines(file, self.url)))
        if self.described and self.described.is_file():
            with self.described.open("rb") as file:
                found = [*_collections(_lines(file, str(self.described.name))), *found]
        return {str(one["id"]): one for one in found if one.get("id")}

    def pages(self, request: Request | None) -> Iterator[Page]:
        """The file from a request on, in batches.

        :raises OutsideError: it is no file of scenes, or it is cut off
        """
        if request is None:
            return
        body = request.body or {}
        if self.parquet:
            yield from self._rows(request, int(body["at"]))
        else:
            yield from self._batches(request, int(body["at"]), int(body["line"]))

    def _page(self, request: Request, at: int | None, line: int, matched: int | None) -> Page:
        following = None if at is None else Request(self.url, "FILE", {**(request.body or {}), "at": at, "line": line})
        wanted = _wish(self.settings)
        return Page(self.url, [], following, matched, collections=self.settings.collections, wanted=wanted)

    def _open(self) -> BinaryIO:
        return gzip.open(self.path, "rb") if self.zipped else self.path.open("rb", READ)  # type: ignore[return-value]

    def _batches(self, request: Request, at: int, number: int) -> Iterator[Page]:
        size = self.path.stat().st_size
        most = size * MOST_UNZIPPED if self.zipped else size
        good = number > 0
        lines: list[tuple[int, str, bytes]] = []
        problems: list[Problem] = []
        key = NORMALISER_VERSION + filter_mark(self.settings)
        held = 0
        with self._open() as file:
            _skip(file, at, self.url)
            for end, line, problem in _lines(file, self.url, at):
                number += 1
                if end > most:
                    times = f"It unzips to more than {MOST_UNZIPPED} times its size."
                    raise OutsideError(self.url, times, "It is not read.")
                if problem:
                    problems.append(Problem(None, f"line {number}", problem, ONE_A_LINE))
                elif line.strip():
                    good = good or _plausible(line, self.url)
                    lines.append((number, mark(line, key), line))
                    held += len(line)
                if len(lines) + len(problems) >= BATCH or held >= BATCH_BYTES:
                    share = file.fileobj.tell() / size if self.zipped else end / size  # type: ignore[attr-defined]
                    page = self._page(request, end, number, int(number / share) if share else None)
                    page.lines, page.problems = lines, problems
                    yield page
                    lines, problems, held = [], [], 0
        if not good:
            raise OutsideError(self.url, "It holds no scene.", ONE_A_LINE)
        page = self._page(request, None, number, number)
        page.lines, page.problems = lines, problems
        yield page

    def _rows(self, request: Request, at: int) -> Iterator[Page]:
        try:
            import pyarrow as pa
            import pyarrow.parquet as pq
            from stac_geoparquet.arrow import stac_table_to_items
        except ImportError as error:
            raise OutsideError(
                self.url, "Reading GeoParquet needs more libraries.", "Install ckanext-dinamis-relais[parquet]."
            ) from error
        try:
            with pq.ParquetFile(self.path) as file:
                total, row = file.metadata.num_rows, 0
                for batch in file.iter_batches(batch_size=BATCH):
                    row += batch.num_rows
                    if row <= at:
                        continue
                    page = self._page(request, row if row < total else None, row, total)
                    page.items = [_tidy(item) for item in stac_table_to_items(pa.Table.from_batches([batch]))]
                    yield page
        except (pa.ArrowException, KeyError, ValueError, TypeError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise OutsideError(self.url, f"It is no stac-geoparquet ({reason}).", "Write it anew.") from error


def filter_mark(settings: Settings) -> str:
    """Recognises what of a file is asked for; empty when all is."""
    asked = [settings.collections, settings.bbox, settings.datetime]
    return blake2b(orjson.dumps(asked), digest_size=8).hexdigest() if any(asked) else ""


@dataclass(frozen=True)
class _Wish:
    """Whether a scene lies in the area and period of a source's configuration, as a STAC API would say it.

    :ivar area: longitude and latitude in degrees, None for everywhere
    """

    area: Any
    start: dt.datetime | None
    end: dt.datetime | None

    def __call__(self, scene: Scene) -> bool:
        if (self.start and scene.end < self.start) or (self.end and scene.moment > self.end):
            return False
        return self.area is None or bool(shapely.intersects(self.area, shapely.from_wkb(scene.wkb)))


def _wish(settings: Settings) -> Callable[[Scene], bool]:
    start, end = (None, None)
    if settings.datetime:
        low, slash, high = settings.datetime.partition("/")
        start = parse_moment(low)[0]
        end = parse_moment(high)[0] if slash else start
    area = None
    if settings.bbox:
        west, south, east, north = settings.bbox
        area = shapely.box(west, south, east, north)
    return _Wish(area, start, end)


def _skip(file: BinaryIO, at: int, url: str) -> None:
    try:
        file.seek(at)
    except (OSError, EOFError) as error:
        raise OutsideError(url, f"It cannot be read ({error}).", "Put it there again.") from error


def _lines(file: BinaryIO, url: str, at: int = 0) -> Iterator[tuple[int, bytes, str | None]]:
    """Lines of a file: where each ends, the line, and what is wrong with it; an endless line is not kept.

    :raises OutsideError: the file is cut off
    """
    try:
        while line := file.readline(MAX_ITEM_BYTES + 1):
            at += len(line)
            whole = line.endswith(b"\n")
            if whole or len(line) <= MAX_ITEM_BYTES:
                if not whole and not _is_json(line):
                    raise OutsideError(url, "Its last line is cut off.", "Put the whole file there.")
                yield at, line, None
                continue
            while not whole and (line := file.readline(1 << 20)):
                at += len(line)
                whole = line.endswith(b"\n")
            yield at, b"", f"It has over {MAX_ITEM_BYTES:,} bytes."
    except (OSError, EOFError, gzip.zlib.error) as error:  # type: ignore[attr-defined]
        raise OutsideError(url, f"It is broken or cut off ({error}).", "Put the whole file there.") from error


def _is_json(line: bytes) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return not line.strip()
    return True


def _plausible(line: bytes, url: str) -> bool:
    """The first line says what the file is.

    :raises OutsideError: it is a web page, or JSON in several lines
    """
    start = line.lstrip()[:200].lower()
    if start.startswith(b"<"):
        raise OutsideError(url, "It is a web page, not a file of scenes.", "Check the address.")
    try:
        first = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise OutsideError(url, f"Its first line is no JSON ({error}).", ONE_A_LINE) from error
    if isinstance(first, dict) and first.get("type") in ("Feature", "Collection"):
        return True
    what = f"a {first.get('type')}" if isinstance(first, dict) else "no object"
    raise OutsideError(url, f"Its first line is {what}, not a STAC item.", ONE_A_LINE)


def _collections(lines: Iterator[tuple[int, bytes, str | None]]) -> Iterator[dict[str, Any]]:
    """STAC collections at the head of a file: they come before the first item."""
    for _end, line, problem in lines:
        if problem or not line.strip():
            continue
        try:
            one = orjson.loads(line)
        except orjson.JSONDecodeError:
            return
        if not isinstance(one, dict) or one.get("type") != "Collection":
            return
        yield one


def _tidy(item: dict[str, Any]) -> dict[str, Any]:
    """A row as the item it was made of: a column that another scene has is no null of this one."""
    properties = {
        key: _plain(value)
        for key, value in (item.get("properties") or {}).items()
        if value is not None or key == "datetime"
    }
    assets = {
        key: {name: _plain(part) for name, part in asset.items() if part is not None}
        for key, asset in (item.get("assets") or {}).items() if isinstance(asset, dict)
    }  # fmt: skip
    rest = {key: value for key, value in item.items() if value is not None}
    return {**rest, "properties": properties, "assets": assets}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items() if one is not None}
    return [_plain(one) for one in value] if isinstance(value, list) else value
