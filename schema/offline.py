"""What the graph shows of devices that were offline: their queue, what was lost, and what viewers note."""

from datetime import datetime

from strawberry import ID
from strawberry.scalars import JSON

from domain.identity.policy import Scope, needs, own
from domain.sync import model, push
from domain.sync.clock import Timestamp
from resolvers import marks, sync
from resolvers import push as pushing
from schema.caching import PRIVATE
from schema.catalog import Content
from schema.devices import Device
from schema.errors import UserError
from schema.identity import Viewer
from schema.paging import Connection, page
from schema.sync import WatchlistEntry
from schema.views import choices, edge, extends, plain, view
from subscriptions import events

choices(model.ConflictKind, push.OperationFate)

READS_ALL = needs(Scope.READ_PROGRESS, Scope.READ_WATCHLIST, Scope.READ_RATINGS)
WRITES_ALL = needs(Scope.WRITE_PROGRESS, Scope.WRITE_WATCHLIST, Scope.WRITE_RATINGS, Scope.WRITE_DEVICES)


@view(model.Marks, cache=PRIVATE, access=needs(Scope.READ_WATCHLIST))
class TitleMarks:
    """What the viewer noted of a title."""

    content: Content | None = edge(sync.content, cost=3)
    """The title; null once the catalogue dropped it."""
    note: str | None
    """A text of the viewer's own."""
    dropped: bool
    """Whether it was given up: it is not offered to be gone on with until it is watched again."""
    hidden: bool
    """Whether it is kept out of recommendations, home and what is gone on with; search finds it."""
    version: Timestamp | None
    """The latest clock of these: a device that changes one dates that later. Null where none is told."""


@view(model.ContendingWrite, cache=PRIVATE, access=READS_ALL)
class ContendingWrite:
    """One of the two writes of a conflict."""

    value: JSON = edge(marks.written)
    """What it said, in the names of the graph."""
    version: Timestamp | None
    """The clock of the device when it was made."""
    device: Device | None = edge(sync.device, cost=3, access=needs(Scope.READ_DEVICES))
    """The device; null where none was named."""


@view(model.Conflict, cache=PRIVATE, access=READS_ALL)
class SyncConflict:
    """A write that was lost, and the one it was lost to; kept for 90 days."""

    content: Content | None = edge(sync.content, cost=3)
    """The title; null once the catalogue dropped it."""
    kind: model.ConflictKind
    """What both changed."""
    lost: ContendingWrite
    """The write that is not part of the state."""
    won: ContendingWrite
    """The write that is, or was until a later one."""
    noted_at: datetime
    """When the later of the two arrived."""


@extends(Content)
class ContentMarks:
    """What the viewer noted of a title."""

    my_marks: TitleMarks | None = edge(marks.my_marks, cost=2, access=own(Scope.READ_WATCHLIST))
    """What the viewer noted; null where that is nothing, and for the anonymous."""


@extends(Viewer)
class ViewerConflicts:
    """Writes of the viewer's devices that were lost."""

    conflicts: Connection[SyncConflict] = page(marks.conflicts, cost=60, access=READS_ALL)
    """Writes that were lost to others within the last 90 days, latest first."""


@view(marks.MarkTitlePayload)
class MarkTitlePayload:
    """What became of a mark."""

    marks: TitleMarks | None
    """What is noted of the title from then on; null where it was refused."""
    user_errors: list[UserError] = plain(list_size=2)
    """Why it was refused."""


@view(marks.MoveOnWatchlistPayload)
class MoveOnWatchlistPayload:
    """What became of a move."""

    entry: WatchlistEntry | None
    """The title's entry with its place; null where it was refused."""
    user_errors: list[UserError] = plain(list_size=2)
    """Why it was refused."""


@view(push.Outcome)
class OperationResult:
    """What became of one operation of a queue."""

    operation_id: ID
    """The operation."""
    fate: push.OperationFate
    """What became of it."""
    user_errors: list[UserError] = plain(list_size=1)
    """Why it was refused."""


@view(pushing.PushChangesPayload)
class PushChangesPayload:
    """What became of a queue."""

    results: list[OperationResult] = plain(list_size=1000)
    """What became of each operation, in their order; empty where the queue as a whole was refused."""
    user_errors: list[UserError] = plain(list_size=2)
    """Why the queue as a whole was refused."""


@view()
class OfflineMutation:
    """Changes that devices make offline, or that only the viewer's own order and notes are about."""

    push_changes: PushChangesPayload = edge(pushing.push_changes, cost=1000, access=WRITES_ALL)
    """Takes what a device did while it was offline. Each operation is done once, however often it is sent,
    and is refused on its own; what is not refused is kept once this answers.
    """
    mark_title: MarkTitlePayload = edge(marks.mark_title, cost=400, access=needs(Scope.WRITE_WATCHLIST))
    """Notes something of a title: a text, that it is given up, that it is hidden."""
    move_on_watchlist: MoveOnWatchlistPayload = edge(
        marks.move_on_watchlist, cost=400, access=needs(Scope.WRITE_WATCHLIST)
    )
    """Puts a title elsewhere in the viewer's own order of the watchlist."""


@view(events.SnapshotBegan)
class SnapshotBegan:
    """The log does not go back to where the device was: it forgets what it has, and all of it follows."""

    cursor: str
    """That of the device: if the stream breaks off before the end, the snapshot begins anew."""


@view(events.SnapshotEnded)
class SnapshotEnded:
    """All of the state has been told, as of one moment; changes since then follow."""

    cursor: str
    """Continue behind it with `after`."""


@view(events.TitleMarksChanged)
class TitleMarksChanged:
    """The viewer noted something of a title, or took it back."""

    cursor: str
    """Continue behind it with `after`."""
    marks: TitleMarks
    """What is noted from then on."""
