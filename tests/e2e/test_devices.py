"""Devices of the client package against a real server: cut off, killed, and in step again."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.cli.device import act
from gateway.cli.faring import Battery, told
from gateway.cli.line import Line
from gateway.cli.simulated import SWITCHED_OFF, SimulatedDevice
from media_gateway_client import Gateway, Store
from tests.e2e.server import Client, Server, register

PATIENCE_SECONDS = 15.0
SEND = """mutation ($device: ID!, $seconds: Int!) { sendCommand(input: {deviceId: $device,
  command: {seek: {positionSeconds: $seconds}}}) { command { id } userErrors { message } } }"""
STATE = "query ($id: ID!) { node(id: $id) { ... on DeviceCommand { state } } }"


@asynccontextmanager
async def living(server: Server, client: Client, folder: Path, name: str) -> AsyncIterator[SimulatedDevice]:
    """A device that runs until the block ends; the same name in the same folder is the same device."""
    async with httpx.AsyncClient(base_url=server.url) as http:
        gateway = Gateway(http, client.token or "")
        store = Store(folder / f"{name}.sqlite", lambda: time.time_ns() // 1_000_000)
        if store.device_id is None:
            store.name(await gateway.register(name, "TV", capabilities={"canCast": True}))
        battery = Battery() if name == "Phone" else None
        device = SimulatedDevice(store, Line(gateway), lambda _text: None, battery)
        running = asyncio.create_task(device.run())
        try:
            # Whatever it is told from then on reaches it.
            await until(lambda: device.listens)
            yield device
        finally:
            ran = not running.done()
            running.cancel()
            ended = await asyncio.gather(running, return_exceptions=True)
            store.close()
            assert ran, ended


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110 - two processes are waited for
            await asyncio.sleep(0.02)


async def test_what_was_done_offline_arrives_after_the_device_was_killed(
    server: Server, tmp_path: Path
) -> None:
    client = await register(server, "offline@example.com")
    listed: list[str] = []
    async with living(server, client, tmp_path, "TV") as tv:
        await act(tv, listed, ["list"])
        film = listed[0]
        tv.line.cut = True
        await act(tv, listed, ["play", "1"])
        await act(tv, listed, ["seek", "600"])
        await act(tv, listed, ["add", "2"])
        assert len(tv.store) == 2

    async with (
        living(server, client, tmp_path, "TV") as tv,
        living(server, client, tmp_path, "Phone") as phone,
    ):
        await until(lambda: len(tv.store) == 0 and len(phone.store.watchlist()) == 1)
        await until(lambda: bool(phone.store.progress(film)))
        await until(lambda: phone.store.watchlist() == tv.store.watchlist())

        assert phone.store.progress(film)[0].position_seconds in {600, 601}
        await phone.start(film)
        assert phone.playing is not None
        assert phone.playing.position_seconds >= 600


async def test_a_device_obeys_and_its_sender_sees_it(server: Server, tmp_path: Path) -> None:
    client = await register(server, "obeying@example.com")
    async with living(server, client, tmp_path, "TV") as tv:
        listed: list[str] = []
        await act(tv, listed, ["list"])
        await tv.start(listed[0])

        sent = await client.ask(SEND, device=tv.store.device_id, seconds=1200)
        command = sent["sendCommand"]["command"]["id"]
        await until(lambda: tv.playing is not None and tv.playing.position_seconds >= 1200)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (state := (await client.ask(STATE, id=command))["node"]["state"]) != "EXECUTED":
                assert state in {"QUEUED", "DELIVERED", "ACKNOWLEDGED"}
                await asyncio.sleep(0.02)
        assert tv.playing is not None
        assert 1200 <= tv.playing.position_seconds < 1200 + PATIENCE_SECONDS


SAY = """mutation ($device: ID!, $command: DeviceCommandInput!) { sendCommand(input: {
  deviceId: $device, command: $command}) { command { id } userErrors { message } } }"""
FIND = """query ($kinds: [ContentKind!]!) { contents(first: 5, filter: {kinds: $kinds}) { nodes {
  ... on Series { seasons { episodes(first: 100) { nodes { id } } } }
  } } }"""
PLAYS = "{ viewer { devices { name nowPlaying { content { id } positionSeconds } } } }"
OUTCOME = "query ($id: ID!) { node(id: $id) { ... on DeviceCommand { state failure } } }"


async def said(client: Client, device: SimulatedDevice, **command: Any) -> tuple[str, str | None]:
    """How a command ended, and why it failed."""
    sent = (await client.ask(SAY, device=device.store.device_id, command=command))["sendCommand"]
    if sent["userErrors"]:
        return "REFUSED", sent["userErrors"][0]["message"]
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            node = (await client.ask(OUTCOME, id=sent["command"]["id"]))["node"]
            if node["state"] in {"EXECUTED", "FAILED", "EXPIRED"}:
                return node["state"], node["failure"]
            await asyncio.sleep(0.02)


async def test_a_device_does_everything_that_it_can_be_told(server: Server, tmp_path: Path) -> None:
    client = await register(server, "told@example.com")
    series = (await client.ask(FIND, kinds=["SERIES"]))["contents"]["nodes"]
    episodes = next(
        found
        for each in series
        if len(found := [part["id"] for season in each["seasons"] for part in season["episodes"]["nodes"]])
        > 1
    )
    done = ("EXECUTED", None)
    async with (
        living(server, client, tmp_path, "TV") as tv,
        living(server, client, tmp_path, "Phone") as phone,
    ):
        assert await said(client, tv, pause={}) == ("FAILED", "Nothing plays here.")
        assert await said(client, tv, load={"contentId": episodes[0], "startSeconds": 30}) == done
        assert await said(client, tv, pause={}) == done
        assert tv.playing is not None
        assert tv.playing.since is None
        assert await said(client, tv, play={}) == done
        assert await said(client, tv, mute={}) == done
        assert tv.muted
        assert await said(client, tv, setVolume={"level": 0.2}) == done
        assert (tv.volume, tv.muted) == (0.2, False)
        assert await said(client, tv, setSubtitles={"language": "de"}) == done
        assert await said(client, tv, setAudio={"language": "fr"}) == done
        assert await said(client, tv, setQuality={"quality": "HD"}) == done
        assert await said(client, tv, next={}) == done
        assert (tv.subtitles, tv.audio, tv.quality) == ("de", "fr", "HD")
        assert tv.playing.content_id == episodes[1]
        assert await said(client, tv, previous={}) == done
        assert await said(client, tv, previous={}) == ("FAILED", "Nothing comes before this.")
        assert await said(client, tv, pause={}) == done
        assert await said(client, tv, skip={"seconds": -60}) == done
        assert tv.playing.position_seconds == 0
        assert await said(client, tv, skip={"seconds": 100}) == done
        assert await said(client, tv, skip={"seconds": -10}) == done
        assert tv.playing.position_seconds == 90
        assert await said(client, tv, play={}) == done
        assert await said(client, tv, castTo={"deviceId": phone.store.device_id}) == done
        assert tv.playing is None
        await until(lambda: phone.playing is not None)
        assert phone.playing is not None
        assert phone.playing.content_id == episodes[0]
        assert 90 <= phone.playing.position_seconds < 90 + PATIENCE_SECONDS
        assert re.fullmatch(r".+ 1x01 .+", phone.playing.title)
        await until(lambda: phone.showing.session_id is not None)
        shown = {
            device["name"]: device["nowPlaying"] for device in (await client.ask(PLAYS))["viewer"]["devices"]
        }
        assert shown["TV"] is None
        assert shown["Phone"]["content"] == {"id": episodes[0]}
        assert await said(client, tv, castTo={"deviceId": phone.store.device_id}) == (
            "REFUSED",
            "Nothing plays on the device.",
        )


async def test_what_came_as_the_line_was_cut_is_done_when_it_is_back(server: Server, tmp_path: Path) -> None:
    client = await register(server, "missed@example.com")
    async with living(server, client, tmp_path, "TV") as tv:
        tv.line.cut = True
        sent = await client.ask(SAY, device=tv.store.device_id, command={"setVolume": {"level": 0.3}})
        assert sent["sendCommand"]["userErrors"] == []
        await asyncio.sleep(0.2)
        assert tv.volume == 0.5

        tv.line.cut = False

        await until(lambda: tv.volume == 0.3)


async def test_a_device_that_dies_over_a_command_says_so_and_does_not_do_it_later(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await register(server, "dying@example.com")

    async def never(*_given: Any) -> None:
        await asyncio.sleep(3600)

    async with living(server, client, tmp_path, "TV") as tv:
        monkeypatch.setattr(tv, "obey", never)
        sent = await client.ask(SAY, device=tv.store.device_id, command={"setVolume": {"level": 0.3}})
        key = sent["sendCommand"]["command"]["id"]
        await until(lambda: "failure" in (tv.store.remembered("answer") or {}))
        begun = (await client.ask(OUTCOME, id=key))["node"]

    async with living(server, client, tmp_path, "TV") as tv:
        await until(lambda: tv.store.remembered("answer") is None)
        ended = (await client.ask(OUTCOME, id=key))["node"]
        volume = tv.volume

    assert begun == {"state": "ACKNOWLEDGED", "failure": None}
    assert ended == {"state": "FAILED", "failure": SWITCHED_OFF}
    assert volume == 0.5


async def test_devices_see_what_the_others_do_and_how_they_fare(server: Server, tmp_path: Path) -> None:
    client = await register(server, "faring@example.com")
    listed: list[str] = []
    async with (
        living(server, client, tmp_path, "TV") as tv,
        living(server, client, tmp_path, "Phone") as phone,
    ):

        async def shown(by: SimulatedDevice, words: str) -> None:
            await until(lambda: any(words in told(device) for device in by.faring.others.values()))

        await shown(tv, "Phone: browsing, 80%, good network")
        await shown(phone, "TV: browsing, good network")
        await act(phone, listed, ["charger"])
        await act(phone, listed, ["network", "poor"])
        await shown(tv, "Phone: browsing, 80% charging, poor network")
        await act(tv, listed, ["list"])
        await act(tv, listed, ["play", "1"])
        title = tv.name_of(listed[0])
        await shown(phone, f"TV: watching {title}")
        assert (await act(phone, listed, ["devices"]))[0].startswith(f"TV: watching {title}")
        await tv.set_incognito(incognito=True)
        await shown(phone, "TV: online")
        phone.line.cut = True
        await act(phone, listed, ["network", "excellent"])
        phone.line.cut = False
        await shown(tv, "excellent network")
        with pytest.raises(ValueError, match="poor, fair, good, excellent"):
            await act(phone, listed, ["network", "marvellous"])
