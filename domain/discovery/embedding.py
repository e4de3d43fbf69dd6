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

    async def work(self, encoder: Encoder | None) -> int:
        """One batch, for a job that is run again and again; nothing while a part of it is missing."""
        if encoder is None:
            return 0
        try:
            return await self.embed_pending(encoder, limit=BATCH)
        except (EncoderError, VectorsUnavailable, Unavailable) as error:
            structlog.get_logger("embedding").debug("Embedding waits.", reason=str(error))
            return 0

    async def check(self, encoder: Encoder | None) -> int:
        """`reconcile`, for a job; it must have run once before `work` can be relied upon after a restore."""
        if encoder is None:
            return 0
        try:
            await self.vectors.prepare(encoder.name, encoder.dimensions)
            await self.reconcile(encoder)
        except (VectorsUnavailable, Unavailable) as error:
            structlog.get_logger("embedding").debug("Comparing vectors waits.", reason=str(error))
        return 0

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
