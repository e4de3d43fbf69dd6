"""Devices, their presence and remote control, over a real database."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace

import pytest

from domain.catalog.links import DeviceKind
from domain.platform.errors import Refused, UserErrorCode
from domain.sync import payloads
from domain.sync.capabilities import AudioFormat, DeviceCapabilities, HdrFormat
from domain.sync.commands import COMMAND_SECONDS, EXECUTION_SECONDS, MAX_FAILURE, Command
from domain.sync.devices import LEASE_SECONDS, MAX_DEVICES, Description
from domain.sync.inprocess import LocalPresence
from domain.sync.model import Change, CommandState, Device, DeviceCommand
from tests.accounts import new_id
from tests.viewers import Living, refusal

TOLD = Description(
    "TV",
    DeviceKind.TV,
    "tizen",
    DeviceCapabilities(
        "8K",
        hdr=True,
        screen_inches=55,
        hdr_formats=(HdrFormat.DOLBY_VISION, HdrFormat.HLG),
        audio_formats=(AudioFormat.TRUE_HD,),
    ),
    "4.2.1",
)
PLAY = Command("play", {})


@pytest.fixture
async def tv(house: Living, ada: str) -> Device:
    return await house.device(ada, "TV", DeviceKind.TV)


async def online(house: Living, *devices: Device) -> set[str]:
    return await house.presence.online([device.id for device in devices])


# Registration


async def test_a_device_is_kept_as_it_says_of_itself(house: Living, ada: str) -> None:
    device = await house.devices.register(ada, TOLD)

    assert await house.devices.store.devices(ada) == [device]
    assert (device.name, device.platform, device.capabilities) == ("TV", "tizen", TOLD.capabilities)
    assert device.app_version == "4.2.1"
    (told,) = await house.journal.log.since(ada, 0, 10)
    assert payloads.to_device(told.payload) == device
    assert device.registered_at == device.last_seen_at == house.clock.now()
    assert await house.kinds(ada) == ["device"]
    assert await online(house, device) == {device.id}


async def test_who_hears_of_a_device_finds_it_online(
    house: Living, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    presence = LocalPresence(house.clock.seconds)
    online: list[bool] = []

    def hear(changes: list[Change]) -> None:
        online.extend(presence._stands(change.payload["id"]) for change in changes)

    monkeypatch.setattr(house.fanout, "deliver", hear)
    devices = replace(house.devices, presence=presence)

    registered = await devices.register(ada, TOLD)
    await devices.leave(ada, registered.id)
    await devices.heartbeat(ada, registered.id)

    assert online == [True, False, True]


async def test_registering_again_changes_what_a_device_says(house: Living, ada: str, tv: Device) -> None:
    house.clock.turn(10)

    changed = await house.devices.register(ada, replace(TOLD, name="Television"), tv.id)

    assert (changed.id, changed.name, changed.registered_at) == (tv.id, "Television", tv.registered_at)
    assert await house.devices.store.devices(ada) == [changed]


async def test_an_account_has_ten_devices(house: Living, ada: str) -> None:
    devices = [await house.device(ada, f"Device {n}") for n in range(MAX_DEVICES)]
    assert await refusal(house.devices.register(ada, TOLD)) is UserErrorCode.LIMIT_REACHED
    assert len(await house.devices.store.devices(ada)) == MAX_DEVICES

    await house.devices.remove(ada, devices[0].id)

    assert (await house.devices.register(ada, TOLD)).name == "TV"


async def test_the_limit_holds_for_registrations_at_once(house: Living, ada: str) -> None:
    answers = await asyncio.gather(
        *(house.devices.register(ada, TOLD) for _ in range(MAX_DEVICES + 5)), return_exceptions=True
    )

    assert sum(isinstance(answer, Refused) for answer in answers) == 5
    assert len(await house.devices.store.devices(ada)) == MAX_DEVICES


@pytest.mark.parametrize(
    "told",
    [
        replace(TOLD, name=" "),
        replace(TOLD, name="x" * 256),
        replace(TOLD, platform=""),
        replace(TOLD, platform="x" * 65),
        replace(TOLD, capabilities=DeviceCapabilities(max_quality="16K")),
        replace(TOLD, capabilities=DeviceCapabilities(screen_inches=0)),
    ],
)
async def test_nonsense_is_not_registered(house: Living, ada: str, told: Description) -> None:
    assert await refusal(house.devices.register(ada, told)) is UserErrorCode.INVALID
    assert await house.devices.store.devices(ada) == []
    assert await house.kinds(ada) == []


async def test_a_device_is_renamed(house: Living, ada: str, tv: Device) -> None:
    renamed = await house.devices.rename(ada, tv.id, "Den")

    assert await house.devices.store.devices(ada) == [renamed]
    assert await refusal(house.devices.rename(ada, tv.id, "")) is UserErrorCode.INVALID
    assert await house.kinds(ada) == ["device", "device"]


async def test_a_removed_device_is_gone_but_known_to_what_it_wrote(
    house: Living, ada: str, tv: Device
) -> None:
    removed = await house.devices.remove(ada, tv.id)

    assert removed.removed is True
    assert await house.devices.store.devices(ada) == []
    assert await house.devices.store.by_ids(ada, [tv.id]) == {tv.id: removed}
    assert await online(house, tv) == set()
    assert await refusal(house.devices.remove(ada, tv.id)) is UserErrorCode.NOT_FOUND
    assert await refusal(house.devices.heartbeat(ada, tv.id)) is UserErrorCode.NOT_FOUND
    assert await refusal(house.devices.register(ada, TOLD, tv.id)) is UserErrorCode.NOT_FOUND


@pytest.mark.parametrize(
    "foreign", ["other", "none", "urn:uuid:12345678-1234-1234-1234-123456789abc", "x", "1_2" + "0" * 29, "\0"]
)
async def test_what_is_not_the_accounts_device_does_not_exist(
    house: Living, ada: str, tv: Device, foreign: str
) -> None:
    other = await house.account()
    key = {"other": tv.id, "none": new_id()}.get(foreign, foreign)
    before = await house.devices.store.devices(ada)

    codes = [
        await refusal(house.devices.own(other, key)),
        await refusal(house.devices.rename(other, key, "Mine")),
        await refusal(house.devices.remove(other, key)),
        await refusal(house.devices.heartbeat(other, key)),
        await refusal(house.devices.leave(other, key)),
        await refusal(house.devices.register(other, TOLD, key)),
        await refusal(house.commands.send(other, key, PLAY)),
    ]

    assert codes == [UserErrorCode.NOT_FOUND] * 7
    assert await house.devices.store.devices(ada) == before
    assert await house.kinds(other) == []
    assert await online(house, tv) == {tv.id}


# Presence


async def test_a_device_is_offline_after_ninety_seconds_of_silence(
    house: Living, ada: str, tv: Device
) -> None:
    house.clock.turn(90.0 - 0.001)
    assert await online(house, tv) == {tv.id}

    house.clock.turn(0.001)

    assert await online(house, tv) == set()


async def test_a_heartbeat_renews_the_lease_and_is_no_change(house: Living, ada: str, tv: Device) -> None:
    house.clock.turn(60)

    seen = await house.devices.heartbeat(ada, tv.id)
    house.clock.turn(60)

    assert await online(house, tv) == {tv.id}
    assert await house.devices.store.devices(ada) == [seen]
    assert await house.kinds(ada) == ["device"]


async def test_the_first_heartbeat_after_a_silence_is_a_change(house: Living, ada: str, tv: Device) -> None:
    house.clock.turn(LEASE_SECONDS)

    await house.devices.heartbeat(ada, tv.id)

    assert await house.kinds(ada) == ["device", "device"]
    assert await online(house, tv) == {tv.id}


async def test_leaving_is_told_at_once(house: Living, ada: str, tv: Device) -> None:
    await house.devices.leave(ada, tv.id)

    assert await online(house, tv) == set()
    assert await house.kinds(ada) == ["device", "device"]


async def test_a_device_stays_while_another_of_its_streams_holds_it(
    house: Living, ada: str, tv: Device
) -> None:
    await house.devices.heartbeat(ada, tv.id, "old stream")
    await house.devices.heartbeat(ada, tv.id, "new stream")
    await house.devices.leave(ada, tv.id, "old stream", "heartbeat")
    assert await online(house, tv) == {tv.id}
    assert await house.kinds(ada) == ["device"]

    await house.devices.leave(ada, tv.id, "new stream", "heartbeat")

    assert await online(house, tv) == set()
    assert await house.kinds(ada) == ["device", "device"]


async def test_a_device_that_comes_back_while_the_end_of_its_stream_waits_for_its_turn_stays(
    house: Living, ada: str, tv: Device
) -> None:
    await house.devices.heartbeat(ada, tv.id, "old stream")
    async with house.journal.writing(ada):
        ending = asyncio.create_task(house.devices.leave(ada, tv.id, "old stream", "heartbeat"))
        await asyncio.wait([ending], timeout=0.3)
        house.clock.turn(0.1)
        await house.devices.heartbeat(ada, tv.id, "new stream")
        assert not ending.done()
    await ending

    assert await house.devices.online([tv.id]) == {tv.id}
    assert await house.kinds(ada) == ["device"]


async def test_a_device_that_comes_back_as_its_stream_ends_is_told_to_be_back(
    house: Living, ada: str, tv: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.devices.heartbeat(ada, tv.id, "old stream")
    renew, ended = house.presence.renew, asyncio.Event()

    async def renew_late(device_id: str, seconds: float, holder: str) -> None:
        await ended.wait()
        await renew(device_id, seconds, holder)

    monkeypatch.setattr(house.presence, "renew", renew_late)
    beating = asyncio.create_task(house.devices.heartbeat(ada, tv.id, "new stream"))
    await asyncio.wait([beating], timeout=0.3)
    house.clock.turn(0.1)
    await house.devices.leave(ada, tv.id, "old stream", "heartbeat")
    ended.set()
    await beating

    assert await house.devices.online([tv.id]) == {tv.id}
    assert await house.kinds(ada) == ["device"] * 3


async def test_a_heartbeat_beside_a_change_does_not_undo_it(house: Living, ada: str, tv: Device) -> None:
    async with house.journal.writing(ada):
        beats = asyncio.create_task(house.devices.heartbeat(ada, tv.id))
        await asyncio.wait([beats], timeout=5)
        await house.devices.store.save(ada, replace(tv, name="Den"))
    late = [house.devices.heartbeat(ada, tv.id) for _ in range(5)]
    removing = house.devices.remove(ada, tv.id)
    await asyncio.gather(*late, removing, *[house.devices.heartbeat(ada, tv.id)], return_exceptions=True)

    assert await house.devices.store.devices(ada) == []
    assert (await house.devices.store.by_ids(ada, [tv.id]))[tv.id].name == "Den"


# Commands


async def test_a_command_reaches_a_device_that_is_there(house: Living, ada: str, tv: Device) -> None:
    sent = await house.commands.send(ada, tv.id, Command("seek", {"positionSeconds": 90}))

    assert (sent.device_id, sent.state) == (tv.id, CommandState.QUEUED)
    assert (sent.expires_at - sent.created_at).total_seconds() == COMMAND_SECONDS
    assert await house.commands.store.commands(ada, [sent.id]) == {sent.id: sent}
    assert await house.kinds(ada) == ["device", "command"]


async def test_a_command_for_nobody_is_not_sent(house: Living, ada: str, tv: Device) -> None:
    await house.devices.leave(ada, tv.id)
    deaf = await house.device(ada, "Deaf", remote_controllable=False)
    rows = await house.written()

    codes = [
        await refusal(house.commands.send(ada, tv.id, PLAY)),
        await refusal(house.commands.send(ada, deaf.id, PLAY)),
    ]

    assert codes == [UserErrorCode.UNAVAILABLE] * 2
    assert await house.written() == rows


@pytest.mark.parametrize("seconds", [0, -1, 61])
async def test_a_command_waits_from_one_second_to_a_minute(
    house: Living, ada: str, tv: Device, seconds: int
) -> None:
    assert await refusal(house.commands.send(ada, tv.id, PLAY, seconds)) is UserErrorCode.INVALID
    assert await house.kinds(ada) == ["device"]


async def test_casting_needs_both_devices(house: Living, ada: str, tv: Device) -> None:
    phone = await house.device(ada, "Phone", can_cast=True)
    foreign = await house.device(await house.account(), "Foreign")
    deaf = await house.device(ada, "Deaf", remote_controllable=False)
    to_tv = Command("castTo", {"deviceId": tv.id})

    sent = await house.commands.send(ada, phone.id, to_tv)
    assert sent.arguments == {"deviceId": tv.id}
    rows = await house.written()
    codes = [
        await refusal(house.commands.send(ada, tv.id, Command("castTo", {"deviceId": phone.id}))),
        await refusal(house.commands.send(ada, phone.id, Command("castTo", {"deviceId": foreign.id}))),
        await refusal(house.commands.send(ada, phone.id, Command("castTo", {"deviceId": phone.id}))),
        await refusal(house.commands.send(ada, phone.id, Command("castTo", {"deviceId": deaf.id}))),
    ]
    await house.devices.leave(ada, tv.id)
    codes.append(await refusal(house.commands.send(ada, phone.id, to_tv)))

    assert codes == [
        UserErrorCode.UNAVAILABLE,
        UserErrorCode.NOT_FOUND,
        *[UserErrorCode.UNAVAILABLE] * 3,
    ]
    assert await house.written() == rows + 1  # that the TV left


async def test_an_answer_is_kept_and_repeating_it_changes_nothing(
    house: Living, ada: str, tv: Device
) -> None:
    sent = await house.commands.send(ada, tv.id, PLAY)

    done = await house.commands.acknowledge(ada, sent.id, None)
    house.clock.turn(60)

    assert done.state is CommandState.EXECUTED
    assert await house.commands.acknowledge(ada, sent.id, None) == done
    assert await house.commands.store.commands(ada, [sent.id]) == {sent.id: done}
    assert await house.kinds(ada) == ["device", "command", "command_state"]


async def test_a_failure_has_its_reason(house: Living, ada: str, tv: Device) -> None:
    sent = await house.commands.send(ada, tv.id, PLAY)

    failed = await house.commands.acknowledge(ada, sent.id, "x" * (MAX_FAILURE + 1))

    assert (failed.state, failed.failure) == (CommandState.FAILED, "x" * MAX_FAILURE)
    assert await refusal(house.commands.acknowledge(ada, sent.id, None)) is UserErrorCode.CONFLICT
    assert await house.commands.store.commands(ada, [sent.id]) == {sent.id: failed}


async def test_an_answer_after_the_end_is_too_late(house: Living, ada: str, tv: Device) -> None:
    sent = await house.commands.send(ada, tv.id, PLAY, 5)
    house.clock.turn(5)

    assert await refusal(house.commands.acknowledge(ada, sent.id, None)) is UserErrorCode.CONFLICT
    assert await house.commands.store.commands(ada, [sent.id]) == {sent.id: sent}
    assert await house.kinds(ada) == ["device", "command"]


async def test_a_command_goes_forward_only(house: Living, ada: str, tv: Device) -> None:
    sent = await house.commands.send(ada, tv.id, PLAY)
    acknowledge = house.commands.acknowledge

    for state in (CommandState.ACKNOWLEDGED, CommandState.ACKNOWLEDGED, CommandState.EXECUTED):
        assert (await acknowledge(ada, sent.id, None, state)).state is state
    rows = await house.written()

    assert await refusal(acknowledge(ada, sent.id, None, CommandState.ACKNOWLEDGED)) is UserErrorCode.CONFLICT
    assert await refusal(acknowledge(ada, sent.id, "No.")) is UserErrorCode.CONFLICT
    assert await house.commands.take(ada, sent.id, "stream", again=True) is None
    assert await house.written() == rows


async def test_what_is_acknowledged_has_time_to_be_done(house: Living, ada: str, tv: Device) -> None:
    sent = await house.commands.send(ada, tv.id, PLAY, 5)
    house.clock.turn(4)
    await house.commands.acknowledge(ada, sent.id, None, CommandState.ACKNOWLEDGED)
    house.clock.turn(EXECUTION_SECONDS - 1)
    assert await house.commands.expire() == 0
    house.clock.turn(1)

    assert await house.commands.expire() == 1
    assert await house.commands.expire() == 0
    assert (await house.commands.store.commands(ada, [sent.id]))[sent.id].state is CommandState.EXPIRED
    assert await house.kinds(ada) == ["device", "command", "command_state", "command_state"]


async def test_a_command_is_handed_over_once(house: Living, ada: str, tv: Device) -> None:
    sent = await house.commands.send(ada, tv.id, PLAY)

    taken = await asyncio.gather(
        *(house.commands.take(ada, sent.id, "stream", again=False) for _ in range(5))
    )

    assert [command.state for command in taken if command is not None] == [CommandState.DELIVERED]
    assert await house.commands.take(ada, sent.id, "stream", again=True) is not None
    house.clock.turn(COMMAND_SECONDS)
    assert await house.commands.take(ada, sent.id, "stream", again=True) is None


async def test_a_picture_that_the_device_cannot_show_is_not_asked_for(house: Living, ada: str) -> None:
    small = await house.device(ada, "Small", max_quality="HD")
    any_size = await house.device(ada, "Any")

    def quality(device: Device, wanted: str) -> Awaitable[DeviceCommand]:
        return house.commands.send(ada, device.id, Command("setQuality", {"quality": wanted}))

    assert await refusal(quality(small, "UHD")) is UserErrorCode.UNAVAILABLE
    assert (await quality(small, "HD")).state is CommandState.QUEUED
    assert (await quality(any_size, "UHD")).state is CommandState.QUEUED


async def test_anothers_command_does_not_exist(house: Living, ada: str, tv: Device) -> None:
    sent = await house.commands.send(ada, tv.id, PLAY)
    other = await house.account()

    codes = [
        await refusal(house.commands.acknowledge(other, key, None)) for key in (sent.id, new_id(), "x", "\0")
    ]

    assert codes == [UserErrorCode.NOT_FOUND] * 4
    assert await house.commands.store.commands(ada, [sent.id]) == {sent.id: sent}
