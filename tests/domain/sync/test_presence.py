"""What devices tell of their user and of themselves, over a real database."""

import math

import pytest

from domain.platform.errors import UserErrorCode
from domain.sync import payloads
from domain.sync.devices import LEASE_SECONDS
from domain.sync.model import Device
from domain.sync.presence import (
    IDLE_SECONDS,
    Battery,
    DeviceActivity,
    DeviceCondition,
    NetworkQuality,
    Sign,
    Standing,
    worth_telling,
)
from tests.servers import StatementCounter
from tests.viewers import Living, refusal

OFFLINE, IDLE, BROWSING, WATCHING = DeviceActivity
HALF = DeviceCondition(Battery(0.5), NetworkQuality.GOOD)


@pytest.fixture
async def phone(house: Living, ada: str) -> Device:
    return await house.device(ada)


async def active(house: Living, device: Device) -> bool | None:
    return (await house.devices.standing([device.id]))[device.id].active


async def told(house: Living, account: str) -> Device:
    """The device as the others were last told of it."""
    return payloads.to_device((await house.journal.log.since(account, 0, 1_000))[-1].payload)


def level(at: float, *, charging: bool = False) -> Sign:
    return Sign(condition=DeviceCondition(Battery(at, charging)))


@pytest.mark.parametrize(
    ("online", "active", "paused", "does"),
    [
        (False, True, False, OFFLINE),
        (False, None, None, OFFLINE),
        (True, None, None, None),
        (True, True, None, BROWSING),
        (True, False, None, IDLE),
        (True, None, False, WATCHING),
        (True, True, False, WATCHING),
        (True, False, False, WATCHING),
        (True, None, True, WATCHING),
        (True, True, True, WATCHING),
        (True, False, True, IDLE),
    ],
)
def test_what_a_device_does_follows_from_what_is_known(
    *, online: bool, active: bool | None, paused: bool | None, does: DeviceActivity | None
) -> None:
    assert Standing(online, active).activity(paused=paused) is does


@pytest.mark.parametrize(
    ("known", "after", "worth"),
    [
        (HALF, HALF, False),
        (DeviceCondition(Battery(0.5)), DeviceCondition(Battery(0.46)), False),
        (DeviceCondition(Battery(0.5)), DeviceCondition(Battery(0.54)), False),
        (DeviceCondition(Battery(0.5)), DeviceCondition(Battery(0.45)), True),
        (DeviceCondition(Battery(0.1)), DeviceCondition(Battery(0.15)), True),
        (DeviceCondition(Battery(0.5)), DeviceCondition(Battery(0.5, charging=True)), True),
        (DeviceCondition(), DeviceCondition(Battery(0.5)), True),
        (HALF, DeviceCondition(HALF.battery, NetworkQuality.POOR), True),
        (HALF, DeviceCondition(HALF.battery), True),
    ],
)
def test_small_changes_of_a_battery_are_not_worth_telling(
    known: DeviceCondition, after: DeviceCondition, *, worth: bool
) -> None:
    assert worth_telling(known, after) is worth


async def test_a_device_is_idle_five_minutes_after_the_last_act(
    house: Living, ada: str, phone: Device
) -> None:
    assert await active(house, phone) is None

    await house.devices.heartbeat(ada, phone.id, sign=Sign(idle_seconds=0))
    assert await active(house, phone) is True
    assert (await told(house, ada)).active is True
    for idle in range(60, int(IDLE_SECONDS), 60):
        house.clock.turn(60)
        await house.devices.heartbeat(ada, phone.id, sign=Sign(idle_seconds=idle))
        assert await house.devices.lapse() == 0
    assert await house.kinds(ada) == ["device"] * 2

    house.clock.turn(60)
    assert await active(house, phone) is False
    assert await house.devices.lapse() == 1
    assert await house.devices.lapse() == 0
    changed = await told(house, ada)
    assert (changed.present, changed.active) == (True, False)

    await house.devices.heartbeat(ada, phone.id, sign=Sign(idle_seconds=1))
    assert await active(house, phone) is True
    assert (await told(house, ada)).active is True
    assert await house.kinds(ada) == ["device"] * 4


async def test_an_act_long_ago_is_no_news(house: Living, ada: str, phone: Device) -> None:
    await house.devices.heartbeat(ada, phone.id, sign=Sign(idle_seconds=int(IDLE_SECONDS)))
    await house.devices.heartbeat(ada, phone.id, sign=Sign(idle_seconds=2_147_483_647))

    assert await active(house, phone) is False
    assert await house.devices.lapse() == 0
    assert await house.kinds(ada) == ["device"]


