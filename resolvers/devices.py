"""How devices are answered, registered and told what to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import strawberry
from strawberry import ID, Parent

from domain.catalog.links import DeviceKind
from domain.identity.model import Viewer
from domain.identity.policy import Scope, own
from domain.platform.errors import UserError, UserErrorCode, refuse
from domain.sync import devices as use_cases
from domain.sync import model
from resolvers.batching import batched
from resolvers.context import Context, Info
from resolvers.descriptions import choice_of_one, entry
from resolvers.ids import content_key, encode, key_of
from resolvers.mutations import refusing
from resolvers.visibility import must_show, shows

MAX_VOLUME = 1.0


@entry
class DeviceCapabilitiesInput:
    """What a device can do."""

    max_quality: str | None = None
    """The best picture it shows: SD, HD or UHD."""
    hdr: bool = False
    """Whether it shows high dynamic range."""
    remote_controllable: bool = True
    """Whether it obeys remote commands."""
    can_cast: bool = False
    """Whether it can hand playback to another device."""
    screen_inches: int | None = None
    """The diagonal of its screen."""


@entry
class RegisterDeviceInput:
    """What a device says of itself."""

    name: str
    """What the viewer calls it."""
    kind: DeviceKind
    """What it is."""
    platform: str | None = None
    """What runs on it, as in `tizen` or `ios`."""
    capabilities: DeviceCapabilitiesInput | None = None
    """What it can do; remote controllable and nothing more if open."""
    device_id: ID | None = None
    """The device, where it was registered before and has changed."""


@entry
class RenameDeviceInput:
    """A new name for a device."""

    device_id: ID
    """The device."""
    name: str
    """What the viewer calls it from now on."""


@entry
class RemoveDeviceInput:
    """A device that is no longer used."""

    device_id: ID
    """The device."""


@entry
class HeartbeatInput:
    """A sign of life, to be given every 30 seconds; a device that is silent for 90 is offline."""

    device_id: ID
    """The device."""
    leaving: bool = False
    """Whether this is the last one: the device is offline at once."""


@entry
class Seek:
    """Where to go on."""

    position_seconds: int
    """From the start."""


@entry
class SetVolume:
    """How loud to be."""

    level: float
    """From 0 to 1."""


@entry
class Load:
    """What to play."""

    content_id: ID
    """The title."""
    start_seconds: int = 0
    """Where to start."""


@entry
class CastTo:
    """Where to hand playback to."""

    device_id: ID
    """The device that takes over."""


@entry
class NoArguments:
    """A command that needs no more than its name: pass `{}`."""

    reason: str | None = None
    """Why, for the log of the device."""


@choice_of_one
class DeviceCommandInput:
    """What the device is to do: exactly one of these."""

    play: NoArguments | None = strawberry.UNSET
    """Go on playing."""
    pause: NoArguments | None = strawberry.UNSET
    """Pause."""
    stop: NoArguments | None = strawberry.UNSET
    """Stop and leave the player."""
    seek: Seek | None = strawberry.UNSET
    """Go to a position."""
    set_volume: SetVolume | None = strawberry.UNSET
    """Set the volume."""
    load: Load | None = strawberry.UNSET
    """Play a title."""
    cast_to: CastTo | None = strawberry.UNSET
    """Hand playback to another device."""


@entry
class SendCommandInput:
    """A remote command."""

    device_id: ID
    """The device that is to do it."""
    command: DeviceCommandInput
    """What it is to do."""
    expires_in_seconds: int = use_cases.COMMAND_SECONDS
    """How long it may wait to be done, 1 to 60 seconds."""


@entry
class AcknowledgeCommandInput:
    """What became of a command, told by the device that got it."""

    command_id: ID
    """The command."""
    failure: str | None = None
    """Why it could not be done; open where it was done."""


@dataclass(frozen=True, slots=True)
class DevicePayload:
    device: model.Device | None = None
    user_errors: list[UserError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CommandPayload:
    command: model.DeviceCommand | None = None
    user_errors: list[UserError] = field(default_factory=list)


@refusing(DevicePayload)
async def register_device(
    info: Info,
    input: Annotated[RegisterDeviceInput, strawberry.argument(description="What it says of itself.")],
) -> DevicePayload:
    told = input.capabilities or DeviceCapabilitiesInput()
    description = use_cases.Description(
        name=input.name.strip(),
        kind=input.kind,
        platform=input.platform,
        capabilities=model.DeviceCapabilities(
            max_quality=told.max_quality,
            hdr=told.hdr,
            remote_controllable=told.remote_controllable,
            can_cast=told.can_cast,
            screen_inches=told.screen_inches,
        ),
    )
    known = None if input.device_id is None else _device_key(input.device_id)
    device = await info.context.services.devices.register(info.context.account_id, description, known)
    return DevicePayload(device=device)


@refusing(DevicePayload)
async def rename_device(
    info: Info, input: Annotated[RenameDeviceInput, strawberry.argument(description="The new name.")]
) -> DevicePayload:
    devices, account = info.context.services.devices, info.context.account_id
    return DevicePayload(
        device=await devices.rename(account, _device_key(input.device_id), input.name.strip())
    )


@refusing(DevicePayload)
async def remove_device(
    info: Info, input: Annotated[RemoveDeviceInput, strawberry.argument(description="The device.")]
) -> DevicePayload:
    playback, account = info.context.services.playback, info.context.account_id
    return DevicePayload(device=await playback.remove_device(account, _device_key(input.device_id)))


@refusing(DevicePayload)
async def heartbeat(
    info: Info, input: Annotated[HeartbeatInput, strawberry.argument(description="Which device lives.")]
) -> DevicePayload:
    devices, account = info.context.services.devices, info.context.account_id
    key = _device_key(input.device_id)
    if input.leaving:
        return DevicePayload(device=await devices.leave(account, key))
    return DevicePayload(device=await devices.heartbeat(account, key))


@refusing(CommandPayload)
async def send_command(
    info: Info, input: Annotated[SendCommandInput, strawberry.argument(description="Who is to do what.")]
) -> CommandPayload:
    devices, account = info.context.services.devices, info.context.account_id
    command = _command(input.command)
    loaded = content_of(command.arguments)
    if loaded is not None:
        await must_show(info.context, loaded, "command", "load", "contentId")
    sent = await devices.send(account, _device_key(input.device_id), command, input.expires_in_seconds)
    return CommandPayload(command=sent)


@refusing(CommandPayload)
async def acknowledge_command(
    info: Info,
    input: Annotated[AcknowledgeCommandInput, strawberry.argument(description="What became of it.")],
) -> CommandPayload:
    devices, account = info.context.services.devices, info.context.account_id
    key = key_of(input.command_id, "DeviceCommand", "commandId")
    return CommandPayload(command=await devices.acknowledge(account, key, input.failure))


async def devices(viewer: Parent[Viewer], info: Info) -> list[model.Device]:
    return await info.context.services.devices.store.devices(viewer.account_id)


@batched
async def online(devices: Sequence[model.Device], info: Info) -> list[bool]:
    return [bool(found) for found in await info.context.sync.online.load_many([d.id for d in devices])]


@batched
async def command_device(commands: Sequence[model.DeviceCommand], info: Info) -> list[model.Device | None]:
    return await info.context.sync.device.load_many([command.device_id for command in commands])


def arguments(command: Parent[model.DeviceCommand]) -> dict[str, Any]:
    """What a command carries, with ids of the graph."""
    shown = dict(command.arguments)
    if "deviceId" in shown:
        shown["deviceId"] = encode("Device", shown["deviceId"])
    return shown


def content_of(arguments: Mapping[str, Any]) -> int | None:
    """The title that a command is about."""
    loaded = arguments.get("contentId")
    return None if loaded is None else content_key(loaded)


async def may_see(context: Context, command: model.DeviceCommand) -> bool:
    """Whether the title that a command is about is not hidden from the caller."""
    loaded = content_of(command.arguments)
    return loaded is None or await shows(context, loaded)


def state(command: Parent[model.DeviceCommand], info: Info) -> model.CommandState:
    return command.at(info.context.services.now()).state


async def _own_device(info: Info, key: str) -> model.Device | None:
    if info.context.caller.anonymous:
        return None
    device = await info.context.sync.device.load(key)
    return None if device is None or device.removed else device


async def command_node(info: Info, key: str) -> model.DeviceCommand | None:
    if info.context.caller.anonymous:
        return None
    command = await info.context.sync.command.load(key)
    return command if command is not None and await may_see(info.context, command) else None


NODES = {"Device": _own_device, "DeviceCommand": command_node}
NODE_ACCESS = {"Device": own(Scope.READ_DEVICES), "DeviceCommand": own(Scope.READ_DEVICES)}


def _device_key(text: str) -> str:
    return key_of(text, "Device", "deviceId")


def _command(given: DeviceCommandInput) -> use_cases.Command:
    match given:
        case DeviceCommandInput(seek=Seek(position_seconds=seconds)):
            _not_negative(seconds, "seek", "positionSeconds")
            command = use_cases.Command("seek", {"positionSeconds": seconds})
        case DeviceCommandInput(set_volume=SetVolume(level=level)):
            if not 0 <= level <= MAX_VOLUME:
                raise refuse(
                    "`level` must be between 0 and 1.", UserErrorCode.INVALID, "command", "setVolume", "level"
                )
            command = use_cases.Command("setVolume", {"level": level})
        case DeviceCommandInput(load=Load(content_id=content_id, start_seconds=start)):
            content_key(content_id, "command.load.contentId")
            _not_negative(start, "load", "startSeconds")
            command = use_cases.Command("load", {"contentId": content_id, "startSeconds": start})
        case DeviceCommandInput(cast_to=CastTo(device_id=device_id)):
            command = use_cases.Command("castTo", {"deviceId": _device_key(device_id)})
        case _:
            name = next(name for name in ("play", "pause", "stop") if getattr(given, name))
            reason = getattr(given, name).reason
            command = use_cases.Command(name, {} if reason is None else {"reason": reason})
    return command


def _not_negative(seconds: int, command: str, argument: str) -> None:
    if seconds < 0:
        raise refuse(f"`{argument}` cannot be negative.", UserErrorCode.INVALID, "command", command, argument)
