"""Works near to a viewer's taste in the vector index."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic

import numpy as np

from domain.catalog.filters import among_of
from domain.platform.vectors import Vector, VectorIndex, VectorsUnavailable
from domain.sona.fusion import Found
from domain.sona.model import Evidence, Profile, Seed, Taste, Tuning, Wanted

VECTOR_SECONDS = 0.4
"""After this no further seed is searched around."""
HIDDEN, WIDENING = 300, 3
SEEDS_NAMED = 2
"""Seeds that are named for a work, closest first."""


@dataclass(frozen=True)
class Nearness:
    """What the vector index finds around a taste; nothing where the index is out of reach."""

    vectors: VectorIndex
    tuning: Tuning = field(default_factory=Tuning)
    fallbacks: Counter[str] = field(default_factory=Counter)
    """How often a list was made without vectors, by the reason."""

    async def near(self, seen: Taste, profile: Profile, wanted: Wanted) -> Found:
        """Works near to the taste as a whole and to the latest seeds, each with the seeds it is near to."""
        if not seen.liked:
            return []
        try:
            if await self.vectors.space() is None:
                self.fallbacks["no vectors yet"] += 1
                return []
            return await self._neighbours(seen, profile, wanted)
        except VectorsUnavailable:
            self.fallbacks["vectors"] += 1
            return []

    async def _neighbours(self, seen: Taste, profile: Profile, wanted: Wanted) -> Found:
        known = await self.vectors.vectors([*(seed.id for seed in seen.liked), *seen.disliked])
        seeds = [seed for seed in seen.liked if seed.id in known]
        if not seeds:
            return []
        away = [known[id_] for id_ in seen.disliked if id_ in known]
        around = taste_vector(
            [known[seed.id] for seed in seeds],
            [seed.weight for seed in seeds],
            away,
            self.tuning.rocchio,
        )
        questions = [(around, self.tuning.taste_neighbours)] + [
            (known[seed.id], self.tuning.seed_neighbours) for seed in seeds[: self.tuning.seeds_searched]
        ]
        ids: set[int] = set()
        until = monotonic() + VECTOR_SECONDS
        # One after the other: an index in this process answers them so anyway, each within its deadline.
        for vector, limit in questions:
            if monotonic() > until:
                self.fallbacks["slow"] += 1
                break
            ids |= await self._around(vector, limit, profile, wanted)
        near = await self.vectors.vectors(sorted(ids)) if ids else {}
        stacked = np.stack([known[seed.id] for seed in seeds])
        return await asyncio.to_thread(self._by_seed, near, seeds, stacked, around)

    async def _around(self, vector: Vector, limit: int, profile: Profile, wanted: Wanted) -> set[int]:
        """The nearest works that the viewer does not know."""
        hidden = sorted(profile.known)
        if len(hidden) > HIDDEN:
            # A long list slows an index down more than asking for more does.
            limit, hidden = limit * WIDENING, []
        found = await self.vectors.nearest(
            vector,
            limit,
            among=among_of(wanted.filter),
            excluding=hidden,
            floor=self.tuning.similarity_floor,
        )
        return {neighbour.id for neighbour in found} - profile.known

    def _by_seed(
        self, near: Mapping[int, Vector], seeds: Sequence[Seed], seed_vectors: Vector, around: Vector
    ) -> Found:
        """By likeness to the taste as a whole and to the seed that counts most; the closest are told."""
        if not near:
            return []
        ids = list(near)
        vectors = np.stack([near[id_] for id_ in ids])
        likeness = vectors @ seed_vectors.T
        # What is saved is both a seed and a candidate, and no reason for itself.
        likeness[np.equal.outer(np.array(ids), np.array([seed.id for seed in seeds]))] = -1.0
        counted = likeness * np.array([seed.weight for seed in seeds], np.float32)
        scores = vectors @ around + counted.max(axis=1)
        found = []
        for row in np.argsort(-scores, kind="stable"):
            closest = [
                column
                for column in np.argsort(-likeness[row], kind="stable")[:SEEDS_NAMED]
                if likeness[row, column] >= self.tuning.similarity_floor
            ]
            evidence = tuple(
                Evidence(seeds[column].because, content_id=seeds[column].id) for column in closest
            )
            found.append((ids[row], evidence))
        # What is near to the whole of a taste but to nothing in it has no reason that could be told.
        return [(id_, evidence) for id_, evidence in found if evidence]


def taste_vector(
    liked: Sequence[Vector], weights: Sequence[float], disliked: Sequence[Vector], away: float
) -> Vector:
    """The weighted mean of what is liked, pushed away from the mean of what is not; of unit length.

    After Rocchio, "Relevance feedback in information retrieval", 1971.
    """
    around = np.average(np.stack(liked), axis=0, weights=weights)
    if disliked:
        around = around - away * np.mean(np.stack(disliked), axis=0)
    length = float(np.linalg.norm(around))
    unit: Vector = (around / length if length > 0 else liked[0]).astype(np.float32)
    return unit
