"""Ways between parts that can be cut: TCP connections through a port of their own."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from itertools import count

PIECE_BYTES = 1 << 16


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
        self._changed = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()

    def set(self, state: State) -> None:
        self.state = state
        self._changed.set()
        self._changed = asyncio.Event()
        if state is State.CUT:
            for writer in list(self._writers):
                writer.transport.abort()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Joins a connection to the target until either side ends it; whether it could be joined."""
        if self.state is State.CUT:
            return False
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            return False
        ends = {writer, far_writer}
        self._writers |= ends
        try:
            await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer))
        finally:
            self._writers -= ends
            far_writer.transport.abort()
        return True

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(PIECE_BYTES):
                while self.state is State.SILENT:
                    await self._changed.wait()
                writer.write(piece)
                await writer.drain()
        writer.transport.abort()


@asynccontextmanager
async def door(wires: Sequence[Wire]) -> AsyncIterator[int]:
    """A port behind which a connection goes to the next of these ways in turn, or to another that stands."""
    turns = count()
    serving: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(task := asyncio.current_task())
        first = next(turns)
        try:
            for place in range(len(wires)):
                if await wires[(first + place) % len(wires)].carry(reader, writer):
                    return
        finally:
            writer.transport.abort()
            serving.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        port: int = server.sockets[0].getsockname()[1]
        yield port
    finally:
        server.close()
        for wire in wires:
            wire.set(State.CUT)
        if running := {task for task in serving if task is not None}:
            await asyncio.wait(running)
