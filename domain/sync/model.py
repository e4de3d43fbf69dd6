"""What follows a viewer from device to device: values and how they merge."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeAlias

from domain.catalog.links import DeviceKind
from domain.platform.values import value
from domain.sync.capabilities import DeviceCapabilities
from domain.sync.clock import Timestamp
from domain.sync.presence import UNTOLD, Battery, DeviceCondition, NetworkQuality

COMPLETED_FRACTION = 0.95
LONGEST_CREDITS = 0.25
MOSTLY_FRACTION = 0.9
"""A sign of taste, and nothing else."""
RESUME_FROM_SECONDS = 30
CONTINUE_FOR = timedelta(days=30)
"""For so long what was begun is offered to be gone on with."""


class Verdict(StrEnum):
    """What a viewer thinks of a title, in a word."""

    LIKE = "like"
    """More like this."""
    DISLIKE = "dislike"
    """Less like this."""
    NOT_INTERESTED = "not_interested"
    """Do not show this again."""


class CommandState(StrEnum):
    """How far a command came."""

    QUEUED = "queued"
    """Waits for the device."""
    DELIVERED = "delivered"
    """Handed to the device."""
    ACKNOWLEDGED = "acknowledged"
    """The device has it and begins."""
    EXECUTED = "executed"
    """The device did it."""
    FAILED = "failed"
    """The device could not do it."""
    EXPIRED = "expired"
    """The device did not answer in time; it must not do it any more."""

    @property
    def rank(self) -> int:
        """How far it is: a command never goes back."""
        return min(list(CommandState).index(self), list(CommandState).index(CommandState.EXECUTED))

    @property
    def final(self) -> bool:
        return self in {CommandState.EXECUTED, CommandState.FAILED, CommandState.EXPIRED}


@value
class WatchProgress:
    """How far one viewing of a title came: a register per viewing.

    Two states of one viewing merge to the position of the later writer; completion, once reached, stays, and
    was reached at the earliest moment that any of them says.
    """

    content_id: int
    viewing: int
    position_seconds: int
    duration_seconds: int
    completed: bool
    version: Timestamp
    device_id: str | None
    updated_at: datetime
    completed_at: datetime | None = None
    """By the clock of the device; nothing while it is not completed."""

    @property
    def fraction(self) -> float:
        return self.position_seconds / self.duration_seconds if self.duration_seconds else 0.0

    @property
    def resume_seconds(self) -> int:
        """Where to go on: at the start of what is finished or hardly begun."""
        begun = self.position_seconds >= RESUME_FROM_SECONDS
        return self.position_seconds if begun and not self.completed else 0

    def merge(self, other: "WatchProgress") -> "WatchProgress":
        """Commutative, associative and idempotent, for states of one viewing."""
        later = max(self, other, key=WatchProgress._order)
        moments = [state.completed_at for state in (self, other) if state.completed_at is not None]
        return replace(
            later,
            completed=self.completed or other.completed,
            completed_at=min(moments, default=None),
        )

    def _order(self) -> tuple[Timestamp, int, int, str, float]:
        """Total, also where a broken client gives two writes one version: then the farther position wins."""
        return (
            self.version,
            self.position_seconds,
            self.duration_seconds,
            self.device_id or "",
            -self.updated_at.timestamp(),
        )


def reaches_the_end(
    position_seconds: int, duration_seconds: int, end_credits_seconds: int | None = None
) -> bool:
    """Whether the title is finished: at 95 %, or where its closing credits begin.

    Credits of more than a quarter are those of another cut, or a mistake, and do not count.
    """
    end = COMPLETED_FRACTION * duration_seconds
    if end_credits_seconds is not None and end_credits_seconds <= LONGEST_CREDITS * duration_seconds:
        end = min(end, duration_seconds - end_credits_seconds)
    return duration_seconds > 0 and position_seconds >= end


def mostly_watched(position_seconds: int, duration_seconds: int) -> bool:
    return duration_seconds > 0 and position_seconds >= MOSTLY_FRACTION * duration_seconds


@dataclass(frozen=True, slots=True)
class Tags:
    """An observed-remove set of one title: on the list while an added tag is not removed.

    After Shapiro et al., "A comprehensive study of Convergent and Commutative Replicated Data Types"
    (2011), 3.3.5: concurrent addition and removal leave the title on the list.
    """

    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()

    @property
    def live(self) -> frozenset[str]:
        return self.added - self.removed


@dataclass(frozen=True, slots=True)
class Addition:
    """One addition to the watchlist, or what is known of it: its removal may be all that arrived."""

    content_id: int
    tag: str
    at: datetime | None
    version: Timestamp | None
    given: bool
    """Whether a client made the tag: only such an addition can be sent again."""
    removed: bool = False
    removal: Timestamp | None = None
    """The clock of the device that removed it, where it told one."""

    @property
    def live(self) -> bool:
        return self.at is not None and not self.removed


@value
class WatchlistEntry:
    """A title on the watchlist, with the live tags that hold it there, earliest addition first."""

    content_id: int
    added_at: datetime
    device_id: str | None
    tags: tuple[str, ...]
    place: str
    """Where it stands in the order that the viewer made: places compare as texts by code points."""
    version: Timestamp | None = None
    """The latest clock of its additions and its move; nothing where the log did not tell it yet."""


@value
class Reaction:
    """What the viewer thinks of a title: a register; neither verdict nor stars where it was taken back."""

    content_id: int
    verdict: Verdict | None
    stars: float | None
    version: Timestamp
    updated_at: datetime

    @property
    def order(self) -> tuple[Timestamp, str, float]:
        """The later wins; total, also where a broken client gives two writes one version."""
        return self.version, self.verdict or "", self.stars or 0.0

    @property
    def given(self) -> bool:
        return self.verdict is not None or self.stars is not None


class MarkKind(StrEnum):
    """What a viewer can note of a title."""

    PLACE = "place"
    """Its place on the watchlist."""
    NOTE = "note"
    """A text of the viewer's own."""
    DROPPED = "dropped"
    """Given up: it is not offered to be gone on with, and not suggested."""
    HIDDEN = "hidden"
    """Not to be suggested: not recommended, nor on the home screen, nor gone on with. Search finds it."""


