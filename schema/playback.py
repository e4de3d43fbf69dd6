"""What the graph shows of playback."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain.identity.policy import Scope, needs
from domain.playback import model
from domain.sync.presence import DeviceActivity
from resolvers import commands, playback
from schema.caching import PRIVATE
from schema.catalog import Content, PlaybackLink
from schema.devices import Device, DeviceChanged, DeviceCommand, DeviceCommandChanged
from schema.errors import UserError
from schema.identity import Viewer
from schema.node import Node
from schema.offline import SnapshotBegan, SnapshotEnded, TitleMarksChanged
from schema.sync import (
    ProgressChanged,
    ReactionChanged,
    ViewingWithdrawn,
    WatchlistChanged,
    WatchProgress,
)
from schema.views import choices, edge, extends, plain, stream, view
from subscriptions import events
from subscriptions import sync as streams

choices(DeviceActivity, model.PlaybackState, model.PlaybackEnd, model.PlaybackQuality)


@view(model.PlaybackSession, cache=PRIVATE, access=needs(Scope.READ_PROGRESS))
class PlaybackSession(Node):
    """One device playing one title, from start to end."""

    content: Content | None = edge(playback.content, cost=3)
    """The title; null once the catalogue dropped it."""
    device: Device | None = edge(playback.device, cost=3, access=needs(Scope.READ_DEVICES))
    """The device."""
    state: model.PlaybackState
    """What the player does."""
    position_seconds: int
    """Where it stands, from the start."""
    duration_seconds: int
    """How long it is."""
    started_at: datetime
    """When it started."""
    updated_at: datetime
    """When the player last said something."""
    ended_at: datetime | None
    """When it ended; null while it goes on."""
    end_reason: model.PlaybackEnd | None
    """Why it ended; null while it goes on."""
    quality: model.PlaybackQuality
    """How good a picture its player asked for."""
    links: list[PlaybackLink] = edge(playback.links, cost=5, list_size=5)
    """Links that go on where it stands, best first for the device; none where it is not offered."""


@view(playback.PlaybackPayload)
class PlaybackPayload:
    """What became of a change of playback."""

    session: PlaybackSession | None
    """The session; null for a report without one. That of a device that is incognito is shown here alone."""
    progress: WatchProgress | None
    """How far the viewer came; null for a session that is incognito."""
    user_errors: list[UserError] = plain(list_size=2)
    """Why it was refused."""


@view(playback.PlaybackPayload)
class StartPlaybackPayload(PlaybackPayload):
    """What became of a start."""


@view(playback.PlaybackPayload)
class ReportProgressPayload(PlaybackPayload):
    """What became of a report."""


@view(playback.PlaybackPayload)
class EndPlaybackPayload(PlaybackPayload):
    """What became of an end."""


@view(playback.ContinueOnPayload)
class ContinueOnPayload:
    """What became of moving playback to another device."""

    session: PlaybackSession | None
    """The session that was stopped, with the position that was handed over."""
    command: DeviceCommand | None
    """The command that has the other device go on; it tells when it did."""
    user_errors: list[UserError] = plain(list_size=2)
    """Why it was refused."""


@extends(Viewer)
class ViewerPlayback:
    """What the viewer plays."""

    playback_sessions: list[PlaybackSession] = edge(
        playback.playback_sessions, cost=60, list_size=50, access=needs(Scope.READ_PROGRESS)
    )
    """The latest sessions, latest first; up to 50."""


@extends(Device)
class DevicePlayback:
    """What a device plays."""

    activity: DeviceActivity | None = edge(playback.activity, cost=4)
    """What it does; null where it is there but does not tell whether its user does something, and where it is
    incognito.
    """
    now_playing: PlaybackSession | None = edge(
        playback.now_playing, cost=3, access=needs(Scope.READ_PROGRESS)
    )
    """The session that goes on; null where none does."""


@extends(DeviceCommand)
class DeviceCommandTitle:
    """What a command has a device play."""

    content: Content | None = edge(commands.command_content, cost=3)
    """The title that is to be loaded or handed over; null for other commands."""


@view()
class PlaybackMutation:
    """Starts, follows and ends playback."""

    start_playback: StartPlaybackPayload = edge(
        playback.start_playback, cost=400, access=needs(Scope.PLAYBACK_CONTROL)
    )
    """Starts a title on a device, from where the viewer stopped. What the device played is stopped."""
    report_progress: ReportProgressPayload = edge(
        playback.report_progress, cost=400, access=needs(Scope.WRITE_PROGRESS)
    )
    """Tells where a player stands, in a session or without one: while it plays, every ten seconds.

    One that is silent for 90 seconds while its device is online has crashed, and its session ends (`SILENT`)
    until the player speaks again.

    A session that would play on where the viewing profile may not watch any more ends with it (`endReason`);
    how far the viewer came is kept.
    """
    end_playback: EndPlaybackPayload = edge(
        playback.end_playback, cost=400, access=needs(Scope.PLAYBACK_CONTROL)
    )
    """Ends a session."""
    continue_on: ContinueOnPayload = edge(
        playback.continue_on, cost=400, access=needs(Scope.PLAYBACK_CONTROL)
    )
    """Has another device go on where a session stands, and stops it here."""


@view(events.PlaybackChanged)
class PlaybackChanged:
    """A session started, moved or ended."""

    cursor: str
    """Continue behind it with `after`."""
    session: PlaybackSession
    """The session from then on."""


Change = Annotated[
    ProgressChanged
    | ViewingWithdrawn
    | WatchlistChanged
    | ReactionChanged
    | TitleMarksChanged
    | DeviceChanged
    | DeviceCommandChanged
    | PlaybackChanged
    | SnapshotBegan
    | SnapshotEnded,
    strawberry.union("Change", description="Anything of the viewer's that changed."),
]


@view()
class PlaybackSubscription:
    """Streams of playback, and of everything at once."""

    playback: PlaybackChanged = stream(streams.playback, cost=100, access=needs(Scope.READ_PROGRESS))
    """Sessions that start, move and end."""
    changes: Change = stream(
        streams.changes,
        cost=100,
        access=needs(Scope.READ_PROGRESS, Scope.READ_WATCHLIST, Scope.READ_RATINGS, Scope.READ_DEVICES),
    )
    """Everything of the viewer's that changes: one stream keeps a device in step, however long it was off."""
