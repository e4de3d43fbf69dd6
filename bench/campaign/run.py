"""One campaign: the house, the devices, the faults, the verdict."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

import asyncpg

from bench.campaign.faults import Broken, faults_of
from bench.campaign.fleet import Device, open_fleet
from bench.campaign.house import House, open_house
from bench.campaign.verdict import Log, Record, Verdict, judge
from domain.platform.postgres import set_codecs
from gateway.background import in_background
from resolvers.ids import key_of
from resolvers.sync import seq_of

CATCH_UP_SECONDS = 120.0


@dataclass(frozen=True)
class Plan:
    """How much of what."""

    seconds: float
    """That devices write, at least: each fault happens once in any case."""
    devices: int
    rate: float
    fault_seconds: float
    rest_seconds: float
    only: Sequence[str]
    """Parts of the names of the faults that are wanted; all of them if open."""
    seed: int
    say: Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    verdict: Verdict
    broken: Sequence[Broken]
    seconds: float


async def campaign(folder: Path, plan: Plan) -> Outcome:
    """Runs it in an empty folder."""
    plan.say("Starting two servers, PostgreSQL and Redis …")
    async with open_house(folder) as house:
        plan.say(f"Registering {plan.devices} devices …")
        async with open_fleet(house.port, folder / "devices", plan.devices) as devices:
            began = time.monotonic()
            async with in_background(_write(devices, plan)):
                broken = await _break(house, plan, began + plan.seconds)
            seconds = time.monotonic() - began
            accounts = await _caught_up(house, devices, plan)
            plan.say("Comparing …")
            return Outcome(judge(accounts, broken), broken, seconds)


async def _write(devices: Sequence[Device], plan: Plan) -> None:
    """At an even pace, whatever is broken, until cancelled."""
    chance = Random(plan.seed)
    due = time.monotonic()
    while True:
        chance.choice(devices).act(chance)
        due += 1 / plan.rate
        await asyncio.sleep(max(0.0, due - time.monotonic()))


async def _break(house: House, plan: Plan, until: float) -> list[Broken]:
    """One fault after the other: each once, and again as long as there is time."""
    wanted = [
        fault
        for fault in faults_of(house)
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
    connection = await asyncpg.connect(house.database_url)
    try:
        await set_codecs(connection)
        logs = [await _log(connection, members[0]) for members in by_account.values()]
    finally:
        await connection.close()
    accounts = list(zip(logs, by_account.values(), strict=True))
    plan.say("Waiting for the devices to hear of it …")
    await _until(lambda: not any(_behind(device, log) for log, members in accounts for device in members))
    await asyncio.sleep(1.0)  # what comes twice may come late
    return accounts


async def _until(holds: Callable[[], bool]) -> None:
    """Or until it should have come to that."""
    with suppress(TimeoutError):
        async with asyncio.timeout(CATCH_UP_SECONDS):
            while not holds():  # noqa: ASYNC110 - stores tell nobody
                await asyncio.sleep(0.2)


async def _log(connection: asyncpg.Connection, device: Device) -> Log:
    rows = await connection.fetch(
        """SELECT seq, kind, payload FROM change
            WHERE account_id = (SELECT account_id FROM device WHERE id = $1) ORDER BY seq""",
        key_of(device.store.device_id or "", "Device", "deviceId"),
    )
    return [Record(*row) for row in rows]


def _behind(device: Device, log: Log) -> bool:
    return bool(log) and (seq_of(device.store.cursor) or 0) < log[-1].seq
