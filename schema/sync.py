"""What the graph shows of the viewer's state, and adds to titles and to the viewer."""

from datetime import datetime

from domain.identity.policy import SIGNED_IN, Scope, needs, own
from domain.sync import model, service
from domain.sync.clock import Timestamp
from resolvers import marks, sync
from schema.caching import PRIVATE
from schema.catalog import Content, Episode, Series
from schema.devices import Device
from schema.errors import UserError
from schema.identity import Viewer
from schema.paging import Connection, page
from schema.views import choices, edge, extends, plain, stream, view
from subscriptions import events
from subscriptions import sync as streams

choices(model.Verdict, service.WatchlistOrder)


@view(model.WatchProgress, cache=PRIVATE, access=needs(Scope.READ_PROGRESS))
class WatchProgress:
    """How far the viewer came with a title."""

    content: Content | None = edge(sync.content, cost=3)
    """The title; null once the catalogue dropped it."""
    viewing: int
    """Which viewing of the title this is, from 1; of an import, earlier ones count down from 0."""
    position_seconds: int
    """From the start."""
    duration_seconds: int
    """How long it is."""
    fraction: float
    """From 0 to 1."""
    completed: bool
    """Whether it was watched to 95 percent; that stays, also when watched again."""
    completed_at: datetime | None
    """When it first was, by the clock of the device; null while it is not completed."""
    resume_seconds: int
    """Where to go on; 0 for what is finished or hardly begun."""
    device: Device | None = edge(sync.device, cost=3, access=needs(Scope.READ_DEVICES))
    """Where it was watched last."""
    updated_at: datetime
    """When this became known."""
    version: Timestamp
    """The clock of the write that made it so."""


@view(model.WatchlistEntry, cache=PRIVATE, access=needs(Scope.READ_WATCHLIST))
class WatchlistEntry:
    """A title the viewer means to watch."""

    content: Content | None = edge(sync.content, cost=3)
    """The title; null once the catalogue dropped it."""
    added_at: datetime
    """When it was put on the list."""
    added_by: Device | None = edge(sync.device, cost=3, access=needs(Scope.READ_DEVICES))
    """The device it was added on; null where none was named."""
    tags: list[str]
    """The additions that hold it there; pass them on removal."""
    place: str
    """Where it stands in the viewer's own order; places compare as texts, by code points."""
    version: Timestamp | None
    """The latest clock of its additions and its move: a device that moves the title dates that later.
    Null where the log tells none.
    """
    note: str | None = edge(marks.note, cost=2)
    """What the viewer noted of the title."""


@view(model.Reaction, cache=PRIVATE, access=needs(Scope.READ_RATINGS))
class Reaction:
    """What the viewer thinks of a title."""

    content: Content | None = edge(sync.content, cost=3)
    """The title; null once the catalogue dropped it."""
    verdict: model.Verdict | None
    """In a word."""
    stars: float | None
    """From 0.5 to 5."""
    updated_at: datetime
    """When this became known."""
    version: Timestamp
    """The clock of the write that made it so."""


@extends(Content)
class ContentOfViewer:
    """The caller's own on a title; null for the anonymous."""

    my_progress: WatchProgress | None = edge(sync.my_progress, cost=3, access=own(Scope.READ_PROGRESS))
    """How far the viewer came; null where never begun, and for the anonymous."""
    my_watchlist_entry: WatchlistEntry | None = edge(
        sync.my_watchlist_entry, cost=2, access=own(Scope.READ_WATCHLIST)
    )
    """Its place on the viewer's watchlist; null where it is not on it, and for the anonymous."""
    my_reaction: Reaction | None = edge(sync.my_reaction, cost=2, access=own(Scope.READ_RATINGS))
    """What the viewer thinks; null where nothing was said, and for the anonymous."""


@extends(Series)
class SeriesOfViewer:
    """Where the viewer stands in a series."""

    next_episode: Episode | None = edge(
        sync.next_episode, cost=10, cache=PRIVATE, access=own(Scope.READ_PROGRESS)
    )
    """What to watch next: the episode begun, or the one behind the last finished, which is the first that was
    watched less often; null at the end.
    """


