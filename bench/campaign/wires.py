"""Ways between parts that can be cut: TCP connections through a port of their own."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from itertools import count
from typing import Any


class State(StrEnum):
    WHOLE = "whole"
    CUT = "cut"
    """Connections are reset and new ones refused, as where a machine has gone."""
    SILENT = "silent"
    """Nothing passes and nobody is told, as where a cable was pulled out."""


class Wire:
    """The way to one port of the loopback address."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.state = State.WHOLE
        self.ends: set[_End] = set()

    def set(self, state: State) -> None:
        self.state = state
        for end in list(self.ends):
            if state is State.CUT:
                end.abort()
            else:
                end.flush()

    async def join(self, near: "_End") -> bool:
        """Joins a connection to the target; whether that could be done."""
        if self.state is State.CUT:
            return False
        try:
            _, far = await asyncio.get_running_loop().create_connection(_End, "127.0.0.1", self.target)
        except OSError:
            return False
        near.join(self, far)
        far.join(self, near)
        return True


class _End(asyncio.Protocol):
    """One of the two connections that are joined; what comes from here goes to the other."""

    def __init__(self) -> None:
        self._transport: Any = None
        self._wire: Wire | None = None
        self._other: _End | None = None
        self._held = bytearray()
        """What has not been passed on yet."""

    def join(self, wire: Wire, other: "_End") -> None:
        self._wire, self._other = wire, other
        wire.ends.add(self)
        self.flush()

    def flush(self) -> None:
        """Passes on what was held, and in the end the end, unless the way is silent."""
        if self._wire is None or self._other is None or self._wire.state is State.SILENT:
            return
        if self._held:
            self._other.write(bytes(self._held))
            self._held.clear()
        if self._transport.is_closing():
            self._wire.ends.discard(self)
            self._other.close()

    def write(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)

    def abort(self) -> None:
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        self.flush()

    def connection_lost(self, _error: Exception | None) -> None:
        self.flush()

    def close(self) -> None:
        """Once what was written has gone out."""
        self._transport.close()

    def pause_writing(self) -> None:
        """Whoever sends here waits until there is room."""
        self._pace("pause_reading")

    def resume_writing(self) -> None:
        self._pace("resume_reading")

    def _pace(self, name: str) -> None:
        if self._other is not None:
            with suppress(RuntimeError):  # it has just been closed
                getattr(self._other._transport, name)()  # noqa: SLF001 - of the same kind


@asynccontextmanager
async def door(wires: Sequence[Wire]) -> AsyncIterator[int]:
    """A port behind which a connection goes to the next of these ways in turn, or to another that stands."""
    turns = count()
    joining: set[asyncio.Task[None]] = set()

    class Near(_End):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            task = asyncio.create_task(self._find())
            joining.add(task)
            task.add_done_callback(joining.discard)

        async def _find(self) -> None:
            first = next(turns)
            for place in range(len(wires)):
                if await wires[(first + place) % len(wires)].join(self):
                    return
            self.abort()

    server = await asyncio.get_running_loop().create_server(Near, "127.0.0.1", 0)
    try:
        port: int = server.sockets[0].getsockname()[1]
        yield port
    finally:
        server.close()
        for wire in wires:
            wire.set(State.CUT)
        if joining:
            await asyncio.wait(set(joining))
        await asyncio.sleep(0)  # for connections that were reset to be let go
