"""That the campaign would see what it looks for."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from bench.campaign.faults import Broken
from bench.campaign.fleet import Account, Acknowledged, Delivery, Device
from bench.campaign.verdict import Record, Verdict, judge_changes
from bench.campaign.wires import State, Wire, door
from media_gateway_client import Change, Gateway, Operation, Store, Version, added, noted, removed, watched
from resolvers.ids import content_key

TITLE = "TW92aWU6MQ"


@pytest.fixture
def devices(tmp_path: Path) -> Iterator[list[Device]]:
    account = Account("token", [TITLE])
    made = [
        Device(name, account, Store(tmp_path / name, lambda: 1), Gateway(None, "token"))  # type: ignore[arg-type]
        for name in ("phone", "tv")
    ]
    for device in made:
        device.began_behind = 0
    yield made
    for device in made:
        device.store.close()


def position(seq: int, viewing: int) -> Record:
    return Record(seq, "progress", {"content": content_key(TITLE), "viewing": viewing})


def listed(seq: int, *tags: str) -> Record:
    entry = {"tags": list(tags)} if tags else None
    return Record(seq, "watchlist", {"content": content_key(TITLE), "entry": entry})


def told(device: Device, *seqs: int, at: float = 1.0) -> None:
    device.delivered += [Delivery(seq, at) for seq in seqs]


def did(device: Device, change: Change, id_: str, at: float = 0.5) -> None:
    device.acted[id_] = at - 0.1
    device.acknowledged.append(Acknowledged(Operation(id_, change, Version(1, "phone"), None), at))


def found(log: Sequence[Record], devices: Sequence[Device], *broken: Broken) -> Verdict:
    return judge_changes([(log, devices)], broken)


def test_what_is_in_the_log_and_was_told_once_is_fine(devices: list[Device]) -> None:
    phone, tv = devices
    did(phone, watched(TITLE, 7, 1, 9), "a")
    did(phone, added(TITLE), "b")
    did(tv, removed(TITLE, ["b"]), "c")
    for device in devices:
        told(device, 1, 2, 3)

    verdict = found([position(1, 7), listed(2, "b"), listed(3)], devices)

    assert verdict.clean
    assert (verdict.acknowledged, verdict.deliveries) == (3, 6)
    assert len(verdict.calm) == 3


@pytest.mark.parametrize("change", [watched(TITLE, 7, 1, 9), added(TITLE), removed(TITLE, ["x"])])
def test_what_was_acknowledged_and_is_not_in_the_log_is_lost(devices: list[Device], change: Change) -> None:
    did(devices[0], change, "a")

    assert len(found([], devices).lost) == 1


def marks(seq: int, clock: int, note: str | None, *, hidden: bool = False) -> Record:
    said = {"note": note, "dropped": False, "hidden": hidden, "version": f"{clock:016x}@phone"}
    return Record(seq, "marks", {"content": content_key(TITLE)} | said)


@pytest.mark.parametrize(
    ("log", "lost"),
    [
        ([marks(1, 1, "Good.")], 0),
        ([marks(1, 2, "Better.")], 0),
        ([], 1),
        ([marks(1, 0, "Good.")], 1),
        ([marks(1, 1, None)], 1),
        ([marks(1, 1, "Good."), marks(2, 1, None, hidden=True)], 1),
    ],
)
def test_a_note_is_lost_unless_it_stands_or_a_later_one_does(
    devices: list[Device], log: list[Record], lost: int
) -> None:
    did(devices[0], noted(TITLE, "Good."), "a")
    for device in devices:
        device.store.name("RGV2aWNlOjE")
        told(device, *(record.seq for record in log))

    assert len(found(log, devices).lost) == lost


def test_a_reaction_that_the_log_has_twice_is_a_repeat(devices: list[Device]) -> None:
    for device in devices:
        told(device, 1, 2)
    said = {
        "content": content_key(TITLE),
        "verdict": "like",
        "stars": None,
        "version": "0000000000000001@phone",
    }

    verdict = found([Record(seq, "reaction", said) for seq in (1, 2)], devices)

    assert len(verdict.duplicated) == 1


def test_what_a_device_was_not_told_is_lost(devices: list[Device]) -> None:
    told(devices[0], 1)

    assert found([position(1, 7)], devices).lost == ["tv was not told of 1"]


def test_what_came_twice_or_out_of_turn_is_a_repeat(devices: list[Device]) -> None:
    told(devices[0], 1, 2, 2)
    told(devices[1], 2, 1)

    assert found([position(1, 7), position(2, 8)], devices).duplicated == [
        "phone was told of 2 2 times",
        "tv was told of 1 out of its turn",
    ]


def test_what_the_log_has_twice_is_a_repeat(devices: list[Device]) -> None:
    for device in devices:
        told(device, 1, 2, 3, 4, 5)

    verdict = found([position(1, 7), position(2, 7), listed(3, "b"), listed(4), listed(5, "b")], devices)

    assert len(verdict.duplicated) == 2


def test_what_came_long_after_all_was_whole_is_late(devices: list[Device]) -> None:
    phone, tv = devices
    did(phone, watched(TITLE, 7, 1, 9), "a", at=5.0)
    told(phone, 1, at=5.0)
    told(tv, 1, at=22.0)
    log = [position(1, 7)]

    assert len(found(log, devices).late) == 1
    assert len(found(log, devices, Broken("cut", 4.0, 11.0)).late) == 1
    assert found(log, devices, Broken("cut", 4.0, 13.0)).late == []
    assert found(log, devices, Broken("cut", 4.0, 13.0)).stormy == [pytest.approx(17.1)]


def test_devices_that_do_not_agree_are_told(devices: list[Device]) -> None:
    devices[0].store.do(added(TITLE))

    verdict = found([], devices)
    assert verdict.apart == ["tv"]
    assert verdict.late == ["phone has 1 changes left to send"]


# -- wires


@asynccontextmanager
async def echo() -> AsyncIterator[int]:
    """A port that answers what it is told."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while piece := await reader.read(100):
                writer.write(piece)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


