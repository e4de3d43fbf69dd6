"""Remote commands through the graph to simulated devices that are cut off and killed, against the rules.

Each command is done once, in order, in time, or not at all, and whoever sent it is told which.
"""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domain.sync.devices import LEASE_SECONDS
from gateway.cli import simulated
from gateway.cli.line import Line
from gateway.cli.simulated import SWITCHED_OFF, SimulatedDevice
from media_gateway_client import Offline
from media_gateway_client.operations import (
    ACKNOWLEDGE_COMMAND,
    DEVICE_COMMANDS,
    SEND_COMMAND,
    Operations,
)
from resolvers.ids import encode, key_of
from resolvers.sync import seq_of
from tests.clients.command_rules import RANKS, Command, CommandRules
from tests.clients.house import (
    STEPS,
    Device,
    Killed,
    Way,
    World,
    deaths,
    house_of,
    open_world,
    servers,
    take_steps,
)
from tests.viewers import Asker

SHARE = 15
"""Of so many steps that queues take, commands take one."""
STEPS_OF_A_RUN = 50
ENOUGH_FOR_ALL = 2_000
"""In so many steps chance brings about every fault."""
DEVICES = 2
PATIENCE_SECONDS = 10.0
NOTHING_PLAYS = "Nothing plays here."
TOLD = """SELECT payload->>'id', payload->>'state', payload->>'failure' FROM change
           WHERE account_id = $1 AND kind IN ('command', 'command_state') ORDER BY seq"""
QUEUED = """SELECT seq FROM change
             WHERE account_id = $1 AND kind = 'command'
               AND payload->>'id' = $2 AND payload->>'state' = 'queued'"""
FAULTS = {"request", "answer", "killed", "dead", "unheard", "late", "failed", "offline"}

devices = st.integers(0, DEVICES - 1)


class Fault(NamedTuple):
    """What happens to the line at one of the times that something goes over it."""

    kind: str
    """`request`: it does not arrive. `answer`: the answer does not. `killed`: nor does the device live on."""
    after: int
    """So many times all goes well."""
    seconds: float
    """For so long the line is cut then."""


faults = st.none() | st.builds(
    Fault,
    st.sampled_from(["request", "answer", "killed"]),
    st.sampled_from([0, 0, 0, 1, 2, 3, 5, 9]),
    st.sampled_from([0.0, 0.0, 4.0, 31.0]),
)


class Stream:
    """A subscription that waits for its next event already."""

    def __init__(self, results: AsyncGenerator[Any, None]) -> None:
        self._results = results
        self.pending = asyncio.ensure_future(anext(results))

    async def next(self) -> Any:
        async with asyncio.timeout(PATIENCE_SECONDS):
            result = await self.pending
        self.pending = asyncio.ensure_future(anext(self._results))
        return result


@asynccontextmanager
async def streaming(asked: Asker, document: str, account: str, **variables: Any) -> AsyncIterator[Stream]:
    """One that is open by the time the block begins."""
    async with aclosing(asked.follow(document, account, **variables)) as results:
        before = asked.house.listeners(account)
        stream = Stream(results)
        try:
            while asked.house.listeners(account) == before:  # noqa: ASYNC110 - nothing tells of them
                await asyncio.sleep(0)
            yield stream
        finally:
            stream.pending.cancel()
            await asyncio.gather(stream.pending, return_exceptions=True)


@dataclass
class Wire(Operations):
    """The way of a device to one of the servers, for one stream of commands; takes the place of `Gateway`.

    Whatever arrives at the server is told to the rules, and what it answers must be what they say.
    """

    world: World
    account: str
    rules: CommandRules
    device: Device
    server: int
    fault: Fault | None
    live: list[Any] = field(default_factory=list)
    """What is sent, one after another, once the stream has told all that was missed."""

    @property
    def milliseconds(self) -> int:
        return self.world.milliseconds

    async def execute(self, document: str, **variables: Any) -> dict[str, Any]:
        self._passes("request")
        data: dict[str, Any] = await self._asked.data(document, self.account, **variables)
        if document == ACKNOWLEDGE_COMMAND:
            self._told(variables["input"], data["acknowledgeCommand"])
        self._passes("answer", "killed")
        return data

    async def stream(self, document: str, **variables: Any) -> AsyncGenerator[dict[str, Any], None]:
        """The commands that the rules expect, and no other, until nothing is left to be sent."""
        assert document == DEVICE_COMMANDS
        self._passes("request")
        opened = await house_of(self.world).journal.log.latest(self.account)
        seen = place_of(variables["after"])
        async with streaming(self._asked, document, self.account, **variables) as stream:
            while True:
                due = self.rules.next_for(self.device.key, seen, opened, self.milliseconds)
                if due is None:
                    assert not stream.pending.done(), stream.pending.result()
                    if not self.live:
                        return
                    await self.live.pop(0)()
                    continue
                data = (await stream.next()).data
                told = data["deviceCommands"]
                assert told["command"]["id"] == due.id, (told, due)
                seen = place_of(told["cursor"])
                assert seen == due.place
                self.rules.hand(due)
                self._passes("answer", "killed")
                yield data

    @property
    def _asked(self) -> Asker:
        return self.world.servers[self.server]

    def _told(self, given: Mapping[str, Any], payload: Mapping[str, Any]) -> None:
        failure = given.get("failure")
        state = "FAILED" if failure is not None else given.get("report", "EXECUTED")
        taken = self.rules.report(given["commandId"], state, failure, self.milliseconds)
        assert (payload["userErrors"] == []) == taken, (given, payload)
        self.world.seen |= set() if taken else {"late"}

    def _passes(self, *kinds: str) -> None:
        fault = self.fault
        if fault is None or fault.kind not in kinds:
            return
        if fault.after:
            self.fault = fault._replace(after=fault.after - 1)
            return
        self.fault = None
        self.world.seen.add(fault.kind)
        house_of(self.world).clock.turn(fault.seconds)
        raise Killed if fault.kind == "killed" else Offline("Gone.")


