"""One subscription over WebSocket, events and multipart in turn, on two processes; and tokens that lapse."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.conftest import fresh_database
from tests.e2e import operations
from tests.e2e.followers import Follower, Transport, following, until
from tests.e2e.server import PASSWORD, Client, Server, register, running_pair

MOVIE = "the-matrix-1999"
TOKEN_SECONDS = 6.0
SIGN_IN = f"""mutation ($email: String!) {{ signIn(input: {{email: $email, password: "{PASSWORD}"}}) {{
  accessToken refreshToken userErrors {{ message }} }} }}"""
REFRESH = """mutation ($token: String!) { refreshSession(input: {refreshToken: $token}) {
  accessToken refreshToken userErrors { message } } }"""


@pytest.fixture(scope="module")
async def servers(scratch: Path, postgres_url: str, redis_url: str) -> AsyncIterator[tuple[Server, Server]]:
    settings = {
        "database_url": await fresh_database(postgres_url, "media_gateway_transports"),
        "redis_url": redis_url,
        "background_work": "false",
        "cost_mode": "off",
        "access_token_seconds": str(int(TOKEN_SECONDS)),
    }
    async with running_pair(scratch / "transports", **settings) as pair:
        yield pair


@dataclass
class Session:
    """One sign-in, and the token that it has just now."""

    server: Server
    token: str
    refresh_token: str

    @classmethod
    async def begin(cls, server: Server, email: str) -> "Session":
        tokens = (await Client(server).ask(SIGN_IN, email=email))["signIn"]
        return cls(server, tokens["accessToken"], tokens["refreshToken"])

    async def renew(self) -> str:
        tokens = (await Client(self.server).ask(REFRESH, token=self.refresh_token))["refreshSession"]
        assert tokens["userErrors"] == []
        self.token, self.refresh_token = tokens["accessToken"], tokens["refreshToken"]
        return self.token


@dataclass
class Writer:
    """Another session of the account, that writes rising positions at both processes by turns."""

    servers: tuple[Server, Server]
    session: Session
    movie: str
    written: int = 0
    enough: bool = False

    async def write(self, seconds: float = 0.1) -> None:
        renewed = time.monotonic()
        while not self.enough:
            if time.monotonic() - renewed > TOKEN_SECONDS / 3:
                await self.session.renew()
                renewed = time.monotonic()
            client = Client(self.servers[self.written % 2], self.session.token)
            await client.ask(operations.PROGRESS, content=self.movie, position=self.written + 1)
            self.written += 1
            await asyncio.sleep(seconds)


@dataclass
class House:
    email: str
    movie: str
    cursor: str
    writer: Writer


async def house(servers: tuple[Server, Server], email: str) -> House:
    await register(servers[0], email)
    session = await Session.begin(servers[0], email)
    client = Client(servers[0], session.token)
    movie = (await client.ask(operations.FIND, slug=MOVIE))["content"]["id"]
    cursor = (await client.ask(operations.CONTINUE))["viewer"]["syncCursor"]
    return House(email, movie, cursor, Writer(servers, session, movie))


def positions(events: list[Any]) -> list[int]:
    return [event["progress"]["positionSeconds"] for event in events]


@pytest.mark.timeout(120)
async def test_a_stream_goes_on_over_another_transport_at_another_process(
    servers: tuple[Server, Server],
) -> None:
    it = await house(servers, "transports@example.com")
    writing = asyncio.create_task(it.writer.write())
    seen: dict[Transport, list[Any]] = {first: [] for first in Transport}

    async def wander(first: Transport) -> None:
        """Twice over each, with the cursor of the last event, and away for a while in between."""
        transport, cursor = first, it.cursor
        for leg in range(2 * len(Transport)):
            follower = Follower(it.writer.session.token, operations.FOLLOW_PROGRESS, transport, cursor)
            async with following(servers[leg % 2], follower):
                await until(lambda follower=follower: len(follower.events) >= 5)  # type: ignore[misc]
            seen[first] += follower.events
            transport, cursor = transport.next, str(follower.cursor)
            await asyncio.sleep(0.25)

    await asyncio.gather(*(wander(first) for first in Transport))
    it.writer.enough = True
    await writing

    for events in seen.values():
        assert len(events) >= 5 * 2 * len(Transport)
        assert positions(events) == list(range(1, len(events) + 1))


def lapses_at(token: str) -> float:
    """In seconds since 1970, as the token says."""
    claims = token.split(".")[1]
    return float(orjson.loads(base64.urlsafe_b64decode(claims + "=="))["exp"])


@pytest.mark.timeout(120)
async def test_a_socket_outlives_its_tokens_and_other_streams_say_that_theirs_has_lapsed(
    servers: tuple[Server, Server],
) -> None:
    it = await house(servers, "lapsing@example.com")
    writing = asyncio.create_task(it.writer.write(0.25))
    staying, leaving = [await Session.begin(servers[0], it.email) for _ in range(2)]
    first_token, began = staying.token, time.monotonic()
    renewing = Follower(staying.token, operations.FOLLOW_PROGRESS, Transport.WEBSOCKET, it.cursor)
    renewing.renew = staying.renew
    lapsing = [
        Follower(leaving.token, operations.FOLLOW_PROGRESS, transport, it.cursor) for transport in Transport
    ]

    async with following(servers[0], renewing, *lapsing):
        await until(lambda: all(each.ended_at for each in lapsing))
        since = time.time() - time.monotonic()
        late = [since + each.ended_at - lapses_at(each.token) for each in lapsing]
        for each in lapsing:
            assert (each.ended, each.told) == ("UNAUTHENTICATED", each.cursor)
        await leaving.renew()
        again = [Follower(leaving.token, each.document, each.transport.next, each.told) for each in lapsing]
        async with following(servers[1], *again):
            await until(lambda: time.monotonic() - began > 2.5 * TOKEN_SECONDS)
            it.writer.enough = True
            await writing
            await until(lambda: len(renewing.events) == it.writer.written)

    assert lapses_at(first_token) + TOKEN_SECONDS < time.time()
    assert all(-2.0 < seconds < 10.0 for seconds in late), late
    assert renewing.asked >= 2
    assert positions(renewing.events) == list(range(1, it.writer.written + 1))
    for each, after in zip(lapsing, again, strict=True):
        told = positions([*each.events, *after.events])
        assert told == list(range(1, len(told) + 1))
        assert after.events
