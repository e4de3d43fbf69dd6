"""What the graph shows of the viewer's state, and adds to titles and to the viewer."""

from datetime import datetime

from strawberry.scalars import JSON

from domain.catalog.links import DeviceKind
from domain.identity.policy import SIGNED_IN, Scope, needs, own
from domain.sync import model, service
from domain.sync.clock import Timestamp
from resolvers import commands, devices, marks, sync
from schema.caching import PRIVATE
from schema.catalog import Content, Episode, Series
from schema.errors import UserError
from schema.identity import Viewer
from schema.node import Node
from schema.paging import Connection, page
from schema.views import choices, edge, extends, plain, stream, view
from subscriptions import events
from subscriptions import sync as streams

choices(DeviceKind, model.Verdict, model.CommandState, commands.CommandReport, service.WatchlistOrder)


@view(model.DeviceCapabilities, access=needs(Scope.READ_DEVICES))
class DeviceCapabilities:
    """What a device can do."""

    max_quality: str | None
    """The best picture it shows: SD, HD or UHD."""
    hdr: bool
    """Whether it shows high dynamic range."""
    remote_controllable: bool
    """Whether it obeys remote commands."""
    can_cast: bool
    """Whether it can hand playback to another device."""
    screen_inches: int | None
    """The diagonal of its screen."""


@view(model.Device, cache=PRIVATE, access=needs(Scope.READ_DEVICES))
class Device(Node):
    """A device of the viewer."""

    name: str
    """What the viewer calls it."""
    kind: DeviceKind
    """What it is."""
    platform: str | None
    """What runs on it."""
    capabilities: DeviceCapabilities
    """What it can do."""
    online: bool = edge(devices.online, cost=2)
    """Whether it gave a sign of life within the last 90 seconds."""
    registered_at: datetime
    """Since when it belongs to the account."""
    last_seen_at: datetime | None
    """Its last sign of life."""
    incognito: bool
    """Whether nothing is kept of what is done on it: no progress, no history, no session, no reaction."""


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


@view(model.DeviceCommand, cache=PRIVATE, access=needs(Scope.READ_DEVICES))
class DeviceCommand(Node):
    """A remote command."""

    device: Device | None = edge(commands.command_device, cost=3)
    """The device that is to do it."""
    action: str
    """What it is to do, by the name of the field of `DeviceCommandInput`."""
    arguments: JSON = edge(commands.arguments)
    """How, in the names of `DeviceCommandInput`."""
    state: model.CommandState = edge(commands.state)
    """How far it came."""
    failure: str | None
    """Why it could not be done."""
    created_at: datetime
    """When it was sent."""
    expires_at: datetime
    """Until when it may be done."""


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
    devices: list[Device] = edge(devices.devices, cost=60, list_size=20, access=needs(Scope.READ_DEVICES))
    """The viewer's devices, in the order of registration."""
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


@view(devices.DevicePayload)
class DevicePayload:
    """What became of a change to a device."""

    device: Device | None
    """The device; null where the change was refused."""
    user_errors: list[UserError] = plain(list_size=2)
    """Why it was refused."""


@view(devices.DevicePayload)
class RegisterDevicePayload(DevicePayload):
    """What became of a registration."""


@view(devices.DevicePayload)
class RenameDevicePayload(DevicePayload):
    """What became of a new name."""


@view(devices.DevicePayload)
class RemoveDevicePayload(DevicePayload):
    """What became of a removal."""


@view(devices.DevicePayload)
class SetIncognitoPayload(DevicePayload):
    """What became of the switch."""


@view(devices.DevicePayload)
class HeartbeatPayload(DevicePayload):
    """What became of a sign of life."""


@view(commands.CommandPayload)
class CommandPayload:
    """What became of a command."""

    command: DeviceCommand | None
    """The command; null where it was refused."""
    user_errors: list[UserError] = plain(list_size=2)
    """Why it was refused."""


@view(commands.CommandPayload)
class SendCommandPayload(CommandPayload):
    """What became of sending a command."""


@view(commands.CommandPayload)
class AcknowledgeCommandPayload(CommandPayload):
    """What became of an acknowledgement."""


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
    register_device: RegisterDevicePayload = edge(
        devices.register_device, cost=400, access=needs(Scope.WRITE_DEVICES)
    )
    """Registers a device, or what has changed about it. It is online from then on."""
    rename_device: RenameDevicePayload = edge(
        devices.rename_device, cost=400, access=needs(Scope.WRITE_DEVICES)
    )
    """Gives a device another name."""
    remove_device: RemoveDevicePayload = edge(
        devices.remove_device, cost=400, access=needs(Scope.WRITE_DEVICES)
    )
    """Removes a device and stops what it plays; what it wrote stays."""
    set_incognito: SetIncognitoPayload = edge(
        devices.set_incognito, cost=400, access=needs(Scope.WRITE_DEVICES)
    )
    """Makes a device incognito, or ends that. What it plays is stopped; what was kept before stays."""
    heartbeat: HeartbeatPayload = edge(devices.heartbeat, cost=400, access=needs(Scope.WRITE_DEVICES))
    """A device's sign of life, every 30 seconds."""
    send_command: SendCommandPayload = edge(
        commands.send_command, cost=400, access=needs(Scope.PLAYBACK_CONTROL)
    )
    """Tells a device what to do."""
    acknowledge_command: AcknowledgeCommandPayload = edge(
        commands.acknowledge_command, cost=400, access=needs(Scope.WRITE_DEVICES)
    )
    """Tells what became of a command."""


@view(events.ProgressChanged)
class ProgressChanged:
    """The viewer came further with a title, or went back."""

    cursor: str
    """Continue behind it with `after`."""
    progress: WatchProgress
    """The progress from then on."""


@view(events.ViewingWithdrawn)
class ViewingWithdrawn:
    """A viewing is part of the history no more: the import that brought it was undone."""

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


@view(events.DeviceChanged)
class DeviceChanged:
    """A device was registered, changed or removed, came or went."""

    cursor: str
    """Continue behind it with `after`."""
    device: Device
    """The device."""
    removed: bool
    """Whether it is no longer one of the viewer's."""


@view(events.CommandChanged)
class DeviceCommandChanged:
    """A command was sent, or something became of it."""

    cursor: str
    """Continue behind it with `after`."""
    command: DeviceCommand
    """The command."""


@view()
class SyncSubscription:
    """Streams of the viewer's changes."""

    progress: ProgressChanged = stream(streams.progress, cost=100, access=needs(Scope.READ_PROGRESS))
    """How far the viewer comes, on any device."""
    watchlist: WatchlistChanged = stream(streams.watchlist, cost=100, access=needs(Scope.READ_WATCHLIST))
    """What comes to the watchlist and leaves it."""
    device_commands: DeviceCommandChanged = stream(
        streams.device_commands, cost=100, access=needs(Scope.WRITE_DEVICES)
    )
    """The commands for a device, which counts as online while it listens."""
    commands: DeviceCommandChanged = stream(streams.commands, cost=100, access=needs(Scope.READ_DEVICES))
    """What becomes of commands, for whoever sent them."""
    devices: DeviceChanged = stream(streams.devices, cost=100, access=needs(Scope.READ_DEVICES))
    """Devices that are registered, change, come or go."""
