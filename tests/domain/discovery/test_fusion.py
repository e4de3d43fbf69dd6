import pytest

from domain.discovery.fusion import fused, ranked
from domain.discovery.model import MeaningHit, Ranking, TextHit


def text_hit(id_: int, *, popularity: float = 0.0, exact: bool = False, prefix: bool = False) -> TextHit:
    return TextHit(id_, popularity, 0.1, exact=exact, prefix=prefix, named=False)


def near(id_: int, similarity: float, popularity: float = 0.0) -> MeaningHit:
    return MeaningHit(id_, popularity, similarity, worded=False)


def test_two_lists_fuse_as_computed_by_hand() -> None:
    scores = fused([(0.35, [7, 8, 9]), (0.20, [9, 7])], 60)

    assert scores[7] == pytest.approx(0.35 / 61 + 0.20 / 62, abs=1e-12)
    assert scores[8] == pytest.approx(0.35 / 62, abs=1e-12)
    assert scores[9] == pytest.approx(0.35 / 63 + 0.20 / 61, abs=1e-12)


def test_first_in_every_list_scores_one() -> None:
    hits = ranked([text_hit(1, popularity=9)], [near(1, 0.8, 9), near(2, 0.7)], Ranking())

    assert hits[0].id == 1
    assert hits[0].score == pytest.approx(1.0)
    assert hits[1].score < 1.0


def test_exact_and_beginning_titles_precede_better_scores() -> None:
    words = [text_hit(1), text_hit(2, prefix=True), text_hit(3, exact=True)]

    hits = ranked(words, [near(1, 0.9)], Ranking())

    assert [hit.id for hit in hits] == [3, 2, 1]
    assert hits[2].score == max(hit.score for hit in hits)


def test_signals_say_where_a_work_stood() -> None:
    hits = ranked([text_hit(1, popularity=1)], [near(2, 0.6, 5), near(1, 0.5, 1)], Ranking())
    signals = {hit.id: hit.signals for hit in hits}

    assert (signals[1].keyword_rank, signals[1].semantic_rank, signals[1].popularity_rank) == (1, 2, 2)
    assert (signals[2].keyword_rank, signals[2].semantic_rank, signals[2].similarity) == (None, 1, 0.6)


def test_nothing_found_is_an_empty_list() -> None:
    assert ranked([], [], Ranking()) == []
