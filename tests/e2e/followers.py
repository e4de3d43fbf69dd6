"""Clients that follow a subscription over any transport, and know where they are when it ends."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import httpx
import orjson
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.e2e.server import Server

PATIENCE_SECONDS = 40.0


class Transport(StrEnum):
    """The `Accept` header that asks for it, but for the first."""

    WEBSOCKET = "graphql-transport-ws"
    EVENTS = "text/event-stream"
    MULTIPART = "multipart/mixed;subscriptionSpec=1.0"

    @property
    def next(self) -> "Transport":
        transports = list(Transport)
        return transports[(transports.index(self) + 1) % len(transports)]


@dataclass
class Follower:
    """One subscription. Its `document` takes a cursor as `$after`, and each event of it has one."""

    token: str
    document: str
    transport: Transport
    cursor: str | None = None
    """Of the last event, or where it is to begin."""
    variables: dict[str, Any] = field(default_factory=dict)
    events: list[Any] = field(default_factory=list)
    told: str | None = None
    """The cursor that the server sent it away with, or told it of."""
    ended: str | None = None
    """How the server put the end: a close code, `complete`, the code and reason of an error, or `silence`."""
    ended_at: float = 0.0
    status: int = 0
    """Of the answer or the handshake."""
    renew: Callable[[], Awaitable[str]] | None = None
    """Gets a fresh token where the server asks for one on a WebSocket; none is brought if open."""
    asked: int = 0
    """How often it was asked."""

    async def follow(self, server: Server, http: httpx.AsyncClient) -> None:
        """Until the server has ended it."""
        self.told = self.ended = None
        if self.transport is Transport.WEBSOCKET:
            await self._on_socket(server)
        else:
            await self._on_stream(server, http)
        self.ended_at = time.monotonic()

    def take(self, data: Any) -> None:
        (event,) = data.values()
        self.cursor = event["cursor"]
        self.events.append(event)

    @property
    def _payload(self) -> dict[str, Any]:
        return {"query": self.document, "variables": {"after": self.cursor, **self.variables}}

    def _fail(self, errors: list[Any]) -> None:
        extensions = errors[0]["extensions"]
        self.ended = f"{extensions['code']} {extensions.get('reason', '')}".strip()
        self.told = extensions.get("cursor", self.told)

    async def _on_socket(self, server: Server) -> None:
        url = f"ws://127.0.0.1:{server.port}/graphql"
        protocol = Subprotocol(Transport.WEBSOCKET.value)
        async with connect(url, subprotocols=[protocol], compression=None) as socket:
            init = {"type": "connection_init", "payload": {"Authorization": f"Bearer {self.token}"}}
            await socket.send(orjson.dumps(init).decode())
            with contextlib.suppress(ConnectionClosed):
                acknowledged = orjson.loads(await socket.recv())
                assert acknowledged["type"] == "connection_ack"
                self.status = 101
                asked = {"type": "subscribe", "id": "1", "payload": self._payload}
                await socket.send(orjson.dumps(asked).decode())
                while self.ended is None:
                    message = orjson.loads(await socket.recv())
                    self._heard(message)
                    if message["type"] == "ping" and "needs" in message.get("payload", {}) and self.renew:
                        self.asked += 1
                        pong = {"type": "pong", "payload": {"accessToken": await self.renew()}}
                        await socket.send(orjson.dumps(pong).decode())
        self.ended = self.ended or f"{socket.close_code} {socket.close_reason}"

    def _heard(self, message: Any) -> None:
        match message["type"]:
            case "next":
                self.take(message["payload"]["data"])
            case "error":
                self._fail(message["payload"])
            case "complete":
                self.ended = "complete"
            case "ping":
                self.told = message.get("payload", {}).get("reconnect", {}).get("1", self.told)

    async def _on_stream(self, server: Server, http: httpx.AsyncClient) -> None:
        headers = {"accept": self.transport.value, "authorization": f"Bearer {self.token}"}
        read = self._read_event if self.transport is Transport.EVENTS else self._read_part
        address = f"{server.url}/graphql"
        with contextlib.suppress(httpx.TransportError):
            async with http.stream("POST", address, json=self._payload, headers=headers) as answer:
                self.status = answer.status_code
                async for line in answer.aiter_lines():
                    read(line)
        self.ended = self.ended or "silence"

    def _read_event(self, line: str) -> None:
        if line.startswith("id: "):
            self.told = line.removeprefix("id: ")
        elif line == "event: complete":
            self.ended = self.ended or "complete"
        elif line.startswith("data: {"):
            self._read(orjson.loads(line.removeprefix("data: ")))
        elif line.startswith("{"):  # refused before anything was streamed
            self._fail(orjson.loads(line)["errors"])

    def _read_part(self, line: str) -> None:
        if line == "--graphql--":
            self.ended = self.ended or "complete"
        elif line.startswith("{"):
            part = orjson.loads(line)
            if part.get("payload"):
                self._read(part["payload"])
            elif part.get("errors"):
                self._fail(part["errors"])

    def _read(self, result: Any) -> None:
        if result.get("errors"):
            self._fail(result["errors"])
        else:
            self.take(result["data"])


@asynccontextmanager
async def many_streams() -> AsyncIterator[httpx.AsyncClient]:
    """A client for any number of them at a time."""
    unbounded = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS, limits=unbounded, verify=False) as http:
        yield http


@asynccontextmanager
async def following(server: Server, *followers: Follower) -> AsyncIterator[None]:
    """They follow for as long as the block runs, those that the server does not end before."""
    async with many_streams() as http:
        tasks = [asyncio.create_task(follower.follow(server, http)) for follower in followers]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def until(condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - another process is waited for
            await asyncio.sleep(0.02)