@dataclass
class Obeying(SimulatedDevice):
    """Tells the rules what it does."""

    rules: CommandRules = field(default_factory=CommandRules)

    async def obey(
        self, action: str, arguments: Mapping[str, Any], command_id: str | None = None
    ) -> str | None:
        assert command_id is not None
        self.rules.do(command_id, self.line.milliseconds or 0)
        return await super().obey(action, arguments, command_id)


class Commanded(RuleBasedStateMachine):
    """Everything that can happen to commands for the devices of one account."""

    world: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        self.world.steps -= 1  # what must hold does so before the first
        self.account = self.run(house_of(self.world).account())
        self.folder = tempfile.TemporaryDirectory(dir=self.world.folder)
        self.model = CommandRules()
        self.devices = [self.device(f"{number}") for number in range(DEVICES)]
        self.began = self.cursor()
        for device in self.devices:
            self.wired(device, 0, None).store.remember("commands", self.began)

    def run(self, doing: Any) -> Any:
        return self.world.runner.run(doing)

    def device(self, name: str) -> Device:
        known = self.run(house_of(self.world).device(self.account, name))
        made = Device(self.world, Path(self.folder.name), name, known.id, Way(self.world, self.account))
        made.store.name(encode("Device", known.id))
        return made

    def cursor(self) -> str:
        found = self.run(self.world.servers[0].data("{ viewer { syncCursor } }", self.account))
        return str(found["viewer"]["syncCursor"])

    def wired(self, device: Device, server: int, fault: Fault | None, *live: Any) -> Obeying:
        """A process of the device, with what lies on its disk."""
        wire = Wire(self.world, self.account, self.model, device, server, fault, list(live))
        line: Any = wire
        return Obeying(device.store, Line(line), lambda _text: None, rules=self.model)

    # Who sends

    async def send(self, number: int, server: int, seconds: int, level: float | None) -> None:
        """To a device that gave a sign of life: the volume, or to pause, which it cannot."""
        device, house = self.devices[number], house_of(self.world)
        await house.devices.heartbeat(self.account, device.key)
        given = {
            "deviceId": encode("Device", device.key),
            "command": {"pause": {}} if level is None else {"setVolume": {"level": level}},
            "expiresInSeconds": seconds,
        }
        asked = self.world.servers[server]
        payload = (await asked.data(SEND_COMMAND, self.account, input=given))["sendCommand"]
        assert payload["userErrors"] == []
        sent = payload["command"]["id"]
        # A stream that listens may have been told of it by now, and the log have gone on.
        place = await self.world.database.value(QUEUED, self.account, key_of(sent, "DeviceCommand", "id"))
        expires = self.world.milliseconds + 1000 * seconds
        self.model.sent(Command(sent, device.key, place, expires))

    @rule(
        device=devices,
        server=servers,
        seconds=st.sampled_from([1, 5, 60]),
        level=st.sampled_from([None, 0.0, 0.5, 1.0]),
    )
    def is_told(self, device: int, server: int, seconds: int, level: float | None) -> None:
        self.run(self.send(device, server, seconds, level))

    @rule(device=devices, server=servers, silent=st.booleans())
    def is_told_while_away(self, device: int, server: int, *, silent: bool) -> None:
        """Nothing is kept for a device that has left, or was silent for too long."""
        house, key = house_of(self.world), self.devices[device].key
        if silent:
            self.time_passes(LEASE_SECONDS)
        else:
            self.run(house.devices.leave(self.account, key))
        before = self.cursor()
        given = {"deviceId": encode("Device", key), "command": {"play": {}}}
        asked = self.world.servers[server]
        payload = self.run(asked.data(SEND_COMMAND, self.account, input=given))["sendCommand"]
        assert [error["code"] for error in payload["userErrors"]] == ["UNAVAILABLE"]
        assert self.cursor() == before
        self.world.seen.add("offline")

    # Who is told

    @rule(
        device=devices,
        server=servers,
        live=st.integers(0, 2),
        fault=faults,
        death=deaths,
        ghost=st.sampled_from([False, False, True]),
    )
    def obey(
        self, device: int, server: int, live: int, fault: Fault | None, death: int | None, *, ghost: bool
    ) -> None:
        """Does what it missed, and then what it is told: until nothing is left, or it is cut off or dies."""
        obeying = self.devices[device]
        sending = [lambda: self.send(device, server, 5, 0.5)] * live
        process = self.wired(obeying, server, fault, *sending)
        whole = obeying.killed_after(death, lambda: self.run(self.until_cut(process, ghost=ghost)))
        if whole:
            after = place_of(process.store.remembered("commands"))
            assert self.model.open_for(obeying.key, place_of(self.began), self.world.milliseconds) == []
            assert all(each.place <= after for each in self.of(obeying) if each.done_at is not None)
        elif whole is None:
            self.world.seen.add("dead")

    async def until_cut(self, process: Obeying, *, ghost: bool) -> bool:
        """Whether it was not. A `ghost` is an earlier stream, of which no server knows that it broke."""
        async with AsyncExitStack() as stack:
            if ghost:
                asked, device = self.world.servers[0], process.store.device_id
                dead = await stack.enter_async_context(
                    streaming(asked, DEVICE_COMMANDS, self.account, device=device)
                )
            try:
                await process.obey_commands()
            except Offline:
                return False
            finally:
                assert not ghost or not dead.pending.done(), dead.pending.result()
            return True

    @rule(device=devices, server=servers, most=st.integers(0, 3), told=st.booleans())
    def listen_in_vain(self, device: int, server: int, most: int, *, told: bool) -> None:
        """On a line that is dead already, which only the server does not know."""
        if told:
            self.is_told(device=device, server=server, seconds=60, level=0.5)
        listening = self.devices[device]
        wire = Wire(self.world, self.account, self.model, listening, server, None)
        after = listening.store.remembered("commands")

        async def listen() -> None:
            heard = wire.device_commands(device=encode("Device", listening.key), after=after)
            left = most
            async with aclosing(heard):
                while left and await anext(heard, None) is not None:
                    self.world.seen.add("unheard")
                    left -= 1

        self.run(listen())

    @rule(seconds=st.sampled_from([0.5, 4.0, 31.0, 61.0]))
    def time_passes(self, seconds: float) -> None:
        house_of(self.world).clock.turn(seconds)

    @rule()
    def work(self) -> None:
        """The worker ends what nobody answered."""
        self.run(house_of(self.world).commands.expire())
        self.model.expire(self.world.milliseconds)

    # What must hold

    @invariant()
    def nobody_is_promised_what_was_not_done(self) -> None:
        self.world.steps += 1
        for command in self.model.commands.values():
            assert command.state != "EXECUTED" or command.done_at is not None

    def of(self, device: Device) -> list[Command]:
        return [each for each in self.model.commands.values() if each.device == device.key]

    def teardown(self) -> None:
        try:
            if hasattr(self, "began"):
                self.end()
        finally:
            for device in getattr(self, "devices", []):
                device.store.close()
            self.folder.cleanup()

    def end(self) -> None:
        """All devices are there once more, and time enough passes; who sent was told it all."""
        for number in range(DEVICES):
            self.obey(number, 0, 1, None, None, ghost=True)
        self.time_passes(61.0)
        self.work()

        for key, told in self.told().items():
            command = self.model.commands[key]
            ranks = [RANKS[state] for state, _ in told]
            assert told[0] == ("QUEUED", None)
            assert ranks == sorted(set(ranks))
            assert told[-1] == (command.state, command.failure)
            assert command.failure in {None, NOTHING_PLAYS, SWITCHED_OFF}
            assert command.failure != NOTHING_PLAYS or command.done_at is not None
            self.world.seen |= {"failed"} if command.failure == SWITCHED_OFF else set()

    def told(self) -> dict[str, list[tuple[str, str | None]]]:
        """Of each command, what its sender was told, in order."""
        found: dict[str, list[tuple[str, str | None]]] = {key: [] for key in self.model.commands}
        for key, state, failure in self.run(self.world.database.rows(TOLD, self.account)):
            found[encode("DeviceCommand", key)].append((state.upper(), failure))
        return found


def place_of(cursor: str | None) -> int:
    """In the log."""
    return seq_of(cursor) or 0


@pytest.mark.timeout(120 + STEPS // 10)
def test_commands_are_done_once_in_order_and_in_time_or_not_at_all(
    database_url: str, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulated, "AGAIN_SECONDS", 0.0)
    steps = STEPS // SHARE
    with open_world(database_url, scratch) as world:
        take_steps(Commanded, world, steps, STEPS_OF_A_RUN)
    if steps >= ENOUGH_FOR_ALL:
        assert world.seen >= FAULTS
