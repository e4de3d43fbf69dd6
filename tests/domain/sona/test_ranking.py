"""Fusion, diversity and what is kept of rankings."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from domain.catalog.filters import Filter
from domain.sona.diversity import arranged, likeness, mmr, vectors_of
from domain.sona.fusion import Source, fused
from domain.sona.model import Candidate, Evidence, EvidenceKind, Trended, Tuning, Work
from domain.sona.nearness import taste_vector
from domain.sona.service import Snapshot
from domain.sona.snapshots import Kept, KeptTrends

POPULAR = Evidence(EvidenceKind.POPULAR)
GENRE = Evidence(EvidenceKind.GENRE, genre_id="drama")


def work(id_: int, *genres: str, keywords: tuple[str, ...] = (), people: tuple[int, ...] = ()) -> Work:
    return Work(id_, "movie", genres, keywords, people, 10.0, None, fits=True)


def test_scores_are_weighted_reciprocal_ranks_over_the_sources_that_answered() -> None:
    found = fused(
        [
            Source(0.3, [(1, (GENRE,)), (2, (GENRE,))]),
            Source(0.1, [(2, (POPULAR,))]),
            Source(0.6, []),
        ],
        60,
    )

    best = 0.4 / 61
    assert [candidate.id for candidate in found] == [2, 1]
    assert found[0].score == pytest.approx((0.3 / 62 + 0.1 / 61) / best)
    assert found[1].score == pytest.approx(0.3 / 61 / best)
    assert found[0].evidence == (GENRE, POPULAR)


def test_what_every_source_has_first_scores_one() -> None:
    [first] = fused([Source(0.3, [(1, (GENRE,))]), Source(0.2, [(1, (GENRE,))])], 60)

    assert first.score == pytest.approx(1.0)
    assert first.evidence == (GENRE,)


def test_equal_works_point_the_same_way_and_works_with_nothing_in_common_do_not() -> None:
    one, same, other, empty = vectors_of(
        [
            work(1, "drama", keywords=("sea",), people=(7,)),
            work(2, "drama", keywords=("sea",), people=(7,)),
            work(3, "war", keywords=("snow",), people=(8,)),
            work(4),
        ]
    )

    assert float(one @ same) == pytest.approx(1.0)
    assert abs(float(one @ other)) < 0.5
    assert not empty.any()


def test_without_weight_on_likeness_the_order_is_that_of_relevance() -> None:
    features = vectors_of([work(n, "drama") for n in range(4)])
    relevance = np.array([0.2, 1.0, 0.7, 0.5], np.float32)

    assert mmr(relevance, features, 1.0, 10) == [1, 2, 3, 0]


def test_a_duplicate_falls_behind_what_is_different() -> None:
    features = vectors_of([work(1, "drama", "war"), work(2, "drama", "war"), work(3, "comedy")])
    relevance = np.array([1.0, 0.95, 0.8], np.float32)

    assert mmr(relevance, features, 0.7, 10) == [0, 2, 1]
    assert mmr(relevance, features, 0.7, 2) == [0, 2]


def test_likeness_is_that_to_the_most_alike() -> None:
    features = vectors_of([work(1, "drama"), work(2, "war")])
    others = vectors_of([work(3, "drama"), work(4, "drama", "war")])

    assert likeness(features, others)[0] == pytest.approx(1.0)
    assert likeness(features, others[:0]).tolist() == [0.0, 0.0]


def test_the_works_that_are_not_known_are_left_out_of_an_arrangement() -> None:
    candidates = [Candidate(1, 0.5, (GENRE,)), Candidate(2, 0.4, (GENRE,))]

    found = arranged(candidates, {2: work(2, "drama")}, [], None, Tuning())

    assert found == [Candidate(2, 1.0, (GENRE,))]


def test_equal_relevance_still_gives_falling_scores() -> None:
    works = {n: work(n, f"genre {n}") for n in range(5)}
    candidates = [Candidate(n, 0.5, (GENRE,)) for n in works]

    scores = [item.score for item in arranged(candidates, works, [], None, Tuning())]

    assert scores == [1.0, 0.999999, 0.999998, 0.999997, 0.999996]


def test_taste_is_the_weighted_mean_pushed_away_from_the_disliked() -> None:
    right, up = np.array([1, 0], np.float32), np.array([0, 1], np.float32)

    mean = taste_vector([right, up], [0.8, 0.6], [], 0.4)
    away = taste_vector([right], [1.0], [up], 0.5)

    assert mean.tolist() == pytest.approx([0.8, 0.6])
    assert away.tolist() == pytest.approx([1 / 1.25**0.5, -0.5 / 1.25**0.5])


def test_kept_values_lapse_and_the_oldest_give_way() -> None:
    seconds = [0.0]
    kept: Kept[str, int] = Kept(lambda: seconds[0], most=2, seconds=10)
    kept.put("a", 1)
    kept.put("b", 2)
    assert kept.get("a") == 1

    kept.put("c", 3)

    assert (kept.get("a"), kept.get("b"), kept.get("c")) == (1, None, 3)
    seconds[0] = 10.0
    assert (kept.get("a"), kept.get("c")) == (None, None)


async def test_trends_are_asked_once_a_question() -> None:
    asked: list[str | None] = []

    async def ask(wanted: Filter, region: str | None, as_of: datetime) -> list[Trended]:
        asked.append(region)
        return [Trended(1, 2.0)]

    store: Any = Kept(lambda: 0.0)
    trends = KeptTrends(ask, store)
    minute = datetime(2026, 3, 1, tzinfo=UTC)

    answers = [await trends(Filter(), region, minute) for region in (None, None, "DE")]

    assert answers == [[Trended(1, 2.0)]] * 3
    assert asked == [None, "DE"]


def test_a_snapshot_is_read_back_from_its_text() -> None:
    snapshot = Snapshot(datetime(2026, 3, 1, 20, 30, tzinfo=UTC), "0123456789abcdef")

    assert Snapshot.parse(str(snapshot)) == snapshot
    for text in ("", "1.2", "x.0123456789abcdef", None, 5):
        assert Snapshot.parse(text) is None
