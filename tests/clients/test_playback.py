"""What a device has shown of what it plays, with a server that answers as a test says."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from media_gateway_client import Offline, Playing, Showing, Store, Version
from media_gateway_client.operations import Operations

FILM, DEVICE = "TW92aWU6MQ", "RGV2aWNlOjE"


@dataclass
class Told(Operations):
    """Notes the inputs of mutations by name; answers what is laid ready for them, else that all went well."""

    inputs: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    ready: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    shown: str | None = None
    cut: bool = False

    async def execute(self, document: str, **variables: Any) -> dict[str, Any]:
        if self.cut:
            raise Offline("cut")
        if "DeviceItself" in document:
            now = None if self.shown is None else {"id": self.shown}
            return {"node": {"__typename": "Device", "incognito": False, "nowPlaying": now}}
        name = next(name for name in ("startPlayback", "reportProgress", "endPlayback") if name in document)
        self.inputs.append((name, variables["input"]))
        if self.ready.get(name):
            return {name: self.ready[name].pop(0)}
        started = sum(each == "startPlayback" for each, _ in self.inputs)
        return {name: {"session": {"id": f"s{started}", "endReason": None}, "userErrors": []}}

    def stream(self, document: str, **variables: Any) -> AsyncGenerator[dict[str, Any], None]:
        raise Offline("Nobody follows here.")

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.inputs]


def refused(code: str, message: str = "No.") -> dict[str, Any]:
    return {"session": None, "userErrors": [{"code": code, "message": message}]}


@pytest.fixture
def wall() -> list[int]:
    return [1_772_366_400_000]


@pytest.fixture
def store(tmp_path: Path, wall: list[int]) -> Store:
    store = Store(tmp_path / "device.sqlite", lambda: wall[0])
    store.name(DEVICE)
    return store


@pytest.fixture
def server() -> Told:
    return Told()


@pytest.fixture
def showing(store: Store, server: Told) -> Showing:
    return Showing(store, server)


def film(seconds: float = 60.0, *, paused: bool = False) -> Playing:
    return Playing(FILM, "Film", 1000, 1, seconds, None if paused else monotonic())


async def test_what_plays_is_started_reported_and_ended(showing: Showing, server: Told) -> None:
    playing = film()
    assert await showing.settle(playing) is None
    playing.pause()
    assert await showing.settle(playing) is None
    assert await showing.settle(None) is None
    assert await showing.settle(None) is None

    assert server.names == ["startPlayback", "reportProgress", "endPlayback"]
    started, reported, ended = (given for _, given in server.inputs)
    assert (started["contentId"], started["deviceId"], started["positionSeconds"]) == (FILM, DEVICE, 60)
    assert (reported["sessionId"], reported["state"]) == ("s1", "PAUSED")
    assert (ended["sessionId"], ended["positionSeconds"]) == ("s1", 60)
    assert showing.session_id is None


async def test_what_begins_paused_is_shown_paused(showing: Showing, server: Told) -> None:
    await showing.settle(film(paused=True))

    assert [given.get("state") for _, given in server.inputs] == [None, "PAUSED"]


async def test_what_was_replaced_before_its_turn_is_not_shown(store: Store) -> None:
    class Slow(Told):
        async def execute(self, document: str, **variables: Any) -> dict[str, Any]:
            await asyncio.sleep(0)
            return await super().execute(document, **variables)

    server = Slow()
    showing = Showing(store, server)
    await asyncio.gather(*(showing.settle(film(seconds)) for seconds in (1, 2, 3)))

    assert [given["positionSeconds"] for _, given in server.inputs] == [1, 3]
    assert showing.session_id == "s2"


async def test_an_end_without_a_line_is_dated_when_it_was(
    showing: Showing, store: Store, server: Told, wall: list[int]
) -> None:
    playing = film()
    await showing.settle(playing)
    server.cut = True
    wall[0] += 60_000
    playing.go_to(300)
    showing.stands(playing)
    then = store.stamp()
    with pytest.raises(Offline):
        await showing.settle(None)
    wall[0] += 3_600_000
    server.cut = False

    await showing.settle(None)

    _, ended = server.inputs[-1]
    assert ended["positionSeconds"] in {300, 301}
    assert Version.parse(ended["version"]).clock < then.clock


async def test_who_was_killed_goes_on_with_the_same_session(
    showing: Showing, store: Store, server: Told, tmp_path: Path, wall: list[int]
) -> None:
    playing = film()
    await showing.settle(playing)
    store.remember("playing", playing.kept())

    again = Store(tmp_path / "device.sqlite", lambda: wall[0])
    restored = Playing.again(again.remembered("playing") or {})
    await Showing(again, server).settle(restored)

    assert server.names == ["startPlayback", "reportProgress"]
    assert server.inputs[-1][1]["sessionId"] == "s1"
    assert restored.position_seconds in {60, 61}
    again.close()


async def test_another_start_is_another_session(showing: Showing, server: Told) -> None:
    await showing.settle(film())
    await showing.settle(film())

    assert server.names == ["startPlayback", "startPlayback"]
    assert showing.session_id == "s2"


async def test_a_session_that_the_server_has_lost_begins_anew(showing: Showing, server: Told) -> None:
    playing = film()
    await showing.settle(playing)
    server.ready["reportProgress"] = [refused("NOT_FOUND")]

    assert await showing.settle(playing) is None

    assert server.names == ["startPlayback", "reportProgress", "startPlayback"]
    assert showing.session_id == "s2"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (refused("CONFLICT", "It has ended."), "It has ended."),
        ({"session": {"endReason": "NOT_ALLOWED"}, "userErrors": []}, "NOT_ALLOWED"),
    ],
)
async def test_what_has_ended_says_why(
    showing: Showing, server: Told, answer: dict[str, Any], reason: str
) -> None:
    playing = film()
    await showing.settle(playing)
    server.ready["reportProgress"] = [answer]

    assert await showing.settle(playing) == reason
    assert showing.session_id is None


async def test_what_may_not_begin_says_why(showing: Showing, server: Told) -> None:
    server.ready["startPlayback"] = [refused("UNAVAILABLE", "Not at this hour.")]

    assert await showing.settle(film()) == "Not at this hour."
    assert showing.session_id is None


async def test_where_the_clock_runs_ahead_the_servers_counts(showing: Showing, server: Told) -> None:
    playing = film()
    await showing.settle(playing)
    server.ready = {"reportProgress": [refused("CLOCK_AHEAD")], "endPlayback": [refused("CLOCK_AHEAD")]}

    assert await showing.settle(playing) is None
    await showing.settle(None)

    dated = ["version" in given for _, given in server.inputs[1:]]
    assert dated == [True, False, True, False]


async def test_what_is_shown_and_is_not_so_is_ended(showing: Showing, server: Told) -> None:
    playing = film()
    await showing.settle(playing)
    server.shown = "s1"
    await showing.look()
    assert server.names == ["startPlayback"]
    server.shown = "stale"

    await showing.look()

    assert server.inputs[-1] == ("endPlayback", {"sessionId": "stale"})
    assert showing.session_id == "s1"


@pytest.mark.parametrize(
    ("session", "heard"),
    [
        ({"id": "s1", "endReason": "HANDED_OVER"}, "HANDED_OVER"),
        ({"id": "s1", "endReason": None}, None),
        ({"id": "s1", "endReason": "SILENT"}, None),
        ({"id": "s9", "endReason": "STOPPED"}, None),
    ],
)
async def test_an_end_from_elsewhere_is_heard(
    showing: Showing, session: dict[str, Any], heard: str | None
) -> None:
    playing = film()
    await showing.settle(playing)

    told = showing.hear({"__typename": "PlaybackChanged", "cursor": "c", "session": session})

    assert told == (None if heard is None else (playing.key, heard))
    assert (showing.session_id is None) is (heard is not None)
