"""Devices with the client's own queue and copy, through the graph, against a model: all end with one state.

Steps are acts of users, pushes and pulls that fail at any point, requests delivered late and again, clocks
that are wrong, restarts, a log that is pruned, and writes without a device. MEDIA_GATEWAY_TEST_STEPS says how
many.
"""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from domain.platform.postgres import Database
from domain.sync.model import Verdict
from media_gateway_client import (
    Change,
    Offline,
    Operation,
    Store,
    Synchroniser,
    Version,
    added,
    dropped,
    noted,
    reacted,
    removed,
    watched,
)
from media_gateway_client.operations import FOLLOW_CHANGES, PUSH_CHANGES
from resolvers.ids import decode, encode
from tests.accounts import new_id
from tests.catalogue import add_movie
from tests.viewers import Asker, living

STEPS = int(os.environ.get("MEDIA_GATEWAY_TEST_STEPS", "10000"))
STEPS_OF_A_RUN = 100
DEVICES = 3
TITLES = 2
DURATION = 1000
TOO_FAR_AHEAD = 90_000


@dataclass
class World:
    """One server for all runs; each has an account of its own."""

    runner: asyncio.Runner
    database: Database
    ask: Asker
    titles: list[int]
    folder: Path
    steps: int = 0


@dataclass
class Way:
    """The way of one device to the server; `Server` for its synchroniser."""

    world: World
    account: str
    told: list[tuple[dict[str, Any], Sequence[Mapping[str, Any]]]]
    failing: str | None = None
    """What happens to the next request: `request`, `answer`, or nothing."""
    after_events: int | None = None
    """How many events arrive before the stream breaks off."""

    @property
    def milliseconds(self) -> int:
        return self.world.ask.house.milliseconds()

    async def push(
        self, device_id: str, operations: Sequence[Operation], settled_through: str | None
    ) -> Sequence[Mapping[str, Any]]:
        if self.failing == "request":
            raise Offline("Gone.")
        given = {
            "deviceId": device_id,
            "operations": [operation.input() for operation in operations],
            "settledThrough": settled_through,
        }
        results = await self.deliver(given)
        if self.failing == "answer":
            raise Offline("Gone.")
        return results

    async def deliver(self, given: dict[str, Any]) -> Sequence[Mapping[str, Any]]:
        payload = (await self.world.ask.data(PUSH_CHANGES, self.account, input=given))["pushChanges"]
        assert payload["userErrors"] == [], payload
        self.told.append((given, payload["results"]))
        results: Sequence[Mapping[str, Any]] = payload["results"]
        return results

    async def changes(self, cursor: str | None) -> AsyncIterator[Mapping[str, Any]]:
        """Until nothing is left to tell, or the way is cut."""
        document = "{ viewer { syncCursor } }"
        latest = (await self.world.ask.data(document, self.account))["viewer"]["syncCursor"]
        if cursor == latest:
            return
        following = self.world.ask.follow(FOLLOW_CHANGES, self.account, after=cursor, snapshot=cursor is None)
        left = self.after_events
        async with aclosing(following):
            async for result in following:
                assert result.errors is None, result.errors
                if left is not None:
                    if left == 0:
                        raise Offline("Gone.")
                    left -= 1
                event = result.data["changes"]
                yield event
                if event["cursor"] == latest and event["__typename"] != "SnapshotBegan":
                    return


@dataclass
class Device:
    """One device with its disk."""

    world: World
    path: Path
    way: Way
    skew: int = 0
    """Milliseconds that its clock is wrong."""
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        self.store = Store(self.path, self.now)

    def now(self) -> int:
        return self.world.ask.house.milliseconds() + self.skew

    def restart(self) -> None:
        self.store.close()
        self.store = Store(self.path, self.now)

    @property
    def synchroniser(self) -> Synchroniser:
        return Synchroniser(self.store, self.way)


devices = st.integers(0, DEVICES - 1)
titles = st.integers(0, TITLES - 1)

