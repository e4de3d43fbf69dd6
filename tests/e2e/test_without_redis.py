"""Redis is killed under two processes, and comes back empty: nothing is refused, and nothing is lost."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import fresh_database
from tests.e2e import operations
from tests.e2e.followers import Follower, Transport, following, until
from tests.e2e.server import Client, Server, register, running_pair
from tests.redis_server import free_port, redis_on

MOVIE = "the-matrix-1999"
DEVICES = "{ viewer { devices { name online } } }"
SEND = """mutation ($device: ID!) { sendCommand(input: {deviceId: $device, command: {pause: {}}}) {
  command { state } userErrors { message } } }"""
COMMANDS = """subscription ($device: ID!, $after: String) { deviceCommands(deviceId: $device, after: $after) {
  cursor command { action } } }"""
RUNS_SECONDS = 20.0


class Part:
    """A Redis that can be killed and started again on its port."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._running = ExitStack()

    def start(self) -> None:
        self._running.enter_context(redis_on(self.port, self._folder))

    def kill(self) -> None:
        self._running.close()


@pytest.fixture
async def redis(scratch: Path) -> AsyncIterator[Part]:
    part = Part(scratch)
    part.start()
    yield part
    part.kill()


@pytest.fixture
async def servers(scratch: Path, postgres_url: str, redis: Part) -> AsyncIterator[tuple[Server, Server]]:
    settings = {
        "database_url": await fresh_database(postgres_url, "media_gateway_without_redis"),
        "redis_url": f"redis://127.0.0.1:{redis.port}/0",
        "background_work": "false",
    }
    async with running_pair(scratch / "without-redis", **settings) as pair:
        yield pair


async def readiness(server: Server) -> tuple[int, str, dict[str, str]]:
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"{server.url}/readyz")
    told = answer.json()
    return answer.status_code, told["status"], {each["name"]: each["status"] for each in told["components"]}


async def until_ready_as(server: Server, status: str) -> tuple[int, str, dict[str, str]]:
    async with asyncio.timeout(RUNS_SECONDS):
        while (found := await readiness(server))[1] != status:  # noqa: ASYNC110 - another process is waited for
            await asyncio.sleep(0.1)
    return found


@pytest.mark.timeout(120)
async def test_streams_commands_and_presence_go_on_while_redis_is_away(
    servers: tuple[Server, Server], redis: Part
) -> None:
    first, second = servers
    phone = await register(first, "redis@example.com")
    there = Client(second, phone.token)
    movie = (await phone.ask(operations.FIND, slug=MOVIE))["content"]["id"]
    tv = (await there.ask(operations.REGISTER_DEVICE, name="TV", kind="TV"))["registerDevice"]["device"]["id"]
    cursor = (await phone.ask(operations.CONTINUE))["viewer"]["syncCursor"]
    progress = [
        Follower(phone.token or "", operations.FOLLOW_PROGRESS, transport, cursor) for transport in Transport
    ]
    obeying = Follower(phone.token or "", COMMANDS, Transport.WEBSOCKET, cursor, {"device": tv})
    written = 0

    async def write(count: int) -> float:
        """How long it took until all streams, at the other process, had them."""
        nonlocal written
        for _ in range(count):
            written += 1
            await phone.ask(operations.PROGRESS, content=movie, position=written)
        began = time.monotonic()
        await until(lambda: all(len(each.events) >= written for each in progress))
        return time.monotonic() - began

    async def send() -> Any:
        return (await phone.ask(SEND, device=tv))["sendCommand"]["userErrors"]

    async with following(second, *progress, obeying):
        await write(5)
        assert await send() == []

        redis.kill()
        away = await until_ready_as(first, "degraded")
        late = await write(5)
        refusals = await send()
        shown = [(await each.ask(DEVICES))["viewer"]["devices"] for each in (phone, there)]
        await until(lambda: len(obeying.events) == 2)

        redis.start()
        back = await until_ready_as(first, "healthy")
        await write(5)
        shown += [(await each.ask(DEVICES))["viewer"]["devices"] for each in (phone, there)]
        assert await send() == []
        await until(lambda: len(obeying.events) == 3)

    assert (away[0], away[2]["redis"], back[2]["redis"]) == (200, "unhealthy", "healthy")
    assert late < 3.0  # by the look into the log, once a second
    assert refusals == []
    assert shown == [[{"name": "TV", "online": True}]] * 4
    for each in progress:
        assert [event["progress"]["positionSeconds"] for event in each.events] == list(range(1, written + 1))
