"""Works like a work: by meaning, people, themes and genres, for many works at once."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from domain.catalog.filters import Filter
from domain.catalog.taxonomy import GENRES
from domain.platform.vectors import VectorIndex, VectorsUnavailable
from domain.sona.model import Likeness, Relation, Shelf, Shelved, Similar, SimilarityKind, Tuning, Whole
from domain.sona.service import CatalogueReads

WEIGHTS: Mapping[SimilarityKind, float] = {
    SimilarityKind.VECTOR: 0.40,
    SimilarityKind.PEOPLE: 0.25,
    SimilarityKind.KEYWORD: 0.20,
    SimilarityKind.GENRE: 0.15,
}
VECTOR_SECONDS = 0.5
"""What the neighbours of all works of one question may take; those not reached go without."""
ANYTHING = Filter()
WELL_KNOWN = 1_000
"""Works that genres are compared with."""
RECORDED = (SimilarityKind.PEOPLE, SimilarityKind.KEYWORD)

Wishes = Mapping[Whole, set[SimilarityKind]]


@dataclass(frozen=True)
class Similarity:
    """Each kind ranks its works; the kinds are fused by reciprocal rank (see `fusion`)."""

    reads: CatalogueReads
    vectors: VectorIndex
    tuning: Tuning = field(default_factory=Tuning)
    fallbacks: Counter[str] = field(default_factory=Counter)
    """How often works were compared without vectors, by the reason."""

    async def similar(self, questions: Sequence[Likeness]) -> Mapping[Likeness, list[Similar]]:
        """What is like each work, closest first; a part is like what its whole is like.

        Four statements at most, however many works are asked about. Without vectors, the other kinds answer.
        """
        wholes = await self.reads.wholes(list({question.content_id for question in questions}))
        wanted: defaultdict[Whole, set[SimilarityKind]] = defaultdict(set)
        for question in questions:
            if question.content_id in wholes:
                wanted[wholes[question.content_id]].update(question.kinds)
        answers = await asyncio.gather(self._related(wanted), self._by_genre(wanted), self._near(wanted))
        relations = {
            whole: [relation for answer in answers for relation in answer.get(whole.id, ())]
            for whole in wanted
        }
        return {
            question: self._fused(relations[wholes[question.content_id]], question.kinds)
            for question in questions
            if question.content_id in wholes
        }

    async def _related(self, wanted: Wishes) -> Mapping[int, Sequence[Relation]]:
        kinds = sorted({kind for kinds in wanted.values() for kind in kinds if kind in RECORDED})
        if not kinds:
            return {}
        ids = [whole.id for whole in wanted]
        return await self.reads.related(ids, kinds, ANYTHING, (), self.tuning.similar)

    async def _by_genre(self, wanted: Wishes) -> Mapping[int, list[Relation]]:
        """By Jaccard's index of the genres, among the best known: a genre says little of the others."""
        asked = [whole for whole, kinds in wanted.items() if SimilarityKind.GENRE in kinds and whole.genres]
        if not asked:
            return {}
        shelf = Shelf()
        known = (await self.reads.shelves([shelf], ANYTHING, (), WELL_KNOWN)).get(shelf, ())
        return await asyncio.to_thread(_alike_in_genre, asked, known, self.tuning.similar)

    async def _near(self, wanted: Wishes) -> Mapping[int, list[Relation]]:
        ids = [whole.id for whole, kinds in wanted.items() if SimilarityKind.VECTOR in kinds]
        found = await self._neighbours(ids) if ids else {}
        everything = {relation.id for relations in found.values() for relation in relations}
        if not everything:
            return {}
        listed = await self.reads.fitting(sorted(everything), ANYTHING)
        return {
            id_: [relation for relation in relations if relation.id in listed]
            for id_, relations in found.items()
        }

    async def _neighbours(self, ids: Sequence[int]) -> Mapping[int, list[Relation]]:
        """One after the other: an index in this process answers them so anyway, each within its deadline."""
        found: dict[int, list[Relation]] = {}
        until = monotonic() + VECTOR_SECONDS
        try:
            if await self.vectors.space() is None:
                self.fallbacks["no vectors yet"] += 1
                return found
            for id_, vector in (await self.vectors.vectors(ids)).items():
                if monotonic() > until:
                    self.fallbacks["slow"] += 1
                    break
                neighbours = await self.vectors.nearest(
                    vector, self.tuning.similar, excluding=[id_], floor=self.tuning.similarity_floor
                )
                found[id_] = [
                    Relation(neighbour.id, SimilarityKind.VECTOR, neighbour.similarity, ())
                    for neighbour in neighbours
                ]
        except VectorsUnavailable:
            self.fallbacks["vectors"] += 1
        return found

    def _fused(self, relations: Sequence[Relation], kinds: Sequence[SimilarityKind]) -> list[Similar]:
        ranked: defaultdict[SimilarityKind, list[Relation]] = defaultdict(list)
        for relation in relations:
            if relation.kind in kinds:
                ranked[relation.kind].append(relation)
        constant = self.tuning.rank_constant
        best = sum(WEIGHTS[kind] for kind in ranked) / (constant + 1)
        found: dict[int, Similar] = {}
        for kind in sorted(ranked, key=lambda kind: -WEIGHTS[kind]):
            for rank, relation in enumerate(ranked[kind], start=1):
                known = found.get(relation.id, Similar(relation.id, 0.0, ()))
                share = WEIGHTS[kind] / (constant + rank) / best
                found[relation.id] = _with(known, relation, share)
        rounded = [replace(item, score=round(item.score, 6)) for item in found.values()]
        return sorted(rounded, key=lambda item: (-item.score, item.id))[: self.tuning.similar]


def _alike_in_genre(
    asked: Sequence[Whole], known: Sequence[Shelved], limit: int
) -> dict[int, list[Relation]]:
    """Equally alike works stay in the order of `known`, best known first."""
    columns = {genre: column for column, genre in enumerate(GENRES)}

    def table(works: Sequence[Whole | Shelved]) -> NDArray[np.float32]:
        found = np.zeros((len(works), len(columns)), np.float32)
        for row, work in enumerate(works):
            found[row, [columns[genre] for genre in work.genres]] = 1
        return found

    mine, theirs = table(asked), table(known)
    shared = mine @ theirs.T
    either = mine.sum(axis=1)[:, None] + theirs.sum(axis=1)[None, :] - shared
    scores = shared / np.maximum(either, 1)
    found: dict[int, list[Relation]] = {}
    for row, whole in enumerate(asked):
        best = np.argsort(-scores[row], kind="stable")[: limit + 1]
        found[whole.id] = [
            Relation(
                known[place].id,
                SimilarityKind.GENRE,
                float(scores[row, place]),
                tuple(genre for genre in whole.genres if genre in known[place].genres),
            )
            for place in best
            if scores[row, place] > 0 and known[place].id != whole.id
        ][:limit]
    return found


def _with(known: Similar, relation: Relation, share: float) -> Similar:
    more = replace(known, score=known.score + share, kinds=(*known.kinds, relation.kind))
    match relation.kind:
        case SimilarityKind.VECTOR:
            return replace(more, similarity=relation.score)
        case SimilarityKind.PEOPLE:
            return replace(more, person_ids=tuple(int(person) for person in relation.evidence))
        case SimilarityKind.KEYWORD:
            return replace(more, keywords=relation.evidence)
        case SimilarityKind.GENRE:
            return replace(more, genre_ids=relation.evidence)
