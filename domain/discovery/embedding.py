"""Giving works their vectors, in the background: a batch at a time, from wherever the last run stopped."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

import structlog

from domain.platform.encoder import Encoder, EncoderError
from domain.platform.errors import Unavailable
from domain.platform.vectors import Point, Traits, VectorIndex, VectorsUnavailable

BATCH = 64
IDLE_SECONDS = 5.0
RECONCILE_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Described:
    """A work that needs a vector, and what it is about."""

    id: int
    title: str
    synopsis: str | None
    keywords: tuple[str, ...]
    traits: Traits

    @property
    def text(self) -> str:
        """A year or genres in front would pull works apart that are about the same."""
        parts = (f"{self.title}.", self.synopsis or "", " ".join(self.keywords))
        return " ".join(part for part in parts if part)


class Batch(Protocol):
    """Works that no other process takes while this one has them."""

    works: Sequence[Described]

    async def done(self, encoder: str) -> None:
        """Notes that all of them have their vectors."""


class Pending(Protocol):
    """Which works have no vector yet. Every method raises `Unavailable`."""

    def take(self, limit: int) -> AbstractAsyncContextManager[Batch]: ...

    async def gone(self, limit: int) -> list[int]:
        """Works with a vector that are no longer listed."""

    async def forget(self, ids: Sequence[int]) -> None:
        """Notes that these have no vector."""

    async def forget_others(self, encoder: str) -> None:
        """Notes that works embedded by anything but `encoder` have no vector of it."""

    async def listed(self) -> set[int]:
        """Every work that search may show."""

    async def embedded(self, encoder: str) -> set[int]:
        """The listed works that are noted to have a vector of `encoder`."""


@dataclass(frozen=True)
class Embedding:
    """Keeps the vector index in step with the catalogue.

    Vectors are written before they are noted, so a crash in between repeats work and loses none. Several
    processes may run it at once.
    """

    pending: Pending
    vectors: VectorIndex

    async def embed_pending(self, encoder: Encoder, *, limit: int | None = None) -> int:
        """Embeds what is pending, up to about `limit` works, and answers how many it were.

        When nothing is left the index searches this encoder's vectors. Raises `EncoderError`,
        `VectorsUnavailable` and `Unavailable`.
        """
        if await self.vectors.prepare(encoder.name, encoder.dimensions):
            await self.reconcile(encoder)
        await self._remove_gone()
        count = 0
        while limit is None or count < limit:
            size = await self._embed_batch(encoder)
            if size == 0:
                await self.vectors.switch(encoder.name)
                break
            count += size
            await asyncio.sleep(0)
        return count

    async def reconcile(self, encoder: Encoder) -> None:
        """Compares notes with vectors: what either side lost is embedded again or removed."""
        await self.pending.forget_others(encoder.name)
        noted = await self.pending.embedded(encoder.name)
        there = await self.vectors.ids(encoder.name)
        await self._in_parts(noted - there, self.pending.forget)
        # What is listed and not noted stays: another process may be about to note it.
        await self._in_parts(there - await self.pending.listed(), self.vectors.remove)

    async def run(
        self,
        stop: asyncio.Event,
        encoder: Callable[[], Awaitable[Encoder | None]],
        *,
        idle_seconds: float = IDLE_SECONDS,
        reconcile_seconds: float = RECONCILE_SECONDS,
    ) -> None:
        """Embeds until `stop` is set; what fails is tried again later. Ends where there is no encoder."""
        ready = await encoder()
        if ready is None:
            return
        clock = asyncio.get_running_loop().time
        due = clock()
        while not stop.is_set():
            try:
                if clock() >= due:
                    await self.vectors.prepare(ready.name, ready.dimensions)
                    await self.reconcile(ready)
                    due = clock() + reconcile_seconds
                idle = await self.embed_pending(ready, limit=BATCH) == 0
            except (EncoderError, VectorsUnavailable, Unavailable) as error:
                structlog.get_logger("embedding").debug("Embedding waits.", reason=str(error))
                idle = True
            if idle:
                await _pause(stop, idle_seconds)

    async def _embed_batch(self, encoder: Encoder) -> int:
        async with self.pending.take(BATCH) as batch:
            if not batch.works:
                return 0
            vectors = await encoder.encode([work.text for work in batch.works])
            points = [
                Point(work.id, vector, work.traits) for work, vector in zip(batch.works, vectors, strict=True)
            ]
            await self.vectors.upsert(encoder.name, points)
            await batch.done(encoder.name)
            return len(batch.works)

    async def _remove_gone(self) -> None:
        while gone := await self.pending.gone(BATCH):
            await self.vectors.remove(gone)
            await self.pending.forget(gone)

    @staticmethod
    async def _in_parts(ids: Collection[int], act: Callable[[Sequence[int]], Awaitable[None]]) -> None:
        ordered = sorted(ids)
        for start in range(0, len(ordered), BATCH):
            await act(ordered[start : start + BATCH])


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
