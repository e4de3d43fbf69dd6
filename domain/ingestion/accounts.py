"""Demo accounts with a history, read from `demo/accounts.jsonl`.

They are for trying things out: their password stands in the file for all to see.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID, uuid5

from domain.catalog.links import DeviceKind
from domain.catalog.model import VideoQuality
from domain.ingestion.lines import Lines, record
from domain.ingestion.model import Refusal
from domain.platform.fields import Broken, Fields
from domain.sync.clock import COUNTER_BITS
from domain.sync.model import Verdict

NAMESPACE = UUID("5f0f2a4e-6f0b-5d3c-9a51-0c3f7d6b8e21")
"""Of the identifiers of imported accounts, devices and tags, so that the same data makes the same ones."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DemoDevice:
    """A device; `id` is its short name within the account."""

    id: str
    name: str
    kind: DeviceKind
    platform: str | None
    max_quality: str | None
    hdr: bool
    can_cast: bool
    screen_inches: int | None


@dataclass(frozen=True, slots=True)
class DemoProgress:
    """How much of the work `key` was seen, from 0 to 1, `ago` before the loading."""

    key: str
    position: float
    ago: timedelta
    device: str


@dataclass(frozen=True, slots=True)
class DemoEntry:
    """A work on the watchlist."""

    key: str
    ago: timedelta
    device: str


@dataclass(frozen=True, slots=True)
class DemoReaction:
    """What the viewer thinks of a work."""

    key: str
    verdict: Verdict | None
    stars: float | None
    ago: timedelta


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """An account and what it did.

    A key is a work's, or leads on to a part of it: `dark-2017/1/3` is the third episode of the first
    season, `abbey-road-1969/1/3` the third track of the first disc.
    """

    email: str
    display_name: str
    password: str
    region: str
    language: str
    roles: tuple[str, ...]
    tier: str
    devices: tuple[DemoDevice, ...]
    progress: tuple[DemoProgress, ...]
    watchlist: tuple[DemoEntry, ...]
    reactions: tuple[DemoReaction, ...]

    @property
    def id(self) -> str:
        return identifier("account", self.email)

    @property
    def keys(self) -> set[str]:
        return {entry.key for entry in self.entries}

    @property
    def entries(self) -> list[DemoProgress | DemoEntry | DemoReaction]:
        return [*self.progress, *self.watchlist, *self.reactions]


def identifier(*names: str) -> str:
    """The UUID of what these names lead to."""
    return str(uuid5(NAMESPACE, "/".join(names)))


def clock(at: datetime) -> int:
    """The hybrid logical clock of a moment, its counter at 0."""
    return int(at.timestamp() * 1000) << COUNTER_BITS


def parse(lines: Lines) -> Iterator[DemoAccount | Refusal]:
    for line in lines:
        if isinstance(line, Refusal):
            yield line
            continue
        try:
            yield _account(Fields(record(line.data)))
        except Broken as broken:
            yield Refusal(*line.origin, broken.field, broken.reason)


def _account(entry: Fields) -> DemoAccount:
    return DemoAccount(
        email=entry.required_text("email", 255),
        display_name=entry.required_text("display_name", 64),
        password=entry.required_text("password", 1000),
        region=entry.required_text("region", 2),
        language=entry.required_text("language", 35),
        roles=tuple(entry.texts("roles", 20)),
        tier=entry.required_text("tier", 20),
        devices=tuple(_device(part) for part in entry.parts("devices")),
        progress=tuple(
            DemoProgress(_key(part), _fraction(part), _ago(part), part.required_text("device", 20))
            for part in entry.parts("progress")
        ),
        watchlist=tuple(
            DemoEntry(_key(part), _ago(part), part.required_text("device", 20))
            for part in entry.parts("watchlist")
        ),
        reactions=tuple(
            DemoReaction(_key(part), _verdict(part), part.number("stars", 0.5, 5), _ago(part))
            for part in entry.parts("reactions")
        ),
    )


def _device(entry: Fields) -> DemoDevice:
    quality = entry.text("max_quality", 5)
    return DemoDevice(
        id=entry.required_text("id", 20),
        name=entry.required_text("name", 64),
        kind=_one_of(DeviceKind, entry, "kind", entry.required_text("kind", 20)),
        platform=entry.text("platform", 30),
        max_quality=None if quality is None else _one_of(VideoQuality, entry, "max_quality", quality),
        hdr=entry.flag("hdr"),
        can_cast=entry.flag("can_cast"),
        screen_inches=entry.integer("screen_inches", 1, 500),
    )


def _key(entry: Fields) -> str:
    return entry.required_text("key", 120)


def _fraction(entry: Fields) -> float:
    return entry.number("position", 0, 1) or 0.0


def _ago(entry: Fields) -> timedelta:
    return timedelta(days=entry.number("days_ago", 0, 3650) or 0.0)


def _verdict(entry: Fields) -> Verdict | None:
    value = entry.text("verdict", 20)
    return None if value is None else _one_of(Verdict, entry, "verdict", value)


def _one_of(kinds: Callable[[str], T], entry: Fields, name: str, value: str) -> T:
    try:
        return kinds(value)
    except ValueError:
        raise entry.broken(name, f"is not known: {value!r}") from None