State = dict[tuple[str, str, int], Any]
VALUES = {"watched": "positionSeconds", "reacted": "verdict", "noted": "text", "dropped": "dropped"}
"""The argument of a change that its register holds."""


class Devices(RuleBasedStateMachine):
    """Everything that can happen to the devices of one account."""

    world: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        self.made: dict[str, Operation] = {}
        self.told: list[tuple[dict[str, Any], Sequence[Mapping[str, Any]]]] = []
        self.online: list[tuple[str, str, Any]] = []
        """Writes without a device: kind, title, and what the model needs."""
        self.finished: set[tuple[int, int]] = set()
        self.forgotten = False
        self.account = self.run(self.world.ask.house.account())
        self.folder = tempfile.TemporaryDirectory(dir=self.world.folder)
        self.devices = [self.device(f"{number}") for number in range(DEVICES)]
        self.ids = [encode("Movie", title) for title in self.world.titles]

    def run(self, doing: Any) -> Any:
        return self.world.runner.run(doing)

    def device(self, name: str) -> Device:
        known = self.run(self.world.ask.house.device(self.account, name))
        way = Way(self.world, self.account, self.told)
        made = Device(self.world, Path(self.folder.name) / f"{name}.sqlite", way)
        made.store.name(encode("Device", known.id))
        return made

    # What users do

    def do(self, device: int, change: Change) -> None:
        operation = self.devices[device].store.do(change)
        self.made[operation.id] = operation

    @rule(device=devices, title=titles, seconds=st.sampled_from([0, 40, 949, 950, 1000]), back=st.booleans())
    def watch(self, device: int, title: int, seconds: int, *, back: bool) -> None:
        """The viewing that goes on, or again one that is finished."""
        content = self.ids[title]
        viewing = max(1, self.devices[device].store.viewing(content) - back)
        self.do(device, watched(content, viewing, seconds, DURATION))

    @rule(device=devices, title=titles)
    def put_on_list(self, device: int, title: int) -> None:
        self.do(device, added(self.ids[title]))

    @rule(device=devices, title=titles)
    def take_off_list(self, device: int, title: int) -> None:
        content = self.ids[title]
        self.do(device, removed(content, self.devices[device].store.tags(content)))

    @rule(
        device=devices,
        title=titles,
        make=st.sampled_from([reacted, noted]),
        said=st.sampled_from([None, "LIKE", "DISLIKE"]),
    )
    def say(self, device: int, title: int, make: Callable[..., Change], said: str | None) -> None:
        self.do(device, make(self.ids[title], said))

    @rule(device=devices, title=titles, drop=st.booleans())
    def drop(self, device: int, title: int, *, drop: bool) -> None:
        self.do(device, dropped(self.ids[title], dropped=drop))

    @rule(title=titles, kind=st.sampled_from(["react", "add", "remove"]))
    def act_without_a_device(self, title: int, kind: str) -> None:
        sync, key, content = self.world.ask.house.sync, self.world.titles[title], self.ids[title]
        match kind:
            case "react":
                reaction = self.run(sync.react(self.account, key, Verdict.LIKE, None))
                self.online.append(("reacted", content, (Version(*reaction.version), "LIKE")))
            case "add":
                entry = self.run(sync.add_to_watchlist(self.account, key))
                self.online.append(("added", content, entry.tags))
            case _:
                entries = self.run(sync.store.entries(self.account, [key]))
                if entries:
                    self.run(sync.remove_from_watchlist(self.account, key, entries[key].tags))
                    self.online.append(("removed", content, entries[key].tags))

    # What the way does

    @rule(
        device=devices,
        failing=st.sampled_from([None, None, None, "request", "answer"]),
    )
    def push(self, device: int, failing: str | None) -> None:
        pushed = self.devices[device]
        pushed.way.failing = failing
        try:
            self.run(pushed.synchroniser.push())
        except Offline:
            assert failing is not None
        pushed.way.failing = None
        self.nothing_was_unfinished()

    @rule(device=devices, after=st.sampled_from([None, None, 0, 1, 2, 5]))
    def pull(self, device: int, after: int | None) -> None:
        pulled = self.devices[device]
        before = shown(pulled.store)
        pulled.way.after_events = after
        try:
            self.run(pulled.synchroniser.follow())
        except Offline:
            assert after is not None
        else:
            goes_forward(before, shown(pulled.store))
        pulled.way.after_events = None

    @rule(device=devices)
    def synchronise(self, device: int) -> None:
        """All goes well for once."""
        self.push(device, None)
        self.pull(device, None)

    @precondition(lambda self: any(given["operations"] for given, _ in self.told))
    @rule(data=st.data(), after_months=st.booleans())
    def deliver_again(self, data: st.DataObject, *, after_months: bool) -> None:
        """A request that was on its way for long, or twice; perhaps when what was done is not remembered."""
        if after_months:
            self.forget_operations()
        given = data.draw(st.sampled_from([given for given, _ in self.told if given["operations"]]))
        self.run(self.devices[0].way.deliver(given))
        self.nothing_was_unfinished()

    # What time and operators do

    @rule(
        device=devices,
        seconds=st.sampled_from([0.001, 1.0, 30.0]),
        skew=st.sampled_from([0, 0, -50_000, 50_000, TOO_FAR_AHEAD]),
    )
    def time_passes(self, device: int, seconds: float, skew: int) -> None:
        """The device was killed and starts again, with its clock set otherwise."""
        self.world.ask.house.clock.turn(seconds)
        self.devices[device].skew = skew
        self.devices[device].restart()

    @rule(entries=st.sampled_from([3, 100]))
    def prune(self, entries: int) -> None:
        """As after weeks: the oldest entries of the log go."""
        statement = """DELETE FROM change WHERE account_id = $1 AND seq IN
                       (SELECT seq FROM change WHERE account_id = $1 ORDER BY seq LIMIT $2)"""
        self.run(self.world.database.execute(statement, self.account, entries))

    def forget_operations(self) -> None:
        statement = "DELETE FROM sync_operation WHERE account_id = $1"
        self.run(self.world.database.execute(statement, self.account))
        self.forgotten = True

    # What must hold

    def nothing_was_unfinished(self) -> None:
        statement = "SELECT content_id, viewing FROM progress WHERE account_id = $1 AND completed"
        rows = self.run(self.world.database.rows(statement, self.account))
        finished = {(row[0], row[1]) for row in rows}
        assert self.finished <= finished
        self.finished = finished

    def teardown(self) -> None:
        try:
            if hasattr(self, "devices"):
                self.converge()
        finally:
            for device in getattr(self, "devices", []):
                device.store.close()
            self.folder.cleanup()

    def converge(self) -> None:
        """Everybody online, all queues sent, all changes taken in."""
        for device in self.devices:
            device.way.failing = device.way.after_events = None
            self.run(device.synchroniser.push())
        for device in self.devices:
            self.run(device.synchroniser.follow())
            assert len(device.store) == 0

        states = [shown(device.store) for device in self.devices]
        assert states == [self.model()] * DEVICES
        self.everything_made_was_dealt_with()

    def everything_made_was_dealt_with(self) -> None:
        done = [result for _, results in self.told for result in results]
        accepted = [result["operationId"] for result in done if result["fate"] in {"APPLIED", "SUPERSEDED"}]
        dead = {letter.id for device in self.devices for letter in device.store.dead_letters()}
        coalesced = {
            key
            for key, operation in self.made.items()
            if operation.change.kind == "watched" and not operation.change.finishes
        }
        assert self.made.keys() <= {*accepted} | dead | coalesced
        assert self.forgotten or len(accepted) == len(set(accepted))

    def model(self) -> State:  # noqa: C901 - the rules, one after another
        """What all writes that the server took come to, by the rules and nothing else."""
        latest: dict[tuple[str, str, int], tuple[Version, Any]] = {}
        finished: set[tuple[str, int]] = set()
        additions: dict[str, str] = {}
        gone: set[str] = set()

        def write(key: tuple[str, str, int], version: Version, value: Any) -> None:
            if key not in latest or latest[key][0] < version:
                latest[key] = (version, value)

        for operation, counts in self.taken():
            change = operation.change
            if change.kind == "added":
                additions |= {operation.id: change.content_id} if counts else {}
            elif change.kind == "removed":
                gone |= set(change.arguments["tags"])
            else:
                write(change.register, operation.version, change.arguments[VALUES[change.kind]])
            if change.finishes:
                finished.add(change.register[1:])
        for kind, content, told in self.online:
            if kind == "reacted":
                write((kind, content, 0), *told)
            elif kind == "added":
                additions |= dict.fromkeys(told, content)
            else:
                gone |= set(told)

        state: State = {}
        for key, (_, value) in latest.items():
            state[key] = (value, key[1:] in finished) if key[0] == "watched" else value
        for tag, content in additions.items():
            if tag not in gone:
                key = ("watchlist", content, 0)
                state[key] = state.get(key, frozenset()) | {tag}
        return {key: value for key, value in state.items() if value not in {None, False}}

    def taken(self) -> list[tuple[Operation, bool]]:
        """The operations that the server took, under the names it knows their devices by; and whether their
        device had not settled them before.
        """
        found: dict[tuple[str, str], tuple[Operation, bool]] = {}
        settled: dict[str, int] = {}
        for given, results in self.told:
            device = given["deviceId"]
            for told, result in zip(given["operations"], results, strict=True):
                # Dated back and told again after months as it was dated first, it is written twice.
                key = told["id"], told["version"]
                if result["fate"] in {"APPLIED", "SUPERSEDED"} and key not in found:
                    operation = self.made[told["id"]]
                    version = Version(Version.parse(told["version"]).clock, server_name(device))
                    counts = version.clock > settled.get(device, -1)
                    found[key] = (
                        Operation(operation.id, operation.change, version, operation.base),
                        counts,
                    )
            if given["settledThrough"] is not None:
                clock = Version.parse(given["settledThrough"]).clock
                settled[device] = max(settled.get(device, -1), clock)
        return list(found.values())


