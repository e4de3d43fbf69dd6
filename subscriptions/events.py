"""What a stream delivers: an entry of the change log, read for the graph."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from domain.playback import model as playback
from domain.sync import model as sync
from domain.sync import payloads
from domain.sync.model import Change, ChangeKind
from resolvers.sync import cursor_of


@dataclass(frozen=True, slots=True)
class ProgressChanged:
    cursor: str
    progress: sync.WatchProgress


@dataclass(frozen=True, slots=True)
class ViewingWithdrawn:
    cursor: str
    content_id: int
    viewing: int


@dataclass(frozen=True, slots=True)
class WatchlistChanged:
    cursor: str
    content_id: int
    entry: sync.WatchlistEntry | None


@dataclass(frozen=True, slots=True)
class ReactionChanged:
    cursor: str
    reaction: sync.Reaction


@dataclass(frozen=True, slots=True)
class TitleMarksChanged:
    cursor: str
    marks: sync.Marks


@dataclass(frozen=True, slots=True)
class DeviceChanged:
    cursor: str
    device: sync.Device

    @property
    def removed(self) -> bool:
        return self.device.removed


@dataclass(frozen=True, slots=True)
class CommandChanged:
    cursor: str
    command: sync.DeviceCommand


@dataclass(frozen=True, slots=True)
class PlaybackChanged:
    cursor: str
    session: playback.PlaybackSession


@dataclass(frozen=True, slots=True)
class SnapshotBegan:
    cursor: str


@dataclass(frozen=True, slots=True)
class SnapshotEnded:
    cursor: str


Event: TypeAlias = (
    ProgressChanged
    | ViewingWithdrawn
    | WatchlistChanged
    | ReactionChanged
    | TitleMarksChanged
    | DeviceChanged
    | CommandChanged
    | PlaybackChanged
    | SnapshotBegan
    | SnapshotEnded
)


def event_of(change: Change) -> Event:
    """Read once for all who are told of it."""
    event: Event | None = change.readings.get(event_of)
    if event is None:
        event = change.readings[event_of] = READERS[change.kind](cursor_of(change.seq), change)
    return event


READERS: Mapping[ChangeKind, Callable[[str, Change], Event]] = {
    ChangeKind.PROGRESS: lambda cursor, change: ProgressChanged(cursor, payloads.to_progress(change.payload)),
    ChangeKind.VIEWING_WITHDRAWN: lambda cursor, change: ViewingWithdrawn(
        cursor, change.payload["content"], change.payload["viewing"]
    ),
    ChangeKind.WATCHLIST: lambda cursor, change: WatchlistChanged(
        cursor, change.payload["content"], payloads.to_entry(change.payload)
    ),
    ChangeKind.REACTION: lambda cursor, change: ReactionChanged(cursor, payloads.to_reaction(change.payload)),
    ChangeKind.MARKS: lambda cursor, change: TitleMarksChanged(cursor, payloads.to_marks(change.payload)),
    ChangeKind.DEVICE: lambda cursor, change: DeviceChanged(cursor, payloads.to_device(change.payload)),
    ChangeKind.COMMAND: lambda cursor, change: CommandChanged(cursor, payloads.to_command(change.payload)),
    ChangeKind.COMMAND_STATE: lambda cursor, change: CommandChanged(
        cursor, payloads.to_command(change.payload)
    ),
    ChangeKind.PLAYBACK: lambda cursor, change: PlaybackChanged(
        cursor, playback.to_session(change.account_id, change.payload)
    ),
    ChangeKind.SNAPSHOT_BEGAN: lambda cursor, _change: SnapshotBegan(cursor),
    ChangeKind.SNAPSHOT_ENDED: lambda cursor, _change: SnapshotEnded(cursor),
}
