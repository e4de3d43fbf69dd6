"""How complete and fresh a record is."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from math import exp
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalog.model import (
    Album,
    ArtworkKind,
    Content,
    Episode,
    ExternalId,
    Image,
    Movie,
    Rating,
    Season,
    Series,
    Track,
)
from domain.catalog.quality import FLOOR, FRESHNESS_WEIGHT, WEIGHTS, ContentQuality, assess

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
POSTER = Image(ArtworkKind.POSTER, "https://images.example/p.jpg", 780, 1170)
BACKDROP = Image(ArtworkKind.BACKDROP, "https://images.example/b.jpg", 1280, 720)
COVER = Image(ArtworkKind.COVER, "https://images.example/c.jpg", 600, 600)
IMAGES = (POSTER, BACKDROP)
RATINGS = (Rating("imdb", 8.0, 10.0, 1000),)
IDS = (ExternalId("imdb", "tt0069293"),)
KNOWN: dict[str, Any] = {
    "id": 1,
    "title": "Solaris",
    "original_title": None,
    "synopsis": "A psychologist travels to a distant ocean.",
    "release_date": date(1972, 3, 20),
    "year": 1972,
    "genre_ids": ("drama",),
    "keywords": (),
    "original_language": "ru",
    "countries": (),
    "maturity_rating": None,
    "popularity": 10.0,
    "updated_at": NOW,
}
MOVIE = Movie(**KNOWN, runtime_seconds=9960)


def quality(content: Content = MOVIE, now: datetime = NOW, **given: Any) -> ContentQuality:
    known = {"images": IMAGES, "ratings": RATINGS, "external_ids": IDS} | given
    return assess(content, known["images"], known["ratings"], known["external_ids"], now)


def test_the_weights_make_one() -> None:
    assert sum(WEIGHTS.values()) + FRESHNESS_WEIGHT == pytest.approx(1.0)


def test_a_complete_record_of_today_is_perfect() -> None:
    assert quality() == ContentQuality(score=1.0, missing_fields=[], freshness=1.0)


@pytest.mark.parametrize(
    ("field", "weight", "found"),
    [
        ("synopsis", 0.15, quality(replace(MOVIE, synopsis=None))),
        ("synopsis", 0.15, quality(replace(MOVIE, synopsis=""))),
        ("poster", 0.15, quality(images=[BACKDROP])),
        ("backdrop", 0.10, quality(images=[POSTER])),
        ("year", 0.05, quality(replace(MOVIE, year=None))),
        ("runtime", 0.05, quality(replace(MOVIE, runtime_seconds=None))),
        ("genres", 0.10, quality(replace(MOVIE, genre_ids=()))),
        ("ratings", 0.15, quality(ratings=[])),
        ("externalIds", 0.10, quality(external_ids=[])),
    ],
)
def test_the_score_falls_by_the_weight_of_what_is_missing(
    field: str, weight: float, found: ContentQuality
) -> None:
    assert found.missing_fields == [field]
    assert found.score == pytest.approx(1.0 - weight)


def test_a_record_with_nothing_scores_its_freshness_alone() -> None:
    empty = replace(MOVIE, synopsis=None, year=None, runtime_seconds=None, genre_ids=())

    found = quality(empty, images=[], ratings=[], external_ids=[])

    assert found.score == pytest.approx(0.15)
    assert found.missing_fields == list(WEIGHTS)


@pytest.mark.parametrize(
    ("days", "freshness"),
    [(0, 1.0), (1, exp(-0.01)), (30, exp(-0.3)), (69, exp(-0.69)), (70, 0.5), (1000, 0.5), (100_000, 0.5)],
)
def test_freshness_decays_by_the_day_down_to_its_floor(days: int, freshness: float) -> None:
    found = quality(now=NOW + timedelta(days=days))

    assert found.freshness == pytest.approx(freshness, abs=1e-4)
    assert found.score == pytest.approx(0.85 + 0.15 * freshness, abs=1e-4)


def test_a_record_of_the_future_is_fresh_not_fresher() -> None:
    assert quality(now=NOW - timedelta(days=30)).freshness == 1.0


@given(st.floats(0, 1e5), st.floats(0, 1e5))
def test_freshness_never_rises_and_stays_between_floor_and_one(first: float, second: float) -> None:
    sooner, later = sorted((first, second))

    fresher = quality(now=NOW + timedelta(days=sooner)).freshness
    staler = quality(now=NOW + timedelta(days=later)).freshness

    assert FLOOR <= staler <= fresher <= 1.0


SERIES = Series(**KNOWN, status=None, runtime_seconds=2700)
SEASON = Season(**KNOWN, series_id=1, number=1, episode_count=None)
EPISODE = Episode(**KNOWN, season_id=1, number=1, runtime_seconds=2700)
ALBUM = Album(**KNOWN, label=None)
TRACK = Track(**KNOWN, album_id=1, disc=1, number=1, duration_seconds=240)


@pytest.mark.parametrize("content", [SERIES, SEASON, EPISODE])
def test_series_and_their_parts_can_be_complete(content: Content) -> None:
    assert quality(content).missing_fields == []


@pytest.mark.parametrize("content", [ALBUM, TRACK])
def test_music_is_complete_with_a_cover(content: Content) -> None:
    assert quality(content, images=[COVER]).missing_fields == []


@pytest.mark.parametrize(
    "content",
    [
        replace(SERIES, runtime_seconds=None),
        replace(EPISODE, runtime_seconds=None),
        replace(TRACK, duration_seconds=None),
    ],
)
def test_what_plays_is_asked_for_its_length(content: Content) -> None:
    assert quality(content).missing_fields == ["runtime"]
