"""“Continue on TV”: from the tap on the phone until the television knows what to go on with, and plays."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection

from bench.account import content_id, films_among, make_account
from bench.changes import subscribed
from bench.client import Client
from bench.measures import Result, Timing
from bench.stage import Stage

DEVICES = "{ viewer { devices { id kind } } }"
START = """mutation Start($content: ID!, $device: ID!, $from: Int) {
  startPlayback(input: {contentId: $content, deviceId: $device, positionSeconds: $from}) {
    session { id } userErrors { message } } }"""
GO_ON = """mutation GoOn($session: ID!, $device: ID!) {
  continueOn(input: {sessionId: $session, deviceId: $device}) { command { id } userErrors { message } } }"""
OBEY = """subscription Obey($device: ID!) {
  deviceCommands(deviceId: $device) { command { action arguments } } }"""
HANDOFFS = 100
SETTLING = 10
PATIENCE_SECONDS = 10.0


async def measure(stage: Stage, report: Callable[[Result], None]) -> None:
    """One at a time, on one server; the television listens on a WebSocket of its own."""
    stage.say("handoffs …")
    async with stage.gateway() as server:
        token = await make_account(server.port, stage.options.works)
        async with Client.open(server.port, token) as phone, Client.open(server.port, token) as remote:
            devices = {one["kind"]: one["id"] for one in (await phone.ask(DEVICES))["viewer"]["devices"]}
            content = await content_id(phone, films_among(stage.options.works)[0])
            async with subscribed(server.port, token, OBEY, device=devices["TV"]) as socket:
                loaded, playing = [], []
                for number in range(SETTLING + HANDOFFS):
                    start = await _changed(
                        phone, START, content=content, device=devices["PHONE"], **{"from": number}
                    )
                    began = time.perf_counter()
                    asked = asyncio.create_task(
                        _changed(phone, GO_ON, session=start["session"]["id"], device=devices["TV"])
                    )
                    seconds = await _told(socket, number)
                    loaded.append(time.perf_counter() - began)
                    await _changed(remote, START, content=content, device=devices["TV"], **{"from": seconds})
                    playing.append(time.perf_counter() - began)
                    await asked
    for name, times in (("the TV has the position", loaded), ("the TV plays", playing)):
        counted = times[SETTLING:]
        report(Result(f"handoff → {name}", Timing.of(counted, sum(counted))))


async def _told(socket: ClientConnection, position: int) -> int:
    """Where the television is to begin; it has to be where the phone stood."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (message := orjson.loads(await socket.recv()))["type"] != "next":
            if message["type"] == "ping":
                await socket.send('{"type":"pong"}')
            elif message["type"] == "error":
                raise ValueError(message)
    command = message["payload"]["data"]["deviceCommands"]["command"]
    seconds: int = command["arguments"]["startSeconds"]
    if command["action"] != "load" or not position <= seconds <= position + 1:
        raise ValueError(f"The phone stood at {position}, the TV was told {command}")
    return seconds


async def _changed(client: Client, document: str, **variables: Any) -> dict[str, Any]:
    payload: dict[str, Any] = next(iter((await client.ask(document, **variables)).values()))
    if payload["userErrors"]:
        raise ValueError(f"The server refuses: {payload['userErrors']}")
    return payload
