"""Our own archive: a ZIP of JSON lines, and a manifest with versions and checksums. Written and read here.

docs/interchange.md states the format. What it tells of titles, other catalogues can find as well.
"""

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar
from uuid import UUID

import orjson

from domain.catalog.links import DeviceKind
from domain.catalog.model import ContentKind, ExternalId
from domain.catalog.taxonomy import PLATFORMS
from domain.interchange.fields import TITLE_LIMIT, YEARS, moment
from domain.interchange.files import Member
from domain.interchange.model import (
    Act,
    Entry,
    Listing,
    Noted,
    Opinion,
    Problem,
    Reference,
    Trouble,
    Unlisted,
    Viewing,
)
from domain.platform.errors import BadInput, Refused, refuse
from domain.platform.fields import Broken, Fields
from domain.sync.capabilities import AudioFormat, DeviceCapabilities, HdrFormat
from domain.sync.clock import Timestamp
from domain.sync.devices import MAX_APP_VERSION, MAX_NAME
from domain.sync.model import Device, MarkKind, Verdict
from domain.sync.operations import MAX_DURATION_SECONDS, MAX_VIEWING, known_mark, known_stars
from domain.sync.service import moment_of

FORMAT: Final = "media-gateway-archive"
VERSION: Final = 1
MANIFEST: Final = "manifest.json"
DEVICES: Final = "devices.jsonl"
MAX_DEVICES: Final = 1_000
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""A ZIP holds times; the same content is to make the same bytes."""

Record: TypeAlias = Mapping[str, Any]
Format = TypeVar("Format", HdrFormat, AudioFormat)


class Part(NamedTuple):
    """A file of the archive: records that JSON can hold."""

    name: str
    records: Iterable[Record]


def files_of(parts: Iterable[Part], created_at: datetime) -> dict[str, bytes]:
    """The files of the archive, the manifest last."""
    found, listed = {}, []
    for part in parts:
        lines = [orjson.dumps(record) for record in part.records]
        data = b"".join(line + b"\n" for line in lines)
        found[part.name] = data
        listed.append({"name": part.name, "records": len(lines), "sha256": sha256(data).hexdigest()})
    manifest = {"format": FORMAT, "version": VERSION, "created_at": created_at, "files": listed}
    return found | {MANIFEST: orjson.dumps(manifest, option=orjson.OPT_INDENT_2)}


def zipped(files: Mapping[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, data in files.items():
            pack.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
    return archive.getvalue()


# Reading it again.


def recognises(members: Sequence[Member]) -> bool:
    manifest = _manifest(members)
    return manifest is not None and manifest.get("format") == FORMAT


def read(members: Sequence[Member]) -> Iterator[Entry | Problem | Device]:
    """What the archive tells, devices first.

    Raises `Refused` for an archive of a later version, or without a manifest.
    """
    manifest = _manifest(members)
    if manifest is None or manifest.get("format") != FORMAT:
        raise refuse(f"The archive has no {MANIFEST} that names the format {FORMAT}.")
    if manifest.get("version") != VERSION:
        raise refuse(f"The archive is of version {manifest.get('version')!r}; version {VERSION} is read.")
    listed = manifest.get("files")
    sums = {
        file["name"]: file.get("sha256")
        for file in (listed if isinstance(listed, list) else [])
        if isinstance(file, dict) and isinstance(file.get("name"), str)
    }
    for member in sorted(members, key=lambda member: member.name != DEVICES):
        lines = READERS.get(member.name)
        if member.name == MANIFEST:
            continue
        if lines is None:
            yield Problem(member.name, "is of the account, not of what was watched", Trouble.LEFT_OUT)
        elif sums.pop(member.name, None) != sha256(member.data).hexdigest():
            yield Problem(member.name, "is not what the manifest says: its checksum differs")
        else:
            yield from _lines(member, lines)
    for name in sums.keys() & READERS.keys():
        yield Problem(name, "is missing from the archive")


def _manifest(members: Sequence[Member]) -> dict[str, Any] | None:
    data = next((member.data for member in members if member.name == MANIFEST), b"")
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return document if isinstance(document, dict) else None


def _lines(member: Member, read: Callable[[Fields], Act | Device]) -> Iterator[Entry | Problem | Device]:
    for number, line in enumerate(member.data.splitlines(), start=1):
        where = f"{member.name}:{number}"
        try:
            record = orjson.loads(line)
            fields = Fields(record if isinstance(record, dict) else {})
            told = read(fields)
            if isinstance(told, Device):
                reason = f"is beyond the {MAX_DEVICES:,} devices that are taken over"
                yield told if number <= MAX_DEVICES else Problem(where, reason, Trouble.LEFT_OUT)
            else:
                yield Entry(where, (_title(fields.part("title")),), told)
        except orjson.JSONDecodeError as error:
            yield Problem(where, f"is not JSON: {error}")
        except Broken as broken:
            yield Problem(where, f"{broken.field} {broken.reason}")
        except (BadInput, Refused) as error:
            yield Problem(where, str(error))


def _viewing(record: Fields) -> Act:
    version = _version(record)
    return Viewing(
        at=moment(record, "completed_at") or moment_of(version),
        finished=record.flag("completed"),
        position_seconds=record.required_integer("position_seconds", 0, MAX_DURATION_SECONDS),
        duration_seconds=record.required_integer("duration_seconds", 0, MAX_DURATION_SECONDS),
        viewing=record.required_integer("viewing", -MAX_VIEWING, MAX_VIEWING),
        version=version,
        known_at=moment(record, "updated_at"),
        device=None if record.text("device", 36) is None else _uuid(record, "device"),
    )


def _listing(record: Fields) -> Act:
    version, tag = _version(record), _uuid(record, "tag")
    at = moment(record, "added_at") or moment_of(version)
    return Listing(at, tag, version, given=record.flag("given"))


def _unlisted(record: Fields) -> Act:
    version, removal = _open_version(record, "version"), _open_version(record, "removal")
    return Unlisted(moment(record, "added_at"), _uuid(record, "tag"), version, removal)


def _device(record: Fields) -> Device:
    kind, registered = record.required_text("kind", 20), moment(record, "registered_at")
    if kind not in set(DeviceKind):
        raise record.broken("kind", f"must be one of {', '.join(DeviceKind)}")
    if registered is None:
        raise record.broken("registered_at", "is missing")
    able = record.part("capabilities")
    return Device(
        id=_uuid(record, "id"),
        name=record.required_text("name", MAX_NAME),
        kind=DeviceKind(kind),
        platform=record.text("platform", MAX_NAME),
        capabilities=DeviceCapabilities(
            able.text("max_quality", 20),
            able.flag("hdr"),
            able.flag("remote_controllable"),
            able.flag("can_cast"),
            able.integer("screen_inches", 1, 1_000),
            _apps(able),
            _formats(able, "hdr_formats", HdrFormat),
            _formats(able, "audio_formats", AudioFormat),
        ),
        registered_at=registered,
        last_seen_at=moment(record, "last_seen_at"),
        removed=True,
        app_version=record.text("app_version", MAX_APP_VERSION),
    )


def _apps(able: Fields) -> tuple[str, ...]:
    found = tuple(able.texts("missing_apps", MAX_NAME))
    if not set(found) <= set(PLATFORMS):
        raise able.broken("missing_apps", f"must be of {', '.join(PLATFORMS)}")
    return found


def _formats(able: Fields, name: str, known: type[Format]) -> tuple[Format, ...]:
    found = able.texts(name, MAX_NAME)
    if not set(found) <= set(known):
        raise able.broken(name, f"must be of {', '.join(known)}")
    return tuple(known(each) for each in found)


def _opinion(record: Fields) -> Act:
    version, verdict = _version(record), record.text("verdict", 40)
    stars = known_stars(record.number("stars", 0.5, 5))
    if verdict is not None and verdict not in set(Verdict):
        raise record.broken("verdict", f"must be one of {', '.join(Verdict)}")
    said = None if verdict is None else Verdict(verdict)
    return Opinion(moment_of(version), stars, said, version, moment(record, "updated_at"))


def _noted(record: Fields) -> Act:
    version, kind = _version(record), record.required_text("kind", 40)
    if kind not in set(MarkKind):
        raise record.broken("kind", f"must be one of {', '.join(MarkKind)}")
    texts = {MarkKind.NOTE, MarkKind.PLACE}
    told = record.text("value", 10_000) if kind in texts else record.flag("value")
    value = known_mark(MarkKind(kind), told)
    return Noted(moment_of(version), MarkKind(kind), value, version, moment(record, "updated_at"))


def _version(record: Fields) -> Timestamp:
    return Timestamp.parse(record.required_text("version", 100))


def _open_version(record: Fields, name: str) -> Timestamp | None:
    told = record.text(name, 100)
    return None if told is None else Timestamp.parse(told)


def _uuid(record: Fields, name: str) -> str:
    try:
        return str(UUID(record.required_text(name, 36)))
    except ValueError:
        raise record.broken(name, "must be a UUID") from None


READERS: Final[dict[str, Callable[[Fields], Act | Device]]] = {
    DEVICES: _device,
    "viewings.jsonl": _viewing,
    "watchlist.jsonl": _listing,
    "removals.jsonl": _unlisted,
    "reactions.jsonl": _opinion,
    "marks.jsonl": _noted,
}


def _title(record: Fields) -> Reference:
    kind = record.required_text("kind", 20)
    if kind not in set(ContentKind):
        raise record.broken("kind", f"must be one of {', '.join(ContentKind)}")
    return Reference(
        ContentKind(kind),
        record.text("title", TITLE_LIMIT),
        record.integer("year", *YEARS),
        _ids(record.part("ids")),
        _ids(record.part("own_ids")),
        record.integer("part", 0),
        record.integer("number", 0),
    )


def _ids(record: Fields) -> tuple[ExternalId, ...]:
    return tuple(ExternalId(name, record.required_text(name, 200)) for name in record.names)


# What is written.


def title_record(title: Reference) -> Record:
    told = {
        "kind": title.kind.value,
        "title": title.title,
        "year": title.year,
        "ids": {i.source: i.value for i in title.ids},
        "own_ids": {i.source: i.value for i in title.own_ids},
        "part": title.part,
        "number": title.number,
    }
    return {name: value for name, value in told.items() if value not in (None, {})}


@dataclass(frozen=True, slots=True)
class State:
    """All that an account watched, listed, rated and noted, as of one moment, with the titles."""

    titles: Mapping[int, Reference]
    viewings: Sequence[tuple[int, Record]]
    watchlist: Sequence[tuple[int, Record]]
    reactions: Sequence[tuple[int, Record]]
    marks: Sequence[tuple[int, Record]]
    removals: Sequence[tuple[int, Record]] = ()
    """Additions to the watchlist that were removed, and may be told of again."""
    devices: Sequence[Record] = ()

    def parts(self) -> Iterator[Part]:
        yield Part(DEVICES, self.devices)
        for name in ("viewings", "watchlist", "removals", "reactions", "marks"):
            records: Sequence[tuple[int, Record]] = getattr(self, name)
            yield Part(f"{name}.jsonl", [self._record(*told) for told in records])

    def _record(self, content_id: int, record: Record) -> Record:
        return {"title": title_record(self.titles[content_id]), **record}
