"""Clients that open streams and read nothing: they are let go, and nobody else feels them."""

import asyncio
import base64
import contextlib
import re
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import orjson
import psutil  # type: ignore[import-untyped]
import pytest

from domain.sync.devices import LEASE_SECONDS
from gateway.cli.server import PING_SECONDS
from tests.conftest import fresh_database
from tests.e2e import operations
from tests.e2e.followers import Follower, Transport, following, until
from tests.e2e.server import PASSWORD, Client, Server, register, running

SEND_SECONDS = 4.0
"""In place of 30."""
SLACK_SECONDS = 20.0
DEVICES = "subscription { devices { device { online } } }"
SIGN_IN = f"""mutation {{ signIn(input: {{email: "owner@example.com", password: "{PASSWORD}"}}) {{
  accessToken }} }}"""
MOST_GROWTH_BYTES = 48 << 20
WRITES = 40
EVENTS = 20_000
"""Told to three streams that are not read, at five kilobytes each, they would be 300 megabytes."""
FILLING = 2_000
NOTE = {"content": 1, "note": "x" * 150, "dropped": False, "hidden": False, "version": None}
HEAVY = f"""subscription {{ changes {{
  ... on ProgressChanged {{ progress {{ positionSeconds }} }}
  ... on TitleMarksChanged {{ marks {{ {" ".join(f"n{number}: note" for number in range(29))} }} }} }} }}"""
"""So heavy that what the system holds for a client is soon full."""
LIGHT = "subscription ($after: String) { changes(after: $after) { ... on TitleMarksChanged { cursor } } }"
FLOOD = """WITH counted AS (
    INSERT INTO change_sequence (account_id, seq) VALUES ($1, $2)
        ON CONFLICT (account_id) DO UPDATE SET seq = change_sequence.seq + $2 RETURNING seq - $2 AS behind)
INSERT INTO change (account_id, seq, kind, payload)
SELECT $1, behind + number, 'marks', $3 FROM counted, generate_series(1, $2) AS number"""


@pytest.fixture(scope="module")
async def database_url(postgres_url: str) -> str:
    return await fresh_database(postgres_url, "media_gateway_never_reading")


@pytest.fixture(scope="module")
async def server(scratch: Path, database_url: str) -> AsyncIterator[Server]:
    settings = {
        "database_url": database_url,
        "background_work": "false",
        "cost_mode": "off",
        "send_seconds": str(SEND_SECONDS),
    }
    async with running(scratch / "never-reading", **settings) as server:
        yield server


async def asking(server: Server, client: Client, transport: Transport) -> socket.socket:
    """A client that asks for a stream, and reads nothing of it by itself."""
    asked = socket.socket()
    asked.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    asked.connect(("127.0.0.1", server.port))
    asked.setblocking(False)  # noqa: FBT003 - a socket has it so
    if transport is Transport.WEBSOCKET:
        asked.send(_head("GET", Connection="Upgrade", Upgrade="websocket", **_HANDSHAKE))
        await until(lambda: b"101 Switching" in _peeked(asked), 10)
        asked.send(_frame(type="connection_init", payload={"Authorization": f"Bearer {client.token}"}))
        await until(lambda: b"connection_ack" in _peeked(asked), 10)
        asked.send(_frame(type="subscribe", id="1", payload={"query": HEAVY}))
    else:
        body = orjson.dumps({"query": HEAVY})
        told = {"Accept": transport.value, "Authorization": f"Bearer {client.token}"}
        more = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        asked.send(_head("POST", **told, **more) + body)
    return asked


_HANDSHAKE = {
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": base64.b64encode(b"0123456789abcdef").decode(),
    "Sec-WebSocket-Protocol": Transport.WEBSOCKET.value,
}