@extends(Viewer)
class ViewerSync:
    """What follows the viewer from device to device."""

    watchlist: Connection[WatchlistEntry] = page(sync.watchlist, cost=100, access=needs(Scope.READ_WATCHLIST))
    """What the viewer means to watch."""
    continue_watching: Connection[WatchProgress] = page(
        sync.continue_watching, cost=100, access=needs(Scope.READ_PROGRESS)
    )
    """What to go on with, latest first: of each film, series or album what was played last, within 30 days.

    Behind a finished episode it is the next one, at its beginning: the first that is new, and of a series
    that is watched again the one that follows. What is hidden, dropped or not out yet is left out.
    """
    history: Connection[WatchProgress] = page(sync.history, cost=60, access=needs(Scope.READ_PROGRESS))
    """Every viewing, latest first."""
    sync_cursor: str = edge(sync.sync_cursor, cost=60, access=SIGNED_IN)
    """Where the change log stands: pass it as `after` to a stream, then read the state."""


@view(sync.AddToWatchlistPayload)
class AddToWatchlistPayload:
    """What became of an addition."""

    entry: WatchlistEntry | None
    """The title's entry; null where this very addition was removed already, or refused."""
    user_errors: list[UserError] = plain(list_size=2)
    """Why it was refused."""


@view(sync.RemoveFromWatchlistPayload)
class RemoveFromWatchlistPayload:
    """What became of a removal."""

    content: Content | None = edge(sync.removed_content, cost=3)
    """The title."""
    removed: bool
    """Whether it left the list; an addition made elsewhere meanwhile keeps it there."""
    user_errors: list[UserError] = plain(list_size=2)
    """Why it was refused."""


@view(sync.ReactPayload)
class ReactPayload:
    """What became of a reaction."""

    reaction: Reaction | None
    """What the viewer thinks now: the later of two reactions."""
    user_errors: list[UserError] = plain(list_size=2)
    """Why it was refused."""


@view()
class SyncMutation:
    """Changes of the viewer's state."""

    add_to_watchlist: AddToWatchlistPayload = edge(
        sync.add_to_watchlist, cost=400, access=needs(Scope.WRITE_WATCHLIST)
    )
    """Puts a title on the watchlist."""
    remove_from_watchlist: RemoveFromWatchlistPayload = edge(
        sync.remove_from_watchlist, cost=400, access=needs(Scope.WRITE_WATCHLIST)
    )
    """Takes a title off the watchlist."""
    react_to_content: ReactPayload = edge(sync.react_to_content, cost=400, access=needs(Scope.WRITE_RATINGS))
    """Says what the viewer thinks of a title, or takes it back."""


@view(events.ProgressChanged)
class ProgressChanged:
    """The viewer came further with a title, or went back."""

    cursor: str
    """Continue behind it with `after`."""
    progress: WatchProgress
    """The progress from then on."""


@view(events.ViewingWithdrawn)
class ViewingWithdrawn:
    """A viewing is part of the history no more: the viewer had the title forgotten or keeps less history,
    the import that brought it was undone, or it was not finished and left for 180 days.
    """

    cursor: str
    """Continue behind it with `after`."""
    content: Content | None = edge(sync.content, cost=3)
    """The title; null once the catalogue dropped it."""
    viewing: int
    """Which viewing of the title it was."""


@view(events.WatchlistChanged)
class WatchlistChanged:
    """A title came to the watchlist, left it, or was added again."""

    cursor: str
    """Continue behind it with `after`."""
    content: Content | None = edge(sync.content, cost=3)
    """The title; null once the catalogue dropped it."""
    entry: WatchlistEntry | None
    """Its entry from then on; null where it left."""


@view(events.ReactionChanged)
class ReactionChanged:
    """The viewer thinks otherwise of a title."""

    cursor: str
    """Continue behind it with `after`."""
    reaction: Reaction
    """The reaction from then on; neither verdict nor stars where it was taken back."""


@view()
class SyncSubscription:
    """Streams of the viewer's changes."""

    progress: ProgressChanged = stream(streams.progress, cost=100, access=needs(Scope.READ_PROGRESS))
    """How far the viewer comes, on any device."""
    watchlist: WatchlistChanged = stream(streams.watchlist, cost=100, access=needs(Scope.READ_WATCHLIST))
    """What comes to the watchlist and leaves it."""
