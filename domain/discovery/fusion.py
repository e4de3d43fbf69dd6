"""Several ranked lists into one: reciprocal rank fusion.

score(d) = Σ weight / (k + rank), rank from 1; Cormack, Clarke and Büttcher, SIGIR 2009.
"""

from collections.abc import Mapping, Sequence

from domain.discovery.model import Hit, MeaningHit, Ranking, Signals, TextHit

EXACT, PREFIX, NAMED, OTHER = 3, 2, 1, 0


def fused(lists: Sequence[tuple[float, Sequence[int]]], rank_constant: int) -> dict[int, float]:
    """The score of each id in weighted lists of ids, best first; a list adds nothing to what it lacks."""
    scores: dict[int, float] = {}
    for weight, ids in lists:
        for rank, id_ in enumerate(ids, start=1):
            scores[id_] = scores.get(id_, 0.0) + weight / (rank_constant + rank)
    return scores


def ranked(words: Sequence[TextHit], meaning: Sequence[MeaningHit], ranking: Ranking) -> list[Hit]:
    """The hits of both strategies, each best first, as one list; the best possible score is 1."""
    weights = ranking.weights
    popularity = {hit.id: hit.popularity for hit in words} | {hit.id: hit.popularity for hit in meaning}
    known = sorted(popularity, key=lambda id_: (-popularity[id_], id_))
    lists = [
        (weights.keyword, [hit.id for hit in words]),
        (weights.semantic, [hit.id for hit in meaning]),
        (weights.popularity, known),
    ]
    used = [(weight, ids) for weight, ids in lists if ids]
    scores = fused(used, ranking.rank_constant)
    best = sum(weight for weight, _ in used) / (ranking.rank_constant + 1)
    signals = _signals(words, meaning, known)
    hits = [Hit(id_, _tier(signals[id_]), scores[id_] / best, signals[id_]) for id_ in known]
    return sorted(hits, key=lambda hit: (-hit.tier, -hit.score, hit.id))


def _signals(
    words: Sequence[TextHit], meaning: Sequence[MeaningHit], known: Sequence[int]
) -> Mapping[int, Signals]:
    worded = {hit.id: (rank, hit) for rank, hit in enumerate(words, start=1)}
    near = {hit.id: (rank, hit) for rank, hit in enumerate(meaning, start=1)}
    signals = {}
    for rank, id_ in enumerate(known, start=1):
        keyword_rank, word = worded.get(id_, (None, None))
        semantic_rank, neighbour = near.get(id_, (None, None))
        signals[id_] = Signals(
            exact_title=word is not None and word.exact,
            title_prefix=word is not None and word.prefix,
            named=word is not None and word.named,
            keyword_rank=keyword_rank,
            semantic_rank=semantic_rank,
            similarity=None if neighbour is None else neighbour.similarity,
            popularity_rank=rank,
        )
    return signals


def _tier(signals: Signals) -> int:
    if signals.exact_title:
        return EXACT
    if signals.title_prefix:
        return PREFIX
    return NAMED if signals.named else OTHER