def _head(method: str, **headers: str) -> bytes:
    lines = [f"{method} /graphql HTTP/1.1", "Host: localhost", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def _frame(**message: object) -> bytes:
    """One of text, masked by nothing (RFC 6455, section 5.2)."""
    data = orjson.dumps(message)
    return b"\x81\xfe" + len(data).to_bytes(2, "big") + bytes(4) + data


def _peeked(by: socket.socket) -> bytes:
    """What waits to be read, which stays there."""
    try:
        return by.recv(4_096, socket.MSG_PEEK)
    except BlockingIOError:
        return b""


def held(server: Server, *clients: socket.socket) -> set[int]:
    """The ports of those whose connection the server's process still has, in whichever state."""
    found = psutil.Process(server.process.pid).net_connections("tcp")
    return {each.raddr.port for each in found if each.raddr} & {each.getsockname()[1] for each in clients}


async def flood(database_url: str, client: Client, events: int) -> None:
    """Entries of the change log that nobody needs to write one by one."""
    assert client.token is not None
    claims = client.token.split(".")[1]
    account = orjson.loads(base64.urlsafe_b64decode(claims + "=="))["sub"]
    database = await asyncpg.connect(database_url)
    try:
        await database.execute(FLOOD, account, events, orjson.dumps(NOTE).decode())
    finally:
        await database.close()


async def test_who_never_reads_is_gone_after_a_while_and_costs_no_memory_meanwhile(
    server: Server, database_url: str
) -> None:
    mallory, ada = await register(server, "mallory@example.com"), await register(server, "ada@example.com")
    reading = Follower(mallory.token or "", LIGHT, Transport.EVENTS)
    other = Follower(ada.token or "", operations.FOLLOW_CHANGES, Transport.WEBSOCKET)
    movie = (await ada.ask(operations.FIND, slug="the-matrix-1999"))["content"]["id"]
    process = psutil.Process(server.process.pid)
    silent = [await asking(server, mallory, transport) for transport in Transport]
    with contextlib.ExitStack() as stack:
        for each in silent:
            stack.enter_context(each)
        async with following(server, reading, other):
            await until(lambda: reading.told is not None and other.status != 0)
            before = most = process.memory_info().rss
            began = time.monotonic()
            await flood(database_url, mallory, EVENTS)
            written = asyncio.create_task(ada.ask(operations.ADD, content=movie))
            gone: dict[int, float] = {}
            while len(gone) < len(silent) or len(reading.events) < EVENTS or not other.events:
                assert time.monotonic() - began < 60, (gone, len(reading.events), other.events)
                most = max(most, process.memory_info().rss)
                for port in {each.getsockname()[1] for each in silent} - held(server, *silent):
                    gone.setdefault(port, time.monotonic() - began)
                await asyncio.sleep(0.1)
            await written

    assert all(SEND_SECONDS <= seconds <= SEND_SECONDS + SLACK_SECONDS for seconds in gone.values()), gone
    assert most - before < MOST_GROWTH_BYTES
    assert [event["__typename"] for event in other.events] == ["WatchlistChanged"]


async def test_who_reads_again_in_time_is_told_of_the_latest_progress_only(
    server: Server, database_url: str
) -> None:
    grace = await register(server, "grace@example.com")
    movie = (await grace.ask(operations.FIND, slug="the-matrix-1999"))["content"]["id"]
    slow = [await asking(server, grace, transport) for transport in Transport]
    with contextlib.ExitStack() as stack:
        for each in slow:
            stack.enter_context(each)
        await asyncio.sleep(0.5)
        await flood(database_url, grace, FILLING)
        await asyncio.sleep(1.2)  # by then what was written past the server was looked for
        for position in range(1, WRITES + 1):
            await grace.ask(operations.PROGRESS, content=movie, position=position)
        read = [await until_told(each, WRITES) for each in slow]

    for told in read:
        positions = [int(found) for found in re.findall(rb'"positionSeconds":(\d+)', told)]
        assert told.count(b'"n0":') == FILLING
        assert positions == sorted(set(positions))
        assert positions[-1] == WRITES
        assert len(positions) < WRITES / 2


async def test_the_device_of_a_socket_that_answers_no_ping_is_offline(server: Server) -> None:
    """As of a line that was cut: nobody says that it is, and nothing waits to be sent."""
    owner, tv = await register(server, "owner@example.com"), Client(server)
    tv.token = (await tv.ask(SIGN_IN))["signIn"]["accessToken"]
    await tv.ask(operations.REGISTER_DEVICE, name="TV", kind="TV")
    async with owner.follow(DEVICES) as devices:
        with await asking(server, tv, Transport.WEBSOCKET):
            began = time.monotonic()
            async with asyncio.timeout(PING_SECONDS + SEND_SECONDS + SLACK_SECONDS):
                while (await devices.next(seconds=60))["devices"]["device"]["online"]:
                    pass
            seconds = time.monotonic() - began

    assert PING_SECONDS <= seconds < LEASE_SECONDS


async def until_told(by: socket.socket, position: int) -> bytes:
    """All that comes until it tells of this position."""
    loop, told, end = asyncio.get_running_loop(), bytearray(), b'"positionSeconds":%d}' % position
    async with asyncio.timeout(20):
        while end not in told[-1_000_000:]:
            part = await loop.sock_recv(by, 1 << 20)
            assert part, "It was let go."
            told += part
    return bytes(told)
