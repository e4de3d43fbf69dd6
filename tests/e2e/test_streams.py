"""Streams that break: a browser's EventSource goes on where it was, and nothing is told twice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from tests.conftest import fresh_database
from tests.e2e import operations
from tests.e2e.server import Client, Server, register, running

MOVIE = "the-matrix-1999"


@pytest.fixture(scope="module")
async def server(scratch: Path, postgres_url: str) -> AsyncIterator[Server]:
    url = await fresh_database(postgres_url, "media_gateway_streams")
    async with running(scratch / "streams", database_url=url, background_work="false") as server:
        yield server


class EventSource:
    """Reads server-sent events, as https://html.spec.whatwg.org/multipage/server-sent-events.html has it."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines
        self.last_event_id = ""

    async def next(self) -> Any:
        """The data of the next event."""
        data = ""
        async with asyncio.timeout(10):
            async for line in self._lines:
                name, _, value = line.partition(":")
                value = value.removeprefix(" ")
                if name == "id":
                    self.last_event_id = value
                elif name == "data":
                    data += value
                elif not line and data:
                    return orjson.loads(data)["data"]
        raise AssertionError("The stream has ended.")

    async def told(self) -> str:
        """Where it is, once the server has said so."""
        async with asyncio.timeout(10):
            async for line in self._lines:
                if line.startswith("id:"):
                    self.last_event_id = line.removeprefix("id: ")
                    return self.last_event_id
        raise AssertionError("The stream has ended.")


@asynccontextmanager
async def source(
    client: Client, last_event_id: str | None = None, **variables: Any
) -> AsyncIterator[EventSource]:
    headers = {"accept": "text/event-stream", "authorization": f"Bearer {client.token}"}
    if last_event_id is not None:
        headers["last-event-id"] = last_event_id
    body = {"query": operations.FOLLOW_PROGRESS, "variables": variables}
    async with (
        httpx.AsyncClient(timeout=20) as http,
        http.stream("POST", f"{client.server.url}/graphql", json=body, headers=headers) as answer,
    ):
        assert answer.status_code == httpx.codes.OK, await answer.aread()
        yield EventSource(answer.aiter_lines())


def position(event: Any) -> int:
    return int(event["progress"]["progress"]["positionSeconds"])


async def test_a_stream_goes_on_where_it_broke(server: Server) -> None:
    ada = await register(server, "streams@example.com")
    movie = (await ada.ask(operations.FIND, slug=MOVIE))["content"]

    async def watch(*seconds: int) -> None:
        for second in seconds:
            await ada.ask(operations.PROGRESS, content=movie["id"], position=second)

    async with source(ada) as first:
        await first.told()  # it listens
        await watch(100, 101)
        assert [position(await first.next()) for _ in range(2)] == [100, 101]
        broke_at = first.last_event_id
    await watch(102, 103)

    # As the browser does it: the same request, and where it was.
    async with source(ada, broke_at) as again:
        assert [position(await again.next()) for _ in range(2)] == [102, 103]
        await watch(104)
        assert position(await again.next()) == 104


async def test_a_stream_that_broke_before_its_first_event_misses_none(server: Server) -> None:
    ada = await register(server, "silent@example.com")
    movie = (await ada.ask(operations.FIND, slug=MOVIE))["content"]

    async with source(ada) as silent:
        broke_at = await silent.told()
    await ada.ask(operations.PROGRESS, content=movie["id"], position=7)

    async with source(ada, broke_at) as again:
        assert position(await again.next()) == 7


async def test_where_it_broke_counts_more_than_where_it_began(server: Server) -> None:
    ada = await register(server, "further@example.com")
    movie = (await ada.ask(operations.FIND, slug=MOVIE))["content"]
    began = (await ada.ask(operations.CONTINUE))["viewer"]["syncCursor"]
    for second in (1, 2):
        await ada.ask(operations.PROGRESS, content=movie["id"], position=second)

    async with source(ada, after=began) as first:
        assert position(await first.next()) == 1
        broke_at = first.last_event_id

    async with source(ada, broke_at, after=began) as again:
        assert position(await again.next()) == 2


async def test_a_place_that_was_never_told_is_refused(server: Server) -> None:
    ada = await register(server, "stray@example.com")
    headers = {
        "accept": "text/event-stream", "authorization": f"Bearer {ada.token}", "last-event-id": "nowhere",
    }  # fmt: skip

    async with httpx.AsyncClient() as http:
        answer = await http.post(
            f"{server.url}/graphql", json={"query": operations.FOLLOW_PROGRESS}, headers=headers
        )

    assert "BAD_USER_INPUT" in answer.text
