"""Several ranked lists into one: weighted reciprocal rank fusion.

score(d) = Σ weight / (k + rank), rank from 1; Cormack, Clarke and Büttcher, SIGIR 2009. The weights are those
of the lists that have anything, made to sum to 1, so that a source that is silent takes nothing away.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from domain.sona.model import Candidate, Evidence

KEPT_EVIDENCE = 6

Found = Sequence[tuple[int, tuple[Evidence, ...]]]
"""What one source found, best first, each work with what speaks for it."""


@dataclass(frozen=True, slots=True)
class Source:
    """A source's answer and how much it counts."""

    weight: float
    found: Found


def fused(sources: Sequence[Source], rank_constant: int) -> list[Candidate]:
    """The works of all sources, best first; what all of them have first would score 1."""
    answered = [source for source in sources if source.found]
    best = sum(source.weight for source in answered) / (rank_constant + 1)
    scores: defaultdict[int, float] = defaultdict(float)
    told: defaultdict[int, list[tuple[float, tuple[Evidence, ...]]]] = defaultdict(list)
    for source in answered:
        for rank, (id_, evidence) in enumerate(source.found, start=1):
            share = source.weight / (rank_constant + rank) / best
            scores[id_] += share
            told[id_].append((share, evidence))
    candidates = [Candidate(id_, score, _strongest_first(told[id_])) for id_, score in scores.items()]
    return sorted(candidates, key=lambda candidate: (-candidate.score, candidate.id))


def _strongest_first(told: list[tuple[float, tuple[Evidence, ...]]]) -> tuple[Evidence, ...]:
    told.sort(key=lambda entry: -entry[0])
    distinct = dict.fromkeys(evidence for _, group in told for evidence in group)
    return tuple(distinct)[:KEPT_EVIDENCE]
