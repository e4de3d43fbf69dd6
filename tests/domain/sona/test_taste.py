"""What a profile says of taste."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.sona import taste
from domain.sona.model import EvidenceKind, Profile, Touch, Tuning
from domain.sync.model import Verdict

NOW = datetime(2026, 3, 1, tzinfo=UTC)
TUNING = Tuning()


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


@pytest.mark.parametrize(
    ("touch", "weight", "because"),
    [
        (Touch(1, stars=4.5), 0.9, EvidenceKind.LIKED),
        (Touch(1, verdict=Verdict.LIKE), 1.0, EvidenceKind.LIKED),
        (Touch(1, played_at=NOW, fraction=0.97, completed=True, viewings=1), 0.8, EvidenceKind.WATCHED),
        (Touch(1, played_at=NOW, fraction=0.97, completed=True, viewings=2), 1.0, EvidenceKind.WATCHED),
        (Touch(1, played_at=NOW, fraction=0.8, viewings=1), 0.8, EvidenceKind.WATCHED),
        (Touch(1, played_at=NOW, fraction=0.5, viewings=1), 0.5, EvidenceKind.WATCHED),
        (Touch(1, saved_at=NOW), 0.4, EvidenceKind.SAVED),
    ],
)
def test_engagement_by_what_was_done(touch: Touch, weight: float, because: EvidenceKind) -> None:
    found = taste.engagement(touch)

    assert found is not None
    assert found[0] == pytest.approx(weight)
    assert found[1] is because


def test_what_was_hardly_begun_or_thought_middling_says_nothing() -> None:
    assert taste.engagement(Touch(1, played_at=NOW, fraction=0.2, viewings=1)) is None
    assert taste.engagement(Touch(1, stars=3.0)) is None


def test_a_weight_fades_by_a_twentieth_in_a_month() -> None:
    assert taste.fading(ago(0), NOW) == 1.0
    assert taste.fading(ago(30), NOW) == pytest.approx(0.95)
    assert taste.fading(ago(60), NOW) == pytest.approx(0.9025)
    assert taste.fading(NOW + timedelta(hours=1), NOW) == 1.0


def test_seeds_are_the_latest_and_the_strongest_of_the_rest() -> None:
    latest = [Touch(n, played_at=ago(n), completed=True) for n in range(1, 9)]
    older = [Touch(n, played_at=ago(n), fraction=0.5) for n in range(9, 20)]
    liked = Touch(99, verdict=Verdict.LIKE, reacted_at=ago(100))

    seeds = taste.read(Profile("a", (*latest, *older, liked)), NOW, TUNING).liked

    assert [seed.id for seed in seeds[:8]] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert seeds[8].id == 99
    assert len(seeds) == 12


def test_saved_titles_only_fill_up() -> None:
    saved = [Touch(100 + n, saved_at=ago(n)) for n in range(20)]
    watched = [Touch(n, played_at=ago(50 + n), completed=True) for n in range(3)]

    seeds = taste.read(Profile("a", (*saved, *watched)), NOW, TUNING).liked

    assert [seed.id for seed in seeds] == [0, 1, 2, 100, 101, 102, 103, 104]


def test_the_disliked_are_no_seeds_and_count_against_their_genres() -> None:
    touches = (
        Touch(1, ("drama", "war"), played_at=ago(1), completed=True),
        Touch(2, ("drama",), played_at=ago(2), completed=True),
        Touch(3, ("war",), verdict=Verdict.DISLIKE, reacted_at=ago(1), played_at=ago(1), completed=True),
        Touch(4, ("horror",), stars=1.0, reacted_at=ago(2)),
        Touch(5, (), verdict=Verdict.NOT_INTERESTED, reacted_at=ago(3)),
    )

    read = taste.read(Profile("a", touches), NOW, TUNING)

    assert [seed.id for seed in read.liked] == [1, 2]
    assert read.disliked == (3, 4, 5)
    assert read.genres == {"drama": 1.0}


def test_a_profile_is_another_when_it_matters_and_the_same_while_a_player_steps_on() -> None:
    begun = Profile("a", (Touch(1, played_at=ago(1), fraction=0.31),))
    further = Profile("a", (Touch(1, played_at=ago(1) + timedelta(seconds=10), fraction=0.32),))
    finished = Profile("a", (Touch(1, played_at=ago(1), fraction=0.96, completed=True),))

    assert begun.fingerprint == further.fingerprint
    assert begun.fingerprint != finished.fingerprint
