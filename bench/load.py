"""Load from a process of its own: raw HTTP/1.1 over kept connections, each asking again once it was answered.

`python -m bench.load` reads a `Load` as JSON and writes its `Timing`, or what the server did wrong.
"""

import asyncio
import itertools
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import orjson
import uvloop

from bench.measures import Timing
from bench.processes import cpu_seconds

WARM_UP_SECONDS = 0.7
PATIENCE_SECONDS = 30.0
"""For the first answer that counts, where the time of the load was too short for one."""
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_HEAD_END = b"\r\n\r\n"


class LoadFailed(Exception):
    """The server answered with something else than the data; the message has its answer."""


@dataclass(frozen=True, slots=True)
class Load:
    """Bodies that are posted in turn, over and over, by so many connections at once."""

    port: int
    pid: int
    bodies: Sequence[str]
    path: str = "/graphql"
    token: str | None = None
    connections: int = 8
    seconds: float = 4.0

    def requests(self) -> list[bytes]:
        return [post(self.port, self.path, body.encode(), self.token) for body in self.bodies]


def post(port: int, path: str, body: bytes, token: str | None = None) -> bytes:
    """A whole request. It accepts no compression: that would be measured on both sides."""
    identity = "" if token is None else f"authorization: Bearer {token}\r\n"
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/json\r\n"
        f"accept: application/graphql-response+json\r\n{identity}content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def answer_in(data: bytes | bytearray) -> tuple[bytes, int] | None:
    """The body of the answer that `data` begins with, and where it ends; nothing until it is whole.

    Raises `LoadFailed` for any status but 200, and for GraphQL's errors.
    """
    end = data.find(_HEAD_END)
    if end < 0:
        return None
    start = end + len(_HEAD_END)
    length = _LENGTH.search(data, 0, start)
    if length is None:
        raise LoadFailed(f"an answer of unknown length: {bytes(data[:300])!r}")
    stop = start + int(length[1])
    if len(data) < stop:
        return None
    body = bytes(data[start:stop])
    if data[9:12] != b"200" or b'"errors":' in body:
        raise LoadFailed(f"{bytes(data[:15])!r} {body[:500]!r}")
    return body, stop


class Connection(asyncio.Protocol):
    """One client: asks, waits for the whole answer, notes the time, asks again."""

    def __init__(self, requests: Iterator[bytes], times: list[float], failed: "asyncio.Future[None]") -> None:
        self._requests = requests
        self._times = times
        self._failed = failed
        self._received = bytearray()
        self._asked_at = 0.0
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._received += data
        try:
            found = answer_in(self._received)
        except LoadFailed as failure:
            if not self._failed.done():
                self._failed.set_exception(failure)
            return
        if found is not None:
            self._times.append(time.perf_counter() - self._asked_at)
            del self._received[: found[1]]
            self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._failed.done():
            self._failed.set_exception(LoadFailed(f"the server closed the connection: {error}"))

    def _ask(self) -> None:
        self._asked_at = time.perf_counter()
        self._transport.write(next(self._requests))


async def generate(load: Load) -> Timing:
    """Puts the load on the server; the first moments, while both sides get warm, do not count."""
    loop = asyncio.get_running_loop()
    failed: asyncio.Future[None] = loop.create_future()
    times: list[float] = []
    requests = itertools.cycle(load.requests())
    transports = [
        (await loop.create_connection(lambda: Connection(requests, times, failed), "127.0.0.1", load.port))[0]
        for _ in range(load.connections)
    ]
    await asyncio.wait([failed], timeout=WARM_UP_SECONDS)
    times.clear()
    began, busy = time.perf_counter(), cpu_seconds(load.pid)
    await asyncio.wait([failed], timeout=load.seconds)
    while not (times or failed.done()) and time.perf_counter() - began < PATIENCE_SECONDS:
        await asyncio.wait([failed], timeout=0.1)
    elapsed, busy = time.perf_counter() - began, cpu_seconds(load.pid) - busy
    if failed.done():
        failed.result()
    counted = list(times)
    failed.cancel()
    for transport in transports:
        transport.abort()
    if not counted:
        raise LoadFailed(f"no answer within {elapsed:.0f} seconds")
    return replace(Timing.of(counted, elapsed), cpu_ms=1000 * busy / len(counted))


async def put(load: Load) -> Timing:
    """`generate` in a process of its own, so that the server has a core for itself."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.load",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await process.communicate(orjson.dumps(asdict(load)))
    answer = orjson.loads(output or b'{"failed": "the load generator died"}')
    if "failed" in answer:
        raise LoadFailed(answer["failed"])
    return Timing(**answer)


def main() -> None:
    load = Load(**orjson.loads(sys.stdin.buffer.read()))
    answer: dict[str, Any]
    try:
        answer = asdict(uvloop.run(generate(load)))
    except (LoadFailed, OSError) as failure:
        answer = {"failed": str(failure)}
    sys.stdout.buffer.write(orjson.dumps(answer))


if __name__ == "__main__":
    main()
