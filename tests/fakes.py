"""What stands in for the outside in tests."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from domain.platform.encoder import EncoderError
from domain.platform.vectors import EVERYTHING, Among, Neighbour, Point, Vector, VectorsUnavailable

DIMENSIONS = 384


@dataclass
class HashingEncoder:
    """Texts with the same words point the same way; words that differ are at right angles, nearly always."""

    name: str = "words-1"
    dimensions: int = DIMENSIONS
    broken: bool = False
    texts: list[str] = field(default_factory=list)

    async def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if self.broken:
            raise EncoderError("The encoder is closed.")
        self.texts += texts
        return np.stack([self._vector(text) for text in texts])

    def _vector(self, text: str) -> NDArray[np.float32]:
        vector = np.zeros(self.dimensions, np.float32)
        for word in re.findall(r"\w+", text.lower()) or [""]:
            vector[crc32(word.encode()) % self.dimensions] += 1
        return np.asarray(vector / np.linalg.norm(vector), np.float32)


@dataclass
class MemoryVectors:
    """A vector index in memory; `lost` makes every call fail."""

    rooms: dict[str, dict[int, Point]] = field(default_factory=dict)
    searched: str | None = None
    lost: bool = False

    async def space(self) -> str | None:
        self._answer()
        return self.searched

    async def prepare(self, encoder: str, dimensions: int) -> bool:
        self._answer()
        created = encoder not in self.rooms
        self.rooms.setdefault(encoder, {})
        self.searched = self.searched or encoder
        return created

    async def switch(self, encoder: str) -> None:
        self._answer()
        self.searched = encoder
        self.rooms = {encoder: self.rooms[encoder]}

    async def upsert(self, encoder: str, points: Sequence[Point]) -> None:
        self._answer()
        self.rooms[encoder] |= {point.id: point for point in points}

    async def remove(self, ids: Sequence[int]) -> None:
        self._answer()
        for room in self.rooms.values():
            for id_ in ids:
                room.pop(id_, None)

    async def ids(self, encoder: str) -> set[int]:
        self._answer()
        return set(self.rooms[encoder])

    async def nearest(
        self,
        vector: Vector,
        limit: int,
        *,
        among: Among = EVERYTHING,
        excluding: Sequence[int] = (),
        floor: float = -1.0,
    ) -> list[Neighbour]:
        found = [
            Neighbour(point.id, float(point.vector @ vector))
            for point in self._room().values()
            if point.id not in excluding and among.admits(point.traits)
        ]
        found.sort(key=lambda neighbour: -neighbour.similarity)
        return [neighbour for neighbour in found if neighbour.similarity >= floor][:limit]

    async def vectors(self, ids: Sequence[int]) -> Mapping[int, Vector]:
        room = self._room()
        return {id_: room[id_].vector for id_ in ids if id_ in room}

    async def count(self) -> int:
        return len(self._room())

    async def health(self) -> str:
        self._answer()
        return "in memory"

    def _room(self) -> dict[int, Point]:
        self._answer()
        if self.searched is None:
            raise VectorsUnavailable("No work has a vector yet.")
        return self.rooms[self.searched]

    def _answer(self) -> None:
        if self.lost:
            raise VectorsUnavailable("The index is lost.")
