"""What the graph shows of the viewer's devices, and of what they are told to do."""

from datetime import datetime

from strawberry import ID
from strawberry.scalars import JSON

from domain.catalog.links import DeviceKind
from domain.identity.policy import Scope, needs, own
from domain.sync import capabilities, model, presence
from resolvers import commands, devices
from schema.caching import PRIVATE
from schema.errors import UserError
from schema.identity import LoginSession, Viewer
from schema.node import Node
from schema.views import choices, edge, extends, plain, stream, view
from subscriptions import events
from subscriptions import sync as streams

choices(
    DeviceKind,
    capabilities.HdrFormat,
    capabilities.AudioFormat,
    presence.NetworkQuality,
    model.CommandState,
    commands.CommandReport,
)


@view(capabilities.DeviceCapabilities, access=needs(Scope.READ_DEVICES))
class DeviceCapabilities:
    """What a device can do."""

    max_quality: str | None
    """The best picture it shows: SD, HD, UHD or 8K."""
    hdr: bool
    """Whether it shows high dynamic range."""
    remote_controllable: bool
    """Whether it obeys remote commands."""
    can_cast: bool
    """Whether it can hand playback to another device."""
    screen_inches: int | None
    """The diagonal of its screen."""
    missing_apps: list[ID] = plain(list_size=5)
    """The platforms whose apps it is known to lack, by their ids."""
    hdr_formats: list[capabilities.HdrFormat] = plain(list_size=2)
    """What it knows of high dynamic range, as far as it tells."""
    audio_formats: list[capabilities.AudioFormat] = plain(list_size=3)
    """What sound it can play, as far as it tells."""


@view(presence.Battery, access=needs(Scope.READ_DEVICES))
class Battery:
    """A device's battery."""

    level: float
    """From 0, an empty one, to 1, a full one; as it was last told, which is within 0.05 of what it is."""
    charging: bool
    """Whether it is being charged."""


@view(model.Device, cache=PRIVATE, access=needs(Scope.READ_DEVICES))
class Device(Node):
    """A device of the viewer."""

    name: str
    """What the viewer calls it."""
    kind: DeviceKind
    """What it is."""
    platform: str | None
    """What runs on it."""
    app_version: str | None
    """Which version of its app it runs; null where it does not tell."""
    capabilities: DeviceCapabilities
    """What it can do."""
    online: bool = edge(devices.online, cost=2)
    """Whether it gave a sign of life within the last 90 seconds."""
    registered_at: datetime
    """Since when it belongs to the account."""
    last_seen_at: datetime | None
    """Its last sign of life."""
    battery: Battery | None
    """Its battery; null where it has none, did not tell, or is offline."""
    network_quality: presence.NetworkQuality | None
    """What its network carries; null where it did not tell, or is offline."""
    incognito: bool
    """Whether nothing is kept of what is done on it: no progress, no history, no session, no reaction."""


@view(model.DeviceCommand, cache=PRIVATE, access=needs(Scope.READ_DEVICES))
class DeviceCommand(Node):
    """A remote command."""

    device: Device | None = edge(commands.command_device, cost=3)
    """The device that is to do it."""
    action: str
    """What it is to do, by the name of the field of `DeviceCommandInput`."""
    arguments: JSON = edge(commands.arguments)
    """How, in the names of `DeviceCommandInput`."""
    state: model.CommandState
    """How far it came; in an event, how far it had come by then."""
    failure: str | None
    """Why it could not be done."""
    created_at: datetime
    """When it was sent."""
    expires_at: datetime
    """Until when it may be done."""


@extends(Viewer)
class ViewerDevices:
    """The devices of the viewer."""

    devices: list[Device] = edge(devices.devices, cost=60, list_size=20, access=needs(Scope.READ_DEVICES))
    """The viewer's devices, in the order of registration."""


@extends(LoginSession)
class LoginSessionDevice:
    """Where a sign-in is."""

    device: Device | None = edge(devices.of_session, cost=3, access=own(Scope.READ_DEVICES))
    """The device that was registered in it; null where none was, and in sessions of somebody else."""


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
class DeviceMutation:
    """Changes of devices, and what they are told to do."""

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
    """Removes a device, signs it out and stops what it plays; what it wrote stays.

    Where another session than the caller's is signed in on it, this needs `write:security` as well.
    """
    set_incognito: SetIncognitoPayload = edge(
        devices.set_incognito, cost=400, access=needs(Scope.WRITE_DEVICES)
    )
    """Makes a device incognito, or ends that. What it plays is stopped; what was kept before stays."""
    heartbeat: HeartbeatPayload = edge(devices.heartbeat, cost=400, access=needs(Scope.WRITE_DEVICES))
    """A device's sign of life, every 30 seconds, with what it tells of its user, battery and network."""
    send_command: SendCommandPayload = edge(
        commands.send_command, cost=400, access=needs(Scope.PLAYBACK_CONTROL)
    )
    """Tells a device what to do."""
    acknowledge_command: AcknowledgeCommandPayload = edge(
        commands.acknowledge_command, cost=400, access=needs(Scope.WRITE_DEVICES)
    )
    """Tells what became of a command."""


@view(events.DeviceChanged)
class DeviceChanged:
    """A device was registered, changed or removed, came or went, or does something else than before."""

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
class DeviceSubscription:
    """Streams of devices and their commands."""

    device_commands: DeviceCommandChanged = stream(
        streams.device_commands, cost=100, access=needs(Scope.WRITE_DEVICES)
    )
    """The commands for a device, which counts as online while it listens."""
    commands: DeviceCommandChanged = stream(streams.commands, cost=100, access=needs(Scope.READ_DEVICES))
    """What becomes of commands, for whoever sent them."""
    devices: DeviceChanged = stream(streams.devices, cost=100, access=needs(Scope.READ_DEVICES))
    """Devices that are registered, change, come or go, or do something else: a title that is started, paused
    or ended is told of its device.
    """
