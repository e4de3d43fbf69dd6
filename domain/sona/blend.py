"""Recommends without having learnt: vectors, shared people and themes, genres, mood, trends, popularity.

Fills `Recommender`; a learning engine takes its place, or becomes one more source in it.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from domain.platform.tracing import span
from domain.sona import taste
from domain.sona.fusion import Found, Source, fused
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
from domain.sona.nearness import Nearness
from domain.sona.service import CatalogueReads
from domain.sona.snapshots import Trending

POPULAR = Shelf()
SHARED = (SimilarityKind.PEOPLE, SimilarityKind.KEYWORD)
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
    nearness: Nearness
    tuning: Tuning = field(default_factory=Tuning)

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
                self.nearness.near(seen, profile, wanted),
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

    def _trending(self, trends: Sequence[Trended]) -> Found:
        evidence = (Evidence(EvidenceKind.TRENDING, value=str(self.tuning.trend_days)),)
        return [(trended.id, evidence) for trended in trends]


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
    found = []
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
