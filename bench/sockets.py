"""Many WebSockets held by a process of its own, with as little of its own to do as can be.

`python -m bench.sockets` reads a `Crowd` as JSON from the first line of its input, opens its sockets and says
that they are ready; at each further line it lets every account make its changes, and writes a `Heard`.
"""

import asyncio
import base64
import re
import resource
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson
import uvloop

from bench import operations
from bench.client import Client
from bench.measures import Timing

OPENED_AT_ONCE = 50
PATIENCE_SECONDS = 15.0
"""For what was written last to arrive everywhere."""
SETTLING_SECONDS = 2.0
_POSITION = re.compile(rb'"positionSeconds":(\d+)')
_ACK = b'"connection_ack"'
_PING = b'"type":"ping"'
_ERROR = b'"type":"error"'
_CLOSE_FRAME, _PING_FRAME = 8, 9
_SHORT, _LONG, _LONGEST = 125, 126, 127


class NotHeld(Exception):
    """The server did not open a socket, or closed it."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """Sockets of some accounts, each with its subscriptions."""

    port: int
    tokens: Sequence[str]
    each: int
    """Sockets of an account."""
    query: str
    content: str
    """Whose progress the changes are about."""
    changes: int = 0
    """Of each account, one a second."""
    streams: int = 1
    """Subscriptions on each socket."""

    @property
    def sockets(self) -> int:
        return len(self.tokens) * self.each


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of the changes."""

    timing: Timing
    """From the first byte of a change to its event, at each socket."""
    missing: int
    """Events that did not arrive."""


def framed(text: bytes) -> bytes:
    """A text frame as clients send it; the mask is zero, which leaves the text as it is."""
    size = len(text)
    length = bytes((0x80 | size,)) if size <= _SHORT else bytes((0x80 | _LONG,)) + size.to_bytes(2, "big")
    return b"\x81" + length + b"\0\0\0\0" + text


def frame_in(data: bytearray) -> tuple[int, bytes, int] | None:
    """Opcode, payload and end of the frame that `data` begins with; nothing until it is whole."""
    if len(data) < 2:
        return None
    size, start = data[1] & 0x7F, 2
    if size == _LONG:
        size, start = int.from_bytes(data[2:4], "big"), 4
    elif size == _LONGEST:
        size, start = int.from_bytes(data[2:10], "big"), 10
    end = start + size
    return (data[0] & 0x0F, bytes(data[start:end]), end) if len(data) >= end else None


