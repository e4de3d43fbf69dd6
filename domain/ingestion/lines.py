"""Lines of a file, plain or gzip, in constant memory; what is damaged becomes a refusal."""

import gzip
import io
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple, TypeAlias

import orjson

from domain.ingestion.model import BadSource, Origin, Refusal, Work
from domain.platform.fields import Broken, Fields

MAX_LINE = 4 * 1024 * 1024
"""In bytes; a longer line is refused without being held in memory."""
GZIP = b"\x1f\x8b"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """One line without its end, and where it stands."""

    origin: Origin
    data: bytes


Lines: TypeAlias = Iterable[Line | Refusal]


class LineFile:
    """The lines of one file, blank ones left out; each iteration reads it anew.

    Raises `BadSource` when it cannot be opened. A gzip file that breaks off or is damaged gives its whole
    lines up to there and then a refusal.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise BadSource(f"There is no file {path}.")
        self._path = path
        self._size = max(1, path.stat().st_size)
        self._read_bytes = 0

    @property
    def fraction(self) -> float:
        """How much of the file has been read, from 0 to 1, by its size on disk."""
        return min(1.0, self._read_bytes / self._size)

    def __iter__(self) -> Iterator[Line | Refusal]:
        with ExitStack() as stack:
            raw = stack.enter_context(self._opened())
            packed = raw.peek(2)[:2] == GZIP
            file = stack.enter_context(gzip.GzipFile(fileobj=raw)) if packed else raw
            yield from self._lines(file, raw)

    def _opened(self) -> io.BufferedReader:
        try:
            return self._path.open("rb")
        except OSError as error:
            raise BadSource(f"{self._path} cannot be read: {error.strerror}.") from error

    def _lines(self, file: io.BufferedIOBase, raw: io.BufferedReader) -> Iterator[Line | Refusal]:
        number = 0
        while True:
            number += 1
            origin = Origin(self._path.name, number)
            try:
                data, whole = _next_line(file)
            except (EOFError, zlib.error, OSError) as error:
                yield Refusal(*origin, "", f"the file breaks off or is damaged here: {error}")
                break
            if not data:
                break
            self._read_bytes = raw.tell()
            if not whole:
                yield Refusal(*origin, "", f"the line has more than {MAX_LINE} bytes")
            elif stripped := data.removeprefix(BYTE_ORDER_MARK).strip():
                yield Line(origin, stripped)
        self._read_bytes = self._size


class WorkFile:
    """A source that is one file of JSON lines, `.jsonl` or `.jsonl.gz`, and corrects what is known."""

    fills_gaps = False

    def __init__(self, path: Path) -> None:
        self._file = LineFile(path)

    @property
    def fraction(self) -> float:
        return self._file.fraction


def _next_line(file: io.BufferedIOBase) -> tuple[bytes, bool]:
    """The next line, or its beginning and `False` where it is too long; empty at the end."""
    data = file.readline(MAX_LINE + 1)
    if len(data) <= MAX_LINE:
        return data, True
    rest = data
    while rest and not rest.endswith(b"\n"):
        rest = file.readline(MAX_LINE)
    return data[:1], False


def works_of(lines: Lines, read: Callable[[Fields, Origin], Work]) -> Iterator[Work | Refusal]:
    """The works of JSON lines: `read` makes one of a record, raising `Broken` where it breaks a rule."""
    for line in lines:
        if isinstance(line, Refusal):
            yield line
            continue
        try:
            yield read(Fields(record(line.data)), line.origin)
        except Broken as broken:
            yield Refusal(*line.origin, broken.field, broken.reason)


def record(data: bytes) -> dict[str, object]:
    """The JSON object of a line; raises `Broken`."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise Broken("", f"is not JSON in UTF-8: {error}") from None
    if not isinstance(value, dict):
        raise Broken("", "is not a JSON object")
    return value