async def test_open_streams_say_nothing_of_the_user(house: Living, ada: str, phone: Device) -> None:
    await house.devices.heartbeat(ada, phone.id, sign=Sign(idle_seconds=0))
    for _ in range(6):
        house.clock.turn(LEASE_SECONDS - 1)
        await house.devices.renew({phone.id: "stream"})

    assert await active(house, phone) is False
    assert await house.devices.online([phone.id]) == {phone.id}


async def test_a_battery_that_drains_is_told_in_steps(house: Living, ada: str, phone: Device) -> None:
    shown = []
    for percent in range(100, -1, -1):
        await house.devices.heartbeat(ada, phone.id, sign=level(percent / 100))
        battery = (await house.devices.own(ada, phone.id)).battery
        assert battery is not None
        assert abs(battery.level - percent / 100) < 0.05
        shown.append(battery.level)

    assert sorted(set(shown), reverse=True) == [percent / 100 for percent in range(100, -1, -5)]
    assert await house.kinds(ada) == ["device"] * 22


async def test_a_battery_that_wavers_is_told_once(house: Living, ada: str, phone: Device) -> None:
    for _ in range(50):
        await house.devices.heartbeat(ada, phone.id, sign=level(0.50))
        await house.devices.heartbeat(ada, phone.id, sign=level(0.46))

    assert await house.kinds(ada) == ["device"] * 2


async def test_what_is_not_told_again_is_forgotten(house: Living, ada: str, phone: Device) -> None:
    await house.devices.heartbeat(ada, phone.id, sign=Sign(condition=HALF))
    assert (await told(house, ada)).condition == HALF

    house.clock.turn(LEASE_SECONDS - 1)
    await house.devices.heartbeat(ada, phone.id, sign=Sign(idle_seconds=0))
    assert (await house.devices.own(ada, phone.id)).condition == HALF
    house.clock.turn(1)
    assert await house.devices.lapse() == 1

    known = await house.devices.own(ada, phone.id)
    assert (known.present, known.active, known.condition) == (True, True, DeviceCondition())
    assert (await told(house, ada)).condition == DeviceCondition()
    assert await house.devices.lapse() == 0


async def test_what_is_told_takes_the_place_of_all_that_was_told(
    house: Living, ada: str, phone: Device
) -> None:
    await house.devices.heartbeat(ada, phone.id, sign=Sign(condition=HALF))
    await house.devices.heartbeat(ada, phone.id, sign=level(0.5, charging=True))

    assert (await told(house, ada)).condition == DeviceCondition(Battery(0.5, charging=True))


@pytest.mark.parametrize("silent", [False, True])
async def test_of_a_device_that_is_gone_nothing_is_shown(
    house: Living, ada: str, phone: Device, *, silent: bool
) -> None:
    await house.devices.heartbeat(ada, phone.id, sign=Sign(0, HALF))

    if silent:
        house.clock.turn(LEASE_SECONDS)
        assert await house.devices.lapse() == 1
    else:
        await house.devices.leave(ada, phone.id)

    gone = await told(house, ada)
    assert (gone.present, gone.active, gone.condition) == (False, False, DeviceCondition())
    assert (await house.devices.own(ada, phone.id)).condition == DeviceCondition()


async def test_of_the_user_of_an_incognito_device_nothing_is_kept(
    house: Living, ada: str, phone: Device
) -> None:
    await house.devices.heartbeat(ada, phone.id, sign=Sign(0, HALF))
    await house.playback.set_incognito(ada, phone.id, incognito=True)
    before = await house.kinds(ada)

    await house.devices.heartbeat(ada, phone.id, sign=Sign(0, HALF))

    known = await house.devices.own(ada, phone.id)
    assert (known.acted_at, known.active, known.condition) == (None, False, HALF)
    assert await active(house, phone) is None
    assert await house.kinds(ada) == before


@pytest.mark.parametrize("sign", [Sign(idle_seconds=-1), level(-0.01), level(1.01), level(math.nan)])
async def test_what_cannot_be_is_refused_and_is_no_sign_of_life(
    house: Living, ada: str, phone: Device, sign: Sign
) -> None:
    house.clock.turn(10)

    assert await refusal(house.devices.heartbeat(ada, phone.id, sign=sign)) is UserErrorCode.INVALID
    assert await house.devices.own(ada, phone.id) == phone


async def test_a_heartbeat_without_news_is_one_write_of_one_row(
    house: Living, ada: str, phone: Device, statements: StatementCounter
) -> None:
    await house.devices.heartbeat(ada, phone.id, sign=Sign(0, HALF))
    statements.clear()

    house.clock.turn(30)
    await house.devices.heartbeat(ada, phone.id, sign=Sign(7, HALF))

    assert [query.split()[0] for query in statements.seen] == ["SELECT", "UPDATE"]
