"""Files as viewers send them, alone or in a ZIP: read within bounds, whatever they claim to be."""

import csv
import io
import zipfile
import zlib
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from domain.interchange.model import Problem
from domain.platform.errors import refuse

MAX_FILE_BYTES: Final = 64 * 2**20
"""Of a file as it is sent."""
MAX_UNPACKED_BYTES: Final = 256 * 2**20
MAX_FILES: Final = 1_000
MAX_RATIO: Final = 200
"""How many bytes may come of one; exports of text reach 20."""
MAX_ROWS: Final = 500_000
_STEP: Final = 2**20
_ZIP: Final = b"PK\x03\x04"
_METHODS: Final = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


@dataclass(frozen=True, slots=True)
class Member:
    """A file: its name within what was sent, and what it holds."""

    name: str
    data: bytes

    @property
    def base(self) -> str:
        """The name without folders, in lower case."""
        return self.name.rsplit("/", 1)[-1].lower()


def read_file(path: Path) -> bytes:
    """The file, as far as `members_of` looks to see that it is too large."""
    with path.open("rb") as file:
        return file.read(MAX_FILE_BYTES + 1)


def members_of(name: str, data: bytes) -> list[Member]:
    """The files of a ZIP, or the one that `data` is; raises `Refused` for what is too large or broken."""
    if len(data) > MAX_FILE_BYTES:
        raise refuse(f"The file has more than {MAX_FILE_BYTES // 2**20} MiB.")
    if not data.startswith(_ZIP):
        return [Member(name, data)]
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return list(_unpacked(archive, len(data)))
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
        raise refuse(f"The ZIP file is damaged or of an unknown kind: {error}.") from None


def _unpacked(archive: zipfile.ZipFile, packed: int) -> Iterator[Member]:
    infos = [info for info in archive.infolist() if not info.is_dir()]
    if len(infos) > MAX_FILES:
        raise refuse(f"The ZIP file holds more than {MAX_FILES:,} files.")
    most = min(MAX_UNPACKED_BYTES, max(_STEP, packed * MAX_RATIO))
    for info in infos:
        if info.flag_bits & 1:
            raise refuse("The ZIP file is locked with a password.")
        if info.compress_type not in _METHODS:
            raise refuse(f"{info.filename} is packed in a way that is not read; pack it with deflate.")
        with archive.open(info) as file:
            # What the header states is not believed: the bytes are counted as they come.
            data = file.read(most + 1)
        most -= len(data)
        if most < 0:
            raise refuse("The ZIP file unpacks to more than is read.")
        yield Member(info.filename, data)


def text_of(data: bytes) -> str:
    """The text, in UTF-8 or with the mark of UTF-16; raises `ValueError` saying which byte is wrong."""
    wide = data.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
    try:
        return data.decode("utf-16") if wide else data.removeprefix(BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ValueError(f"is not UTF-8, from line {line}, byte {error.start}") from None


def json_of(member: Member) -> Any:
    """The document; raises `ValueError` with the reason."""
    try:
        return orjson.loads(text_of(member.data))
    except orjson.JSONDecodeError as error:
        raise ValueError(f"is not JSON: {error}") from None


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a CSV file, by the names of the columns in lower case."""

    where: str
    values: dict[str, str]

    def __getitem__(self, name: str) -> str:
        """Without space around it; empty where there is none."""
        return self.values.get(name, "").strip()


def rows_of(member: Member) -> Iterator[Row | Problem]:
    """The rows below the header; lines count from 1, and a row stands where it begins."""
    try:
        text = text_of(member.data)
    except ValueError as error:
        yield Problem(member.name, f"{error}")
        return
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    line = 1
    while True:
        where = f"{member.name}:{line}"
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield Problem(where, f"is not CSV: {error}; nothing behind it is read")
            return
        if cells is None:
            return
        line = reader.line_num + 1
        if not any(cell.strip() for cell in cells):
            continue
        if header is None:
            header = [cell.strip().lower() for cell in cells]
        elif len(cells) != len(header):
            yield Problem(where, f"has {len(cells)} cells where the header names {len(header)}")
        elif any("\0" in cell for cell in cells):
            yield Problem(where, "has a NUL character")
        else:
            yield Row(where, dict(zip(header, cells, strict=True)))


def header_of(member: Member) -> set[str]:
    """The names of the columns in lower case; none where it is no CSV file."""
    try:
        first = text_of(member.data[:8192].rpartition(b"\n")[0] or member.data[:8192])
        cells = next(csv.reader(io.StringIO(first.partition("\n")[0])), [])
    except (ValueError, csv.Error):
        return set()
    return {cell.strip().lower() for cell in cells}


def bounded(found: Iterable[Any]) -> list[Any]:
    """All of it; raises `Refused` where that is too much."""
    listed = []
    for one in found:
        listed.append(one)
        if len(listed) > MAX_ROWS:
            raise refuse(f"The file tells more than {MAX_ROWS:,} things; split it.")
    return listed