def server_name(device_id: str) -> str:
    found = decode(device_id)
    assert found is not None
    return found.key


def shown(store: Store) -> State:
    """What the user of a device sees."""
    state: State = {
        ("watched", known.content_id, known.viewing): (known.position_seconds, known.completed)
        for known in store.progress()
    }
    state |= {("watchlist", entry.content_id, 0): frozenset(entry.tags) for entry in store.watchlist()}
    state |= {("reacted", found.content_id, 0): found.verdict for found in store.reactions()}
    for marks in store.marks():
        state |= {("noted", marks.content_id, 0): marks.note, ("dropped", marks.content_id, 0): marks.dropped}
    return {key: value for key, value in state.items() if value not in {None, False}}


def goes_forward(before: State, after: State) -> None:
    """Nothing that was shown as finished is shown as begun, or not at all."""
    for key, value in before.items():
        if key[0] == "watched" and value[1]:
            assert after[key][1], (key, value, after.get(key))


@pytest.mark.timeout(60 + STEPS // 10)
def test_devices_converge_whatever_happens(database_url: str, scratch: Path) -> None:
    with asyncio.Runner() as runner:
        opening = Database.open(database_url, min_connections=1, max_connections=4)
        database = runner.run(opening.__aenter__())
        try:
            titles = [
                runner.run(add_movie(database, f"Film {new_id()}", runtime_seconds=DURATION))
                for _ in range(TITLES)
            ]
            world = World(runner, database, Asker(living(database)), titles, scratch)
            machine = type("Run", (Devices,), {"world": world})
            run_state_machine_as_test(
                machine,
                settings=settings(
                    max_examples=max(1, STEPS // STEPS_OF_A_RUN),
                    stateful_step_count=STEPS_OF_A_RUN,
                    deadline=None,
                    phases=[Phase.generate],  # shrinking takes longer than finding
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(opening.__aexit__(None, None, None))
