"""One campaign: the house, the devices, the faults, the verdict."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

import asyncpg

from bench.campaign.faults import Broken, faults_of
from bench.campaign.fleet import Device, open_fleet
from bench.campaign.house import House, open_house
from bench.campaign.household import Households, open_households
from bench.campaign.obedience import Kept, Obedience, at_rest, judge_commands
from bench.campaign.remote import Remote
from bench.campaign.verdict import Log, Record, Verdict, judge_changes
from domain.platform.postgres import set_codecs
from gateway.background import in_background
from resolvers.ids import key_of
from resolvers.sync import seq_of

CATCH_UP_SECONDS = 120.0
OF_ACCOUNT = "account_id = (SELECT account_id FROM device WHERE id = $1)"


@dataclass(frozen=True)
class Plan:
    """How much of what."""

    seconds: float
    """That devices write, at least: each fault happens once in any case."""
    devices: int
    rate: float
    households: int
    presses: float
    """Commands a second, of all households."""
    fault_seconds: float
    rest_seconds: float
    only: Sequence[str]
    """Parts of the names of the faults that are wanted; all of them if open."""
    seed: int
    say: Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    verdict: Verdict
    obedience: Obedience
    broken: Sequence[Broken]
    seconds: float

    @property
    def clean(self) -> bool:
        return self.verdict.clean and self.obedience.clean


async def campaign(folder: Path, plan: Plan) -> Outcome:
    """Runs it in an empty folder."""
    plan.say("Starting two servers, PostgreSQL and Redis …")
    async with open_house(folder) as house:
        plan.say(f"Registering {plan.devices} devices and {plan.households} households …")
        async with (
            open_fleet(house.port, folder / "devices", plan.devices) as devices,
            open_households(house.port, folder / "households", plan.households) as households,
        ):
            began = time.monotonic()
            async with (
                in_background(_write(devices, plan)),
                in_background(households.press(plan.presses, plan.seed)),
            ):
                broken = await _break(house, households, plan, began + plan.seconds)
            seconds = time.monotonic() - began
            accounts = await _caught_up(house, devices, plan)
            homes = await _come_to_rest(house, households, plan)
            plan.say("Comparing …")
            epoch = time.time() - time.monotonic()
            return Outcome(
                judge_changes(accounts, broken), judge_commands(homes, broken, epoch), broken, seconds
            )


async def _write(devices: Sequence[Device], plan: Plan) -> None:
    """At an even pace, whatever is broken, until cancelled."""
    chance = Random(plan.seed)
    due = time.monotonic()
    while True:
        chance.choice(devices).act(chance)
        due += 1 / plan.rate
        await asyncio.sleep(max(0.0, due - time.monotonic()))


async def _break(house: House, households: Households, plan: Plan, until: float) -> list[Broken]:
    """One fault after the other: each once, and again as long as there is time."""
    wanted = [
        fault
        for fault in faults_of(house, households)
        if not plan.only or any(part.lower() in fault.name.lower() for part in plan.only)
    ]
    broken: list[Broken] = []
    while wanted and (len(broken) < len(wanted) or time.monotonic() < until):
        fault = wanted[len(broken) % len(wanted)]
        broken.append(await fault.happen(plan.fault_seconds))
        plan.say(f"{broken[-1].name}, {broken[-1].ended - broken[-1].began:.1f} s")
        await asyncio.sleep(plan.rest_seconds)
    return broken


async def _caught_up(house: House, devices: Sequence[Device], plan: Plan) -> list[tuple[Log, list[Device]]]:
    """The log of each account, once its devices have sent and heard everything, or should have."""
    plan.say("Waiting for the devices to send what they have …")
    await _until(lambda: not any(len(device.store) for device in devices))
    for device in devices:
        device.hang_up()  # what is acknowledged from now on need not be in the log that we read
    by_account: dict[int, list[Device]] = {}
    for device in devices:
        by_account.setdefault(id(device.account), []).append(device)
    async with _database(house) as connection:
        logs = [await _log(connection, members[0].store.device_id) for members in by_account.values()]
    accounts = list(zip(logs, by_account.values(), strict=True))
    plan.say("Waiting for the devices to hear of it …")
    await _until(lambda: not any(_behind(device, log) for log, members in accounts for device in members))
    await asyncio.sleep(1.0)  # what comes twice may come late
    return accounts


async def _come_to_rest(house: House, households: Households, plan: Plan) -> list[tuple[Kept, Remote]]:
    """What is kept of each household, once its commands have ended, or should have, and it was told."""
    plan.say("Waiting for commands to end …")
    homes: list[tuple[Kept, Remote]] = []
    async with _database(house) as connection:
        with suppress(TimeoutError):
            async with asyncio.timeout(CATCH_UP_SECONDS):
                while not homes or not all(at_rest(*home) for home in homes):
                    await asyncio.sleep(1.0)  # what comes twice may come late
                    homes = [(await _kept(connection, remote), remote) for remote in households.remotes]
    return homes


async def _until(holds: Callable[[], bool]) -> None:
    """Or until it should have come to that."""
    with suppress(TimeoutError):
        async with asyncio.timeout(CATCH_UP_SECONDS):
            while not holds():  # noqa: ASYNC110 - stores tell nobody
                await asyncio.sleep(0.2)


@asynccontextmanager
async def _database(house: House) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(house.database_url)
    try:
        await set_codecs(connection)
        yield connection
    finally:
        await connection.close()


async def _kept(connection: asyncpg.Connection, remote: Remote) -> Kept:
    device_id = remote.televisions[0].device_id
    states = await connection.fetch(
        f"SELECT id::text, state FROM device_command WHERE {OF_ACCOUNT}", _key(device_id)
    )
    playing = await connection.fetch(
        f"""SELECT device_id::text, id::text FROM playback_session
             WHERE ended_at IS NULL AND {OF_ACCOUNT}""",
        _key(device_id),
    )
    log = await _log(connection, device_id)
    return Kept(log, {row[0]: row[1] for row in states}, {row[0]: row[1] for row in playing})


async def _log(connection: asyncpg.Connection, device_id: str | None) -> Log:
    rows = await connection.fetch(
        f"SELECT seq, kind, payload FROM change WHERE {OF_ACCOUNT} ORDER BY seq", _key(device_id)
    )
    return [Record(*row) for row in rows]


def _key(device_id: str | None) -> str:
    return key_of(device_id or "", "Device", "deviceId")


def _behind(device: Device, log: Log) -> bool:
    return bool(log) and (seq_of(device.store.cursor) or 0) < log[-1].seq
