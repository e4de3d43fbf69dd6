"""How devices are answered and registered."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

import strawberry
from strawberry import ID, Parent

from domain.catalog.links import DeviceKind
from domain.identity.model import LoginSession, Viewer
from domain.identity.policy import Scope, needs, own
from domain.identity.tiers import covered
from domain.platform.errors import UserError
from domain.sync import devices as use_cases
from domain.sync import model
from domain.sync.capabilities import AudioFormat, DeviceCapabilities, HdrFormat
from domain.sync.presence import Battery, DeviceCondition, NetworkQuality, Sign
from resolvers.batching import batched
from resolvers.context import Info
from resolvers.descriptions import entry
from resolvers.ids import key_of
from resolvers.mutations import refusing


@entry
class DeviceCapabilitiesInput:
    """What a device can do."""

    max_quality: str | None = None
    """The best picture it shows: SD, HD, UHD or 8K."""
    hdr: bool = False
    """Whether it shows high dynamic range."""
    remote_controllable: bool = True
    """Whether it obeys remote commands."""
    can_cast: bool = False
    """Whether it can hand playback to another device."""
    screen_inches: int | None = None
    """The diagonal of its screen."""
    missing_apps: list[ID] | None = None
    """The platforms whose apps it is known to lack: links lead to their web sites; none if open."""
    hdr_formats: list[HdrFormat] | None = None
    """What it knows of high dynamic range; a device that has one shows it."""
    audio_formats: list[AudioFormat] | None = None
    """What sound it can play; open where it does not tell."""


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
    app_version: str | None = None
    """Which version of its app it runs, as in `4.2.1`."""


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
class BatteryInput:
    """A device's battery, as `BatteryManager` of the web shows it."""

    level: float
    """From 0, an empty one, to 1, a full one."""
    charging: bool = False
    """Whether it is being charged."""


@entry
class HeartbeatInput:
    """A sign of life, to be given every 30 seconds, and at once when the user comes back; a device that is
    silent for 90 is offline.
    """

    device_id: ID
    """The device."""
    leaving: bool = False
    """Whether this is the last one: the device is offline at once."""
    idle_seconds: int | None = None
    """For how many seconds its user has done nothing: 0 while they browse, open where the device cannot tell.

    Of a device that is incognito this is not kept.
    """
    battery: BatteryInput | None = None
    """Its battery; open where it has none."""
    network_quality: NetworkQuality | None = None
    """What its network carries. A heartbeat that tells this or the battery takes the place of all that the
    device told of both before; what it does not tell again for 90 seconds is forgotten.
    """


@entry
class SetIncognitoInput:
    """Whether a device is incognito."""

    device_id: ID
    """The device."""
    incognito: bool
    """Whether nothing is kept of what is done on it from now on."""


@dataclass(frozen=True, slots=True)
class DevicePayload:
    device: model.Device | None = None
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
        capabilities=DeviceCapabilities(
            max_quality=told.max_quality,
            hdr=told.hdr or bool(told.hdr_formats),
            remote_controllable=told.remote_controllable,
            can_cast=told.can_cast,
            screen_inches=told.screen_inches,
            missing_apps=tuple(sorted({str(app) for app in told.missing_apps or ()})),
            hdr_formats=tuple(sorted(set(told.hdr_formats or ()))),
            audio_formats=tuple(sorted(set(told.audio_formats or ()))),
        ),
        app_version=input.app_version,
    )
    known = None if input.device_id is None else _device_key(input.device_id)
    device = await info.context.services.devices.register(
        info.context.account_id, description, known, covered(info.context.caller.tier).devices
    )
    await info.context.services.sessions.tie(info.context.caller, device.id)
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
    services, account, key = info.context.services, info.context.account_id, _device_key(input.device_id)
    await services.devices.own(account, key)
    if await services.sessions.others_on(info.context.caller, key):
        services.policy.check(info.context.caller, needs(Scope.WRITE_SECURITY))
    # Before it is gone from the list: who is interrupted in between can remove it once more.
    await services.sessions.end_of_device(account, key, info.context.actor)
    return DevicePayload(device=await services.playback.remove_device(account, key))


@refusing(DevicePayload)
async def heartbeat(
    info: Info, input: Annotated[HeartbeatInput, strawberry.argument(description="Which device lives.")]
) -> DevicePayload:
    devices, account = info.context.services.devices, info.context.account_id
    key = _device_key(input.device_id)
    if input.leaving:
        return DevicePayload(device=await devices.leave(account, key))
    told = input.battery
    battery = None if told is None else Battery(told.level, told.charging)
    sign = Sign(input.idle_seconds, DeviceCondition(battery, input.network_quality))
    return DevicePayload(device=await devices.heartbeat(account, key, sign=sign))


@refusing(DevicePayload)
async def set_incognito(
    info: Info, input: Annotated[SetIncognitoInput, strawberry.argument(description="Which, and whether.")]
) -> DevicePayload:
    playback, account = info.context.services.playback, info.context.account_id
    return DevicePayload(
        device=await playback.set_incognito(account, _device_key(input.device_id), incognito=input.incognito)
    )


async def devices(viewer: Parent[Viewer], info: Info) -> list[model.Device]:
    return await info.context.services.devices.store.devices(viewer.account_id)


async def of_session(session: Parent[LoginSession], info: Info) -> model.Device | None:
    return None if session.device_id is None else await _own_device(info, session.device_id)


@batched
async def online(devices: Sequence[model.Device], info: Info) -> list[bool]:
    found = await info.context.sync.standing.load_many([device.id for device in devices])
    return [standing is not None and standing.online for standing in found]


async def _own_device(info: Info, key: str) -> model.Device | None:
    if info.context.caller.anonymous:
        return None
    device = await info.context.sync.device.load(key)
    return None if device is None or device.removed else device


NODES = {"Device": _own_device}
NODE_ACCESS = {"Device": own(Scope.READ_DEVICES)}


def _device_key(text: str) -> str:
    return key_of(text, "Device", "deviceId")
