"""What a viewer does to titles, on whichever device, as values; and what the rules ask of such values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias
from uuid import UUID

from domain.platform.errors import UserErrorCode, refuse
from domain.sync.clock import Timestamp
from domain.sync.model import MarkKind, MarkValue, Verdict
from domain.sync.ordering import checked

MAX_DURATION_SECONDS = 7 * 86_400
MAX_VIEWING = 100_000
MAX_NOTE = 2_000
MAX_TAGS = 100
STARS = (0.5, 5.0)


@dataclass(frozen=True, slots=True)
class Title:
    """What the rules must know of a title: whether it is played, how long it is, and its closing credits."""

    content_id: int
    playable: bool
    duration_seconds: int | None
    end_credits_seconds: int | None = None


class Titles(Protocol):
    """Looks titles up; the catalogue fills it."""

    async def __call__(self, content_ids: Sequence[int]) -> Mapping[int, Title]: ...


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a write comes from: the device, and its own time of the write where it tells one.

    `base` is the version of the state that the device knew and replaced: what it did not know, and replaced
    nevertheless, is a conflict.
    """

    device_id: str | None = None
    version: Timestamp | None = None
    base: Timestamp | None = None


HERE = Origin()


@dataclass(frozen=True, slots=True)
class Position:
    """Where a player stands, in seconds; its length as the player knows it."""

    seconds: int
    duration_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Watched:
    """Came so far with a viewing of a title; with the one that goes on where none is named."""

    content_id: int
    position: Position
    viewing: int | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """Put a title on the watchlist; `tag` names this addition."""

    content_id: int
    tag: str


@dataclass(frozen=True, slots=True)
class Removed:
    """Took a title off the watchlist: the additions that were seen, or all that are known."""

    content_id: int
    tags: Sequence[str] | None


@dataclass(frozen=True, slots=True)
class Reacted:
    """Said what the viewer thinks of a title, or took it back."""

    content_id: int
    verdict: Verdict | None
    stars: float | None


@dataclass(frozen=True, slots=True)
class Marked:
    """Noted something of a title, or took it back."""

    content_id: int
    kind: MarkKind
    value: MarkValue


Act: TypeAlias = Watched | Added | Removed | Reacted | Marked


@dataclass(frozen=True, slots=True)
class Operation:
    """An act as it waits in the queue of a device."""

    id: str
    act: Act
    version: Timestamp
    base: Timestamp | None = None


def known_duration(given: int | None, title: Title) -> int:
    """How long the title is: as the player says, else as the catalogue does."""
    duration = given if given is not None else title.duration_seconds
    if duration is None:
        raise refuse(
            "The catalogue does not know how long this is: pass `durationSeconds`.",
            UserErrorCode.INVALID,
            "durationSeconds",
        )
    if not 0 < duration <= MAX_DURATION_SECONDS:
        raise refuse(
            f"`durationSeconds` must be between 1 and {MAX_DURATION_SECONDS}.",
            UserErrorCode.INVALID,
            "durationSeconds",
        )
    return duration


def known_position(seconds: int) -> int:
    if seconds < 0:
        raise refuse("`positionSeconds` cannot be negative.", UserErrorCode.INVALID, "positionSeconds")
    return seconds


def known_viewing(viewing: int) -> int:
    if not 1 <= viewing <= MAX_VIEWING:
        raise refuse(f"`viewing` must be between 1 and {MAX_VIEWING}.", UserErrorCode.INVALID, "viewing")
    return viewing


def known_stars(stars: float | None) -> float | None:
    if stars is not None and not (STARS[0] <= stars <= STARS[1] and (stars * 2).is_integer()):
        raise refuse("`stars` go from 0.5 to 5 in halves.", UserErrorCode.INVALID, "stars")
    return stars


def known_mark(kind: MarkKind, value: MarkValue) -> MarkValue:
    """The value as it is kept: an empty note is none."""
    if kind is MarkKind.PLACE:
        return checked(str(value))
    if kind is not MarkKind.NOTE:
        return bool(value)
    note = "" if value is None else str(value).strip()
    if len(note) > MAX_NOTE:
        raise refuse(f"A note has up to {MAX_NOTE} characters.", UserErrorCode.INVALID, "note")
    if "\0" in note:
        raise refuse("A note cannot hold the character NUL.", UserErrorCode.INVALID, "note")
    return note or None


def known_tags(tags: Sequence[str]) -> frozenset[str]:
    if len(tags) > MAX_TAGS:
        raise refuse(f"Up to {MAX_TAGS} tags are removed at once.", UserErrorCode.INVALID, "tags")
    return frozenset(known_tag(tag, "tags") for tag in tags)


def known_tag(text: str, argument: str = "tag") -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise refuse("A tag is a UUID.", UserErrorCode.INVALID, argument) from None
