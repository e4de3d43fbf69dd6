"""The vector index: the port, what stands beside a vector, and the guard that keeps its loss harmless.

VectorsUnavailable      the index is lost, locked, too slow or not filled yet; whoever asks degrades
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeAlias, TypeVar

import numpy as np
import structlog
from numpy.typing import NDArray

from domain.platform.breaker import Breaker

T = TypeVar("T")
Vector: TypeAlias = NDArray[np.float32]

SEARCH_SECONDS = 0.3
WRITE_SECONDS = 30.0


class VectorsUnavailable(Exception):
    """The index cannot answer; the message says why."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What of a work stands beside its vector, to narrow a search before it is cut off."""

    kind: str
    genres: tuple[str, ...] = ()
    year: int | None = None
    language: str | None = None
    maturity: str | None = None


@dataclass(frozen=True, slots=True)
class Among:
    """Which traits are wanted: every given field must hold, within a field any of its values; and none of
    `without_genres`.
    """

    kinds: tuple[str, ...] | None = None
    genres: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None
    maturities: tuple[str, ...] | None = None
    year_from: int | None = None
    year_to: int | None = None
    without_genres: tuple[str, ...] = ()

    def admits(self, traits: Traits) -> bool:
        """The meaning that every adapter's own filter has to have."""
        return (
            (self.kinds is None or traits.kind in self.kinds)
            and (self.genres is None or not set(self.genres).isdisjoint(traits.genres))
            and set(self.without_genres).isdisjoint(traits.genres)
            and (self.languages is None or traits.language in self.languages)
            and (self.maturities is None or traits.maturity in self.maturities)
            and (self.year_from is None or (traits.year is not None and traits.year >= self.year_from))
            and (self.year_to is None or (traits.year is not None and traits.year <= self.year_to))
        )


EVERYTHING = Among()


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """A work in the space: its id, its vector of unit length [dimensions], its traits."""

    id: int
    vector: Vector
    traits: Traits


class Neighbour(NamedTuple):
    """A work near to what was asked; `similarity` is the cosine, 1 for the same direction."""

    id: int
    similarity: float


class VectorIndex(Protocol):
    """Works by what they are about, in one space at a time: that of the encoder `space` names.

    Every method raises `VectorsUnavailable`.
    """

    async def space(self) -> str | None:
        """The encoder whose vectors are searched; nothing while there are none."""

    async def prepare(self, encoder: str, dimensions: int) -> bool:
        """Makes room for an encoder's vectors, searched at once if there are no others.

        Answers whether the room is new, and so empty.
        """

    async def switch(self, encoder: str) -> None:
        """Searches this encoder's vectors from now on, and drops all others."""

    async def upsert(self, encoder: str, points: Sequence[Point]) -> None: ...

    async def remove(self, ids: Sequence[int]) -> None:
        """Takes the works out of every space."""

    async def ids(self, encoder: str) -> set[int]:
        """Every work that has a vector of this encoder."""

    async def nearest(
        self,
        vector: Vector,
        limit: int,
        *,
        among: Among = EVERYTHING,
        excluding: Sequence[int] = (),
        floor: float = -1.0,
    ) -> list[Neighbour]:
        """Up to `limit` works of at least the similarity `floor`, nearest first.

        `vector` is [dimensions], of unit length, by the encoder of `space`.
        """

    async def vectors(self, ids: Sequence[int]) -> Mapping[int, Vector]:
        """The vectors of those works that have one, each [dimensions]."""

    async def count(self) -> int:
        """How many works can be found."""

    async def health(self) -> str:
        """A line about the state; raises where there is nothing good to say."""


class GuardedIndex:
    """An index whose calls end by a deadline and are not tried while it keeps failing.

    Each change between working and not is one line in the log.
    """

    def __init__(
        self,
        index: Callable[[], Awaitable[VectorIndex]],
        *,
        clock: Callable[[], float] = time.monotonic,
        search_seconds: float = SEARCH_SECONDS,
        write_seconds: float = WRITE_SECONDS,
    ) -> None:
        self._index = index
        self._breaker = Breaker(clock)
        self._search_seconds = search_seconds
        self._write_seconds = write_seconds
        self._log = structlog.get_logger("vectors")

    @property
    def failures(self) -> int:
        """Calls that failed or were not tried, since the start."""
        return self._breaker.failures + self._breaker.refusals

    async def space(self) -> str | None:
        return await self._guarded(lambda index: index.space(), self._search_seconds)

    async def prepare(self, encoder: str, dimensions: int) -> bool:
        return await self._guarded(lambda index: index.prepare(encoder, dimensions), self._write_seconds)

    async def switch(self, encoder: str) -> None:
        await self._guarded(lambda index: index.switch(encoder), self._write_seconds)

    async def upsert(self, encoder: str, points: Sequence[Point]) -> None:
        await self._guarded(lambda index: index.upsert(encoder, points), self._write_seconds)

    async def remove(self, ids: Sequence[int]) -> None:
        await self._guarded(lambda index: index.remove(ids), self._write_seconds)

    async def ids(self, encoder: str) -> set[int]:
        return await self._guarded(lambda index: index.ids(encoder), self._write_seconds)

    async def nearest(
        self,
        vector: Vector,
        limit: int,
        *,
        among: Among = EVERYTHING,
        excluding: Sequence[int] = (),
        floor: float = -1.0,
    ) -> list[Neighbour]:
        return await self._guarded(
            lambda index: index.nearest(vector, limit, among=among, excluding=excluding, floor=floor),
            self._search_seconds,
        )

    async def vectors(self, ids: Sequence[int]) -> Mapping[int, Vector]:
        return await self._guarded(lambda index: index.vectors(ids), self._search_seconds)

    async def count(self) -> int:
        return await self._guarded(lambda index: index.count(), self._search_seconds)

    async def health(self) -> str:
        """Asks the index itself, whatever the breaker says."""
        return f"{await (await self._index()).health()}; {self.failures} calls failed since the start"

    async def _guarded(self, call: Callable[[VectorIndex], Awaitable[T]], seconds: float) -> T:
        index = await self._opened(seconds)
        if not self._breaker.admits():
            raise VectorsUnavailable("The vector index failed before and is given a rest.")
        try:
            async with asyncio.timeout(seconds):
                answer = await call(index)
        except TimeoutError as error:
            raise self._failed(f"no answer in {seconds:g} seconds") from error
        except VectorsUnavailable as error:
            raise self._failed(str(error)) from error
        if self._breaker.succeeded():
            self._log.info("The vector index answers again.")
        return answer

    async def _opened(self, seconds: float) -> VectorIndex:
        try:
            async with asyncio.timeout(seconds):
                return await self._index()
        except TimeoutError:
            raise VectorsUnavailable("The vector index is still being opened.") from None

    def _failed(self, reason: str) -> VectorsUnavailable:
        if self._breaker.failed():
            self._log.warning("The vector index is lost; search goes on by keywords alone.", reason=reason)
        return VectorsUnavailable(reason)