class Line:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def says(self, text: bytes, seconds: float = 5.0) -> bytes:
        """What comes back; nothing where the line is dead."""
        self.writer.write(text)
        return await self.hears(seconds)

    async def hears(self, seconds: float = 5.0) -> bytes:
        async with asyncio.timeout(seconds):
            try:
                return await self.reader.read(100)
            except ConnectionError:
                return b""


@asynccontextmanager
async def line(port: int) -> AsyncIterator[Line]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Line(reader, writer)
    finally:
        writer.close()


async def test_a_wire_can_be_cut_and_mended() -> None:
    async with echo() as target:
        wire = Wire(target)
        async with door([wire]) as port:
            async with line(port) as before:
                assert await before.says(b"one") == b"one"
                wire.set(State.CUT)
                assert await before.says(b"two") == b""
            async with line(port) as meanwhile:
                assert await meanwhile.says(b"three") == b""

            wire.set(State.WHOLE)

            async with line(port) as after:
                assert await after.says(b"four") == b"four"


async def test_a_silent_wire_passes_nothing_on_until_it_is_whole() -> None:
    async with echo() as target:
        wire = Wire(target)
        async with door([wire]) as port, line(port) as told:
            wire.set(State.SILENT)
            with pytest.raises(TimeoutError):
                await told.says(b"one", 0.2)

            wire.set(State.WHOLE)

            assert await told.hears() == b"one"


async def test_a_silent_wire_does_not_tell_of_an_end_until_it_is_whole() -> None:
    async with echo() as target:
        wire = Wire(target)
        async with door([wire]) as port:
            async with line(port) as told:
                assert await told.says(b"one") == b"one"
                wire.set(State.SILENT)
            await asyncio.sleep(0.1)
            assert len(wire.ends) == 2

            wire.set(State.WHOLE)

            async with asyncio.timeout(5):
                while wire.ends:  # noqa: ASYNC110 - nothing tells when a connection has gone
                    await asyncio.sleep(0.01)


async def test_a_door_leads_to_what_stands() -> None:
    async with echo() as target:
        gone, stands = Wire(target), Wire(target)
        gone.set(State.CUT)
        async with door([gone, stands]) as port:
            for _ in range(3):
                async with line(port) as told:
                    assert await told.says(b"one") == b"one"
