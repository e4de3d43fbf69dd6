"""From what happens to a device until another one of its viewer is told: in one server, and between two."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection

from bench.account import make_account
from bench.changes import JOINED, NO_REDIS, connected, joined, next_event, subscribe, subscribed
from bench.client import Client
from bench.measures import Result, Timing
from bench.processes import Running
from bench.stage import Stage

DEVICES = "{ viewer { devices { id kind } } }"
PRESENT = "subscription Present($device: ID!) { changes(deviceId: $device) { __typename } }"
WATCH = "subscription Watch { devices { device { kind online networkQuality } } }"
HEARTBEAT = """mutation Heartbeat($input: HeartbeatInput!) {
  heartbeat(input: $input) { userErrors { message } } }"""
ROUNDS = 150
SETTLING = 10


@dataclass(frozen=True)
class Scene:
    """A television that comes and goes, and who watches that."""

    port: int
    """Where the television opens its streams."""
    token: str
    device: str
    television: Client
    events: ClientConnection


async def measure(stage: Stage, report: Callable[[Result], None]) -> None:
    stage.say("presence, one process …")
    async with stage.gateway() as server:
        for result in await _delays(stage, server, server, "one process"):
            report(result)
    async with joined(stage) as pair:
        if pair is None:
            report(Result("presence → another device, two processes", note=NO_REDIS))
            return
        stage.say("presence, two processes …")
        for result in await _delays(stage, *pair, "two processes", JOINED):
            report(result)


async def _delays(
    stage: Stage, holding: Running, telling: Running, where: str, note: str = ""
) -> list[Result]:
    """A television comes with a stream, tells how it fares, and goes with a clean close."""
    token = await make_account(holding.port, stage.options.works)
    async with (
        Client.open(holding.port, token) as television,
        subscribed(telling.port, token, WATCH) as events,
    ):
        scene = Scene(holding.port, token, await _television(television), television, events)
        # It was registered just now, so it is there.
        await _beat(scene, leaving=True)
        await _told(scene, online=False)
        rounds = [await _round(scene) for _ in range(SETTLING + ROUNDS)][SETTLING:]
    return [
        Result(f"a device {name} → another one, {where}", Timing.of(times, sum(times)), note=note)
        for name, times in zip(("comes", "fares otherwise", "leaves"), zip(*rounds, strict=True), strict=True)
    ]


async def _round(scene: Scene) -> tuple[float, float, float]:
    """The seconds until the other device is told, of each of the three."""
    async with connected(scene.port, scene.token) as socket:
        began = time.perf_counter()
        await subscribe(socket, PRESENT, device=scene.device)
        came = await _told(scene) - began
        began = time.perf_counter()
        beat = asyncio.create_task(_beat(scene, networkQuality="GOOD"))
        told = await _told(scene, network="GOOD") - began
        await beat
        leaving = asyncio.create_task(_told(scene, online=False))
        began = time.perf_counter()
    return came, told, await leaving - began


async def _television(client: Client) -> str:
    known = (await client.ask(DEVICES))["viewer"]["devices"]
    device: str = next(one["id"] for one in known if one["kind"] == "TV")
    return device


async def _beat(scene: Scene, **told: Any) -> None:
    payload = (await scene.television.ask(HEARTBEAT, input={"deviceId": scene.device, **told}))["heartbeat"]
    if payload["userErrors"]:
        raise ValueError(f"The server refuses: {payload['userErrors']}")


async def _told(scene: Scene, *, online: bool = True, network: str | None = None) -> float:
    """When the next event of a device came, which must say this of the television."""
    device = (await next_event(scene.events))["devices"]["device"]
    came = time.perf_counter()
    expected = {"kind": "TV", "online": online, "networkQuality": network}
    if device != expected:
        raise ValueError(f"{expected} was to be told, {device} was.")
    return came