MarkValue: TypeAlias = str | bool | None


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing that a viewer noted of a title: a register per title and kind."""

    content_id: int
    kind: MarkKind
    value: MarkValue
    version: Timestamp
    updated_at: datetime

    @property
    def order(self) -> tuple[Timestamp, str]:
        """The later wins; total, also where a broken client gives two writes one version."""
        return self.version, repr(self.value)


@dataclass(frozen=True, slots=True)
class Marks:
    """What a viewer noted of a title, apart from its place."""

    content_id: int
    note: str | None = None
    dropped: bool = False
    hidden: bool = False
    version: Timestamp | None = None
    """The latest clock of them; nothing where the log did not tell it yet."""

    @property
    def any(self) -> bool:
        return self.note is not None or self.dropped or self.hidden


class ConflictKind(StrEnum):
    """What two devices changed without knowing of each other."""

    PROGRESS = "progress"
    """How far a viewing came."""
    WATCHLIST = "watchlist"
    """A removal from the watchlist that an addition outlived."""
    REACTION = "reaction"
    """What the viewer thinks of a title."""
    PLACE = "place"
    """A place on the watchlist."""
    NOTE = "note"
    """A note on a title."""
    DROPPED = "dropped"
    """Whether a title is given up."""
    HIDDEN = "hidden"
    """Whether a title is hidden."""


@dataclass(frozen=True, slots=True)
class ContendingWrite:
    """One of the two writes of a conflict."""

    value: dict[str, Any]
    """What it said, in the names of the graph."""
    version: Timestamp | None

    @property
    def device_id(self) -> str | None:
        return None if self.version is None else self.version.device


@dataclass(frozen=True, slots=True)
class Conflict:
    """A write that was lost, and the one it was lost to."""

    content_id: int
    kind: ConflictKind
    lost: ContendingWrite
    won: ContendingWrite
    noted_at: datetime


@dataclass(frozen=True, slots=True)
class Device:
    """A device of an account."""

    id: str
    name: str
    kind: DeviceKind
    platform: str | None
    capabilities: DeviceCapabilities
    registered_at: datetime
    last_seen_at: datetime | None
    removed: bool = False
    incognito_since: datetime | None = None
    """Since when nothing that is done on it is kept; nothing while it is."""
    present: bool = False
    """Whether the others were last told that it came, rather than that it went."""
    acted_at: datetime | None = None
    """When its user did something last, as it tells; nothing in the change log, and of what is incognito."""
    active: bool = False
    """Whether the others were last told that its user does something, rather than that it is idle."""
    condition: DeviceCondition = UNTOLD
    """As the others were last told."""
    app_version: str | None = None

    @property
    def incognito(self) -> bool:
        return self.incognito_since is not None

    @property
    def battery(self) -> Battery | None:
        return self.condition.battery

    @property
    def network_quality(self) -> NetworkQuality | None:
        return self.condition.network_quality


@dataclass(frozen=True, slots=True)
class DeviceCommand:
    """A remote command, as it was last known."""

    id: str
    device_id: str
    action: str
    arguments: dict[str, Any]
    state: CommandState
    created_at: datetime
    expires_at: datetime
    failure: str | None = None

    def at(self, now: datetime) -> "DeviceCommand":
        """The command as it stands `now`: one that was not answered in time expires."""
        lapsed = not self.state.final and self.expires_at <= now
        return replace(self, state=CommandState.EXPIRED) if lapsed else self


class ChangeKind(StrEnum):
    """What an entry of the change log is about."""

    PROGRESS = "progress"
    VIEWING_WITHDRAWN = "viewing_withdrawn"
    WATCHLIST = "watchlist"
    REACTION = "reaction"
    MARKS = "marks"
    DEVICE = "device"
    COMMAND = "command"
    COMMAND_STATE = "command_state"
    PLAYBACK = "playback"
    SNAPSHOT_BEGAN = "snapshot_began"
    """Of no entry: the state as a whole follows, for one whom the log has left behind."""
    SNAPSHOT_ENDED = "snapshot_ended"


@dataclass(frozen=True, slots=True)
class Change:
    """An entry of an account's change log: numbered without gaps, in the order of commits."""

    account_id: str
    seq: int
    kind: ChangeKind
    payload: dict[str, Any] = field(repr=False)
    readings: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)
    """What a reader made of it, by reader: many listeners are told of the very same entry."""
    written_at: float | None = field(default=None, repr=False, compare=False)
    """When it was written, in seconds since 1970; nothing of one that was read from the log later."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something for the outside: shipped through the outbox, in order per key."""

    topic: str
    key: str
    payload: dict[str, Any]