class Socket(asyncio.Protocol):
    """Shakes hands, subscribes, and notes when each event came."""

    def __init__(self, hall: "Hall", token: str) -> None:
        self._hall = hall
        self._token = token
        self._received = bytearray()
        self._upgraded = False
        self.subscribed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        key = base64.b64encode(b"0123456789abcdef").decode()
        transport.write(
            f"GET /graphql HTTP/1.1\r\nhost: 127.0.0.1:{self._hall.crowd.port}\r\nupgrade: websocket\r\n"
            f"connection: upgrade\r\nsec-websocket-key: {key}\r\nsec-websocket-version: 13\r\n"
            "sec-websocket-protocol: graphql-transport-ws\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._upgraded:
            end = self._received.find(b"\r\n\r\n")
            if end < 0:
                return
            if self._received[9:12] != b"101":
                self._fail(f"the handshake was answered {bytes(self._received[:80])!r}")
                return
            del self._received[: end + 4]
            self._upgraded = True
            self._say({"type": "connection_init", "payload": {"Authorization": f"Bearer {self._token}"}})
        while (found := frame_in(self._received)) is not None:
            opcode, payload, end = found
            del self._received[:end]
            self._take(opcode, payload)

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(f"the server closed a socket: {error}")

    def close(self) -> None:
        self._transport.abort()

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == _PING_FRAME:
            self._transport.write(bytes((0x8A, 0x80 | len(payload))) + b"\0\0\0\0" + payload)
        elif opcode == _CLOSE_FRAME:
            self._fail(f"the server closed a socket: {payload!r}")
        elif (position := _POSITION.search(payload)) is not None:
            self._hall.heard(self._token, int(position[1]))
        elif _ACK in payload:
            for number in range(self._hall.crowd.streams):
                asked = {"query": self._hall.crowd.query}
                self._say({"type": "subscribe", "id": str(number), "payload": asked})
            if not self.subscribed.done():
                self.subscribed.set_result(None)
        elif _PING in payload:
            self._say({"type": "pong"})
        elif _ERROR in payload:
            self._fail(f"the subscription was answered {payload[:300]!r}")

    def _say(self, message: dict[str, Any]) -> None:
        self._transport.write(framed(orjson.dumps(message)))

    def _fail(self, reason: str) -> None:
        if not self.subscribed.done():
            self.subscribed.set_exception(NotHeld(reason))
        elif not self._transport.is_closing():
            self._hall.broken.append(reason)


@dataclass
class Hall:
    """All sockets of a crowd, and what was heard."""

    crowd: Crowd
    sent: dict[tuple[str, int], float] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def heard(self, token: str, position: int) -> None:
        self.times.append(time.perf_counter() - self.sent[token, position])

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        sockets: list[Socket] = []
        tokens = [token for token in self.crowd.tokens for _ in range(self.crowd.each)]
        for start in range(0, len(tokens), OPENED_AT_ONCE):
            opened = await asyncio.gather(*map(self._opened, tokens[start : start + OPENED_AT_ONCE]))
            await asyncio.gather(*(socket.subscribed for socket in opened))
            sockets += opened
        try:
            yield
        finally:
            for socket in sockets:
                socket.close()

    async def _opened(self, token: str) -> Socket:
        loop = asyncio.get_running_loop()
        _, socket = await loop.create_connection(lambda: Socket(self, token), "127.0.0.1", self.crowd.port)
        return socket

    async def listen(self) -> Heard:
        """The accounts make their changes, spread over each second."""
        await asyncio.sleep(SETTLING_SECONDS)  # nothing tells a client that its subscription has begun
        began = time.perf_counter()
        await asyncio.gather(*(self._write(place, token) for place, token in enumerate(self.crowd.tokens)))
        expected = self.crowd.changes * self.crowd.sockets
        deadline = time.perf_counter() + PATIENCE_SECONDS
        while len(self.times) < expected and time.perf_counter() < deadline:  # noqa: ASYNC110 - sockets set no event
            await asyncio.sleep(0.05)
        if self.broken:
            raise NotHeld(self.broken[0])
        return Heard(Timing.of(self.times, time.perf_counter() - began), expected - len(self.times))

    async def _write(self, place: int, token: str) -> None:
        began = time.perf_counter() + place / len(self.crowd.tokens)
        async with Client.open(self.crowd.port, token) as client:
            for second in range(self.crowd.changes):
                await asyncio.sleep(max(0.0, began + second - time.perf_counter()))
                self.sent[token, second + 1] = time.perf_counter()
                await client.ask(operations.REPORT, content=self.crowd.content, position=second + 1)


@asynccontextmanager
async def held(crowd: Crowd) -> AsyncIterator["Holding"]:
    """A crowd in a process of its own, once all of its sockets have subscribed; raises `NotHeld`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.sockets",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    holding = Holding(process)
    try:
        await holding.say(orjson.dumps(asdict(crowd)))
        yield holding
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


class Holding:
    """A process that holds a crowd."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def say(self, line: bytes) -> Any:
        """What it answers."""
        assert self._process.stdin is not None and self._process.stdout is not None  # noqa: PT018 - it was started with both
        self._process.stdin.write(line + b"\n")
        answer = orjson.loads(await self._process.stdout.readline() or b'{"failed": "the process died"}')
        if "failed" in answer:
            raise NotHeld(answer["failed"])
        return answer

    async def listen(self) -> Heard:
        answer = await self.say(b"listen")
        return Heard(Timing(**answer["timing"]), answer["missing"])


async def _serve() -> None:
    crowd = Crowd(**orjson.loads(sys.stdin.buffer.readline()))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        hall = Hall(crowd)
        async with hall.open():
            _answer({"ready": crowd.sockets})
            while await asyncio.to_thread(sys.stdin.buffer.readline):
                _answer(asdict(await hall.listen()))
    except (NotHeld, OSError) as failure:
        _answer({"failed": str(failure)})


def _answer(told: dict[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(told) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    uvloop.run(_serve())
