"""What a device in a terminal plays is what others see of it: through cuts, kills of it and of the server."""

import asyncio
import re
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.server import Client, Server, register, running, start
from tests.e2e.terminal import PATIENCE_SECONDS, Terminal, terminal

RIGHT, ENTER = "\x1b[C", "\r"
PLAYS, PAUSES, NOTHING = "▶", "▮▮", "Nothing plays."
CLOCK = re.compile(r"(?:(\d+):)?(\d+):(\d\d) / ")
TOLERANCE_SECONDS = 3
"""Between what is read here and what is read there."""
DEVICES = """{ viewer { devices { id name online nowPlaying {
  id state positionSeconds updatedAt endReason content { title } } } } }"""
SESSION = "query ($id: ID!) { node(id: $id) { ... on PlaybackSession { state endReason positionSeconds } } }"
SEND = """mutation ($device: ID!, $command: DeviceCommandInput!) { sendCommand(input: {
  deviceId: $device, command: $command}) { command { id } userErrors { message } } }"""
STATES = "subscription { commands { command { action state failure } } }"
END = "mutation ($id: ID!) { endPlayback(input: {sessionId: $id}) { userErrors { message } } }"


@dataclass
class Remote:
    """Somebody who watches and controls the device from elsewhere."""

    client: Client

    async def device(self) -> dict[str, Any]:
        devices = (await self.client.ask(DEVICES))["viewer"]["devices"]
        (found,) = [each for each in devices if each["name"] == "TV"]
        return dict(found)

    async def sees(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The device once it is so; fails with what is seen instead."""
        seen = await self.device()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not holds(seen):
                    await asyncio.sleep(0.05)
                    seen = await self.device()
        except TimeoutError:
            raise AssertionError(f"What is seen: {seen}") from None
        return seen

    async def sees_state(self, state: str | None) -> dict[str, Any]:
        def holds(seen: dict[str, Any]) -> bool:
            return (seen["nowPlaying"] or {}).get("state") == state

        return (await self.sees(holds))["nowPlaying"] or {}

    async def send(self, **command: Any) -> None:
        device = await self.sees(lambda seen: bool(seen["online"]))
        sent = await self.client.ask(SEND, device=device["id"], command=command)
        assert sent["sendCommand"]["userErrors"] == []

    async def session(self, key: str) -> dict[str, Any]:
        return dict((await self.client.ask(SESSION, id=key))["node"])


def position(tv: Terminal) -> int:
    """Where the device says that it stands."""
    found = CLOCK.search(tv.text)
    assert found is not None, tv.text
    hours, minutes, seconds = found.groups()
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)


async def agree(remote: Remote, tv: Terminal, state: str, least: int = 0) -> dict[str, Any]:
    """The session, seen to stand where the device stands, at this second at least."""
    await tv.shows(PLAYS if state == "PLAYING" else PAUSES)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            session, here = await remote.sees_state(state), position(tv)
            there = session["positionSeconds"]
            if min(here, there) >= least and abs(here - there) <= TOLERANCE_SECONDS:
                break
            await asyncio.sleep(0.05)
    assert session["content"]["title"] in tv.text
    return session


Start = Callable[[], AbstractAsyncContextManager[Terminal]]


def television(server: Server, client: Client, folder: Path) -> Start:
    """Switches it on; the same folder is the same device."""

    @asynccontextmanager
    async def switched_on() -> AsyncIterator[Terminal]:
        async with terminal(
            *("device", "--name", "TV", "--url", server.url, "--data", str(folder)),
            MEDIA_GATEWAY_TOKEN=client.token or "",
        ) as tv:
            await tv.shows("on line")
            await tv.shows("The Dark Knight")
            yield tv

    return switched_on


async def kill(tv: Terminal) -> None:
    tv.process.send_signal(signal.SIGKILL)
    assert await tv.process.wait() == -signal.SIGKILL


async def test_what_is_played_is_seen_and_commands_tell_how_far_they_are(
    server: Server, tmp_path: Path
) -> None:
    client = await register(server, "seen@example.com")
    remote, switched_on = Remote(client), television(server, client, tmp_path)
    async with switched_on() as tv, client.follow(STATES) as states:
        await tv.shows(NOTHING)
        tv.press(ENTER)
        playing = await agree(remote, tv, "PLAYING")

        await remote.send(seek={"positionSeconds": 1200})
        await remote.send(pause={})
        paused = await agree(remote, tv, "PAUSED", 1200)
        told = [(await states.next())["commands"]["command"] for _ in range(8)]

        await remote.send(stop={})
        await tv.shows(NOTHING)
        await remote.sees_state(None)

    assert paused["id"] == playing["id"]
    assert paused["positionSeconds"] in range(1200, 1200 + TOLERANCE_SECONDS)
    for action in ("seek", "pause"):
        assert [each["state"] for each in told if each["action"] == action] == [
            "QUEUED",
            "DELIVERED",
            "ACKNOWLEDGED",
            "EXECUTED",
        ]
    ended = await remote.session(playing["id"])
    assert (ended["state"], ended["endReason"]) == ("STOPPED", "STOPPED")


async def test_a_killed_device_takes_its_session_up_again(server: Server, tmp_path: Path) -> None:
    client = await register(server, "killed-device@example.com")
    remote, switched_on = Remote(client), television(server, client, tmp_path)
    async with switched_on() as tv:
        tv.press(ENTER, *[RIGHT] * 4)
        first = await agree(remote, tv, "PLAYING", 120)

        await kill(tv)
        gone = await remote.sees(lambda seen: not seen["online"])

    assert gone["nowPlaying"]["id"] == first["id"]
    async with switched_on() as tv:
        assert (await agree(remote, tv, "PLAYING", 120))["id"] == first["id"]
        await remote.send(pause={})
        await agree(remote, tv, "PAUSED")
        await kill(tv)
    async with switched_on() as tv:
        assert (await agree(remote, tv, "PAUSED"))["id"] == first["id"]
        await remote.send(seek={"positionSeconds": 600})
        moved = await agree(remote, tv, "PAUSED", 600)
        assert (moved["id"], moved["positionSeconds"], position(tv)) == (first["id"], 600, 600)


async def test_what_was_stopped_while_the_line_was_cut_is_seen_stopped_after_a_kill(
    server: Server, tmp_path: Path
) -> None:
    client = await register(server, "cut-and-killed@example.com")
    remote, switched_on = Remote(client), television(server, client, tmp_path)
    async with switched_on() as tv:
        tv.press(ENTER, *[RIGHT] * 4)
        playing = await agree(remote, tv, "PLAYING", 120)
        tv.press("c")
        await tv.shows("cut off")
        tv.press(RIGHT, "s")
        await tv.shows(NOTHING)
        assert (await remote.device())["nowPlaying"]["id"] == playing["id"]
        await kill(tv)

    async with switched_on() as tv:
        await remote.sees_state(None)
        await tv.shows(NOTHING)

    ended = await remote.session(playing["id"])
    assert (ended["state"], ended["endReason"]) == ("STOPPED", "STOPPED")
    assert ended["positionSeconds"] in range(150, 150 + int(PATIENCE_SECONDS))


async def test_what_was_begun_while_the_line_was_cut_is_seen_once_it_is_back(
    server: Server, tmp_path: Path
) -> None:
    client = await register(server, "cut@example.com")
    remote, switched_on = Remote(client), television(server, client, tmp_path)
    async with switched_on() as tv:
        tv.press("c")
        await tv.shows("cut off")
        tv.press(ENTER, *[RIGHT] * 4)
        await tv.shows(PLAYS)
        assert (await remote.device())["nowPlaying"] is None

        tv.press("c")

        await agree(remote, tv, "PLAYING", 120)


@pytest.mark.parametrize("cut", [False, True])
async def test_what_was_ended_from_elsewhere_does_not_play_on(
    server: Server, tmp_path: Path, *, cut: bool
) -> None:
    client = await register(server, f"ended-{cut}@example.com")
    remote, switched_on = Remote(client), television(server, client, tmp_path)
    async with switched_on() as tv:
        tv.press(ENTER)
        playing = await agree(remote, tv, "PLAYING")
        if cut:
            tv.press("c")
            await tv.shows("cut off")
        assert (await client.ask(END, id=playing["id"]))["endPlayback"]["userErrors"] == []
        if cut:
            await asyncio.sleep(0.5)
            assert PLAYS in tv.text
            tv.press("c")

        await tv.shows(NOTHING)

        assert (await remote.device())["nowPlaying"] is None
        await tv.shows("is over")


@pytest.mark.timeout(180)
async def test_a_killed_server_finds_what_plays_as_it_is_by_then(scratch: Path, tmp_path: Path) -> None:
    folder = scratch / "showing"
    async with running(folder, background_work="false") as server:
        client = await register(server, "killed-server@example.com")
        remote, switched_on = Remote(client), television(server, client, tmp_path)
        async with switched_on() as tv:
            tv.press(ENTER)
            playing = await agree(remote, tv, "PLAYING")
            server.kill()
            await server.process.wait()
            tv.press(*[RIGHT] * 4, " ")
            await tv.shows(PAUSES)

            again = await start(folder, background_work="false", port=str(server.port))
            try:
                paused = await agree(remote, tv, "PAUSED", 120)
                await remote.send(play={})
                await agree(remote, tv, "PLAYING")
            finally:
                await again.stop()

    assert paused["id"] == playing["id"]
