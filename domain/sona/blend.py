"""Recommends without having learnt: vectors, shared people and themes, genres, mood, trends, popularity.

Fills `Recommender`; a learning engine takes its place, or becomes one more source in it.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic

import numpy as np

from domain.platform.tracing import span
from domain.platform.vectors import Among, Vector, VectorIndex, VectorsUnavailable
from domain.sona import taste
from domain.sona.fusion import Source, fused
from domain.sona.model import (
    MOOD_GENRES,
    Candidate,
    Evidence,
    EvidenceKind,
    Mood,
    Profile,
    Relation,
    Seed,
    Shelf,
    Shelved,
    SimilarityKind,
    Taste,
    Trended,
    Tuning,
    Wanted,
)
from domain.sona.service import CatalogueReads
from domain.sona.snapshots import Trending

Found = list[tuple[int, tuple[Evidence, ...]]]

POPULAR = Shelf()
SHARED = (SimilarityKind.PEOPLE, SimilarityKind.KEYWORD)
VECTOR_SECONDS = 0.4
"""After this no further seed is searched around."""
HIDDEN, WIDENING = 300, 3
EVIDENCE_EACH = 2
"""Seeds, people or themes that one source names for a work."""


@dataclass(frozen=True, slots=True)
class _Findings:
    """What the sources answered."""

    affinity: Mapping[str, float]
    liked: Sequence[str]
    mood: Mood | None
    related: Mapping[int, Sequence[Relation]]
    shelved: Mapping[Shelf, Sequence[Shelved]]
    trends: Sequence[Trended]
    near: Found


@dataclass(frozen=True)
class Blend:
    """Many sources, fused by reciprocal rank; without vectors it goes on with the rest."""

    reads: CatalogueReads
    trending: Trending
    vectors: VectorIndex
    tuning: Tuning = field(default_factory=Tuning)
    fallbacks: Counter[str] = field(default_factory=Counter)
    """How often a list was made without vectors, by the reason."""

    async def for_viewer(self, profile: Profile, wanted: Wanted, limit: int) -> list[Candidate]:
        seen = taste.read(profile, wanted.as_of, self.tuning)
        mood = wanted.circumstances.mood
        liked = tuple(seen.genres)[: self.tuning.liked_genres]
        moody = MOOD_GENRES[mood] if mood else ()
        shelves = [POPULAR, *(Shelf(genre=genre) for genre in dict.fromkeys((*liked, *moody)))]
        with span("recommend", seeds=len(seen.liked)):
            related, shelved, trends, near = await asyncio.gather(
                self._related(seen, profile, wanted),
                self.reads.shelves(shelves, wanted.filter, profile.known, self.tuning.shelf),
                self.trending(wanted.filter, wanted.circumstances.region, wanted.as_of),
                self._near(seen, profile, wanted),
            )
        findings = _Findings(seen.genres, liked, mood, related, shelved, trends, near)
        found = await asyncio.to_thread(self._fused, seen.liked, findings)
        return [candidate for candidate in found if candidate.id not in profile.known][:limit]

    def _fused(self, seeds: Sequence[Seed], findings: _Findings) -> list[Candidate]:
        weights, shelved = self.tuning.weights, findings.shelved
        sources = [
            Source(weights.vectors, findings.near),
            Source(weights.people, _shared(seeds, findings.related, SimilarityKind.PEOPLE)),
            Source(weights.themes, _shared(seeds, findings.related, SimilarityKind.KEYWORD)),
            Source(weights.genres, _of_genres(findings.affinity, findings.liked, shelved)),
            Source(weights.mood, _of_mood(findings.mood, shelved)),
            Source(weights.trending, self._trending(findings.trends)),
            Source(weights.popular, _popular(shelved.get(POPULAR, ()))),
        ]
        return fused(sources, self.tuning.rank_constant)

    async def _related(
        self, seen: Taste, profile: Profile, wanted: Wanted
    ) -> Mapping[int, Sequence[Relation]]:
        if not seen.liked:
            return {}
        ids = [seed.id for seed in seen.liked]
        limit = self.tuning.related_per_seed
        return await self.reads.related(ids, SHARED, wanted.filter, profile.known, limit)

    async def _near(self, seen: Taste, profile: Profile, wanted: Wanted) -> Found:
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
            among=among_of(wanted),
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
                for column in np.argsort(-likeness[row], kind="stable")[:EVIDENCE_EACH]
                if likeness[row, column] >= self.tuning.similarity_floor
            ]
            evidence = tuple(
                Evidence(seeds[column].because, content_id=seeds[column].id) for column in closest
            )
            found.append((ids[row], evidence))
        # What is near to the whole of a taste but to nothing in it has no reason that could be told.
        return [(id_, evidence) for id_, evidence in found if evidence]

    def _trending(self, trends: Sequence[Trended]) -> Found:
        evidence = (Evidence(EvidenceKind.TRENDING, value=str(self.tuning.trend_days)),)
        return [(trended.id, evidence) for trended in trends]


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


def among_of(wanted: Wanted) -> Among:
    """What of the filter a vector index knows well; the rest is asked of the records afterwards."""
    kinds = wanted.filter.kinds
    return Among(
        kinds=None if kinds is None else tuple(kind.value for kind in kinds),
        genres=wanted.filter.genres,
        languages=wanted.filter.languages,
        year_from=wanted.filter.year_from,
        year_to=wanted.filter.year_to,
    )


def _shared(seeds: Sequence[Seed], related: Mapping[int, Sequence[Relation]], kind: SimilarityKind) -> Found:
    """Works by what they share with all seeds together, each kind of sharing within its own scale."""
    scores: defaultdict[int, float] = defaultdict(float)
    told: dict[int, list[tuple[float, Evidence]]] = {}
    for seed in seeds:
        relations = [relation for relation in related.get(seed.id, ()) if relation.kind is kind]
        best = max((relation.score for relation in relations), default=1.0)
        for relation in relations:
            score = seed.weight * relation.score / best
            scores[relation.id] += score
            told.setdefault(relation.id, []).append((score, _evidence(kind, relation.evidence[0], seed.id)))
    found: Found = []
    for id_ in sorted(scores, key=lambda key: (-scores[key], key)):
        told[id_].sort(key=lambda entry: -entry[0])
        distinct = dict.fromkeys(evidence for _, evidence in told[id_])
        found.append((id_, tuple(distinct)[:EVIDENCE_EACH]))
    return found


def _evidence(kind: SimilarityKind, subject: str, seed_id: int) -> Evidence:
    if kind is SimilarityKind.PEOPLE:
        return Evidence(EvidenceKind.PERSON, content_id=seed_id, person_id=int(subject))
    return Evidence(EvidenceKind.THEME, content_id=seed_id, value=subject)


def _of_genres(
    affinity: Mapping[str, float],
    liked: Sequence[str],
    shelved: Mapping[Shelf, Sequence[Shelved]],
) -> Found:
    scores: dict[int, float] = {}
    evidence: dict[int, tuple[Evidence, ...]] = {}
    for work in _on(shelved, liked):
        shared = [genre for genre in liked if genre in work.genres]
        fit = sum(affinity[genre] for genre in shared) / max(1, len(work.genres)) ** 0.5
        scores[work.id] = fit * (1 + work.popularity / 100)
        evidence[work.id] = tuple(
            Evidence(EvidenceKind.GENRE, genre_id=genre) for genre in shared[:EVIDENCE_EACH]
        )
    return [(id_, evidence[id_]) for id_ in sorted(scores, key=lambda key: (-scores[key], key))]


def _of_mood(mood: Mood | None, shelved: Mapping[Shelf, Sequence[Shelved]]) -> Found:
    """Best known first; of works with several genres of the mood, each counts once."""
    if mood is None:
        return []
    genres = MOOD_GENRES[mood]
    works = {work.id: work for work in _on(shelved, genres)}
    ordered = sorted(works.values(), key=lambda work: (-work.popularity, work.id))
    return [
        (work.id, (Evidence(EvidenceKind.MOOD, genre_id=_first(work.genres, genres), value=mood.value),))
        for work in ordered
    ]


def _popular(works: Sequence[Shelved]) -> Found:
    return [(work.id, (Evidence(EvidenceKind.POPULAR),)) for work in works]


def _on(shelved: Mapping[Shelf, Sequence[Shelved]], genres: Sequence[str]) -> Iterator[Shelved]:
    for genre in genres:
        yield from shelved.get(Shelf(genre=genre), ())


def _first(genres: Sequence[str], wanted: Sequence[str]) -> str:
    return next(genre for genre in wanted if genre in genres)
