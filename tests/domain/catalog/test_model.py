"""Values of the catalogue."""

import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.catalog.model import (
    Album,
    Content,
    Episode,
    Movie,
    Offer,
    OfferKind,
    Season,
    Series,
    Track,
    normalised,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Matrix", "the matrix"),
        ("  AMÉLIE  ", "amelie"),
        ("Schindler's List", "schindlers list"),
        ("Schindler\N{RIGHT SINGLE QUOTATION MARK}s List", "schindlers list"),
        ("WALL·E", "wall e"),
        ("snake_case", "snake case"),
        ("Straße", "strasse"),
        ("İstanbul", "istanbul"),
        ("Brand™ ℡", "brandtm tel"),
        ("ﬁlm", "film"),
        ("Se7en", "se7en"),
        ("七人の侍", "七人の侍"),
        ("कील", "कील"),
        ("ผีเสื้อ", "ผีเสือ"),
        ("❤\ufe0f Love", "love"),
        ("!?…", ""),
        ("", ""),
    ],
)
def test_titles_are_compared_without_case_accents_and_punctuation(text: str, expected: str) -> None:
    assert normalised(text) == unicodedata.normalize("NFKD", expected)


def test_vowel_signs_tell_titles_apart() -> None:
    assert normalised("काल") != normalised("कील")


@given(st.text())
@example("℡")
@example("ΐ")
@example("ŉ's")
@example("ᾈ")
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalised(text)

    assert normalised(once) == once


@given(st.text())
def test_case_form_and_space_around_do_not_matter(text: str) -> None:
    assert normalised(f" {text}\t") == normalised(text)
    assert normalised(unicodedata.normalize("NFD", text)) == normalised(text)
    assert normalised(unicodedata.normalize("NFC", text)) == normalised(text)
    assert normalised(text.casefold()) == normalised(text)


@given(st.text())
def test_what_is_left_are_words_with_single_spaces(text: str) -> None:
    found = normalised(text)

    assert found == " ".join(found.split())
    assert not any(unicodedata.category(c)[0] in "PSC" or unicodedata.combining(c) for c in found)


@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_is_compared_as_every_other_text(text: str) -> None:
    assert normalised(text + " é") == f"{normalised(text)} e".strip()


def offer(available_from: datetime | None = None, expires_at: datetime | None = None) -> Offer:
    return Offer(
        content_id=1,
        kind=OfferKind.FREE,
        region="US",
        platform_id="netflix",
        link_id="1",
        price=None,
        quality=None,
        available_from=available_from,
        expires_at=expires_at,
        last_verified_at=NOW,
        demonstration=False,
    )


@pytest.mark.parametrize(
    ("available_from", "expires_at", "stands"),
    [
        (None, None, True),
        (NOW, None, True),
        (NOW + INSTANT, None, False),
        (None, NOW, False),
        (None, NOW + INSTANT, True),
        (NOW, NOW + INSTANT, True),
        (NOW, NOW, False),
        (NOW - timedelta(days=1), NOW - INSTANT, False),
    ],
)
def test_an_offer_stands_from_its_first_instant_up_to_its_end(
    available_from: datetime | None, expires_at: datetime | None, *, stands: bool
) -> None:
    assert offer(available_from, expires_at).stands(NOW) is stands


SHARED = (1, "T", None, None, None, None, (), (), None, (), None, 0.0, NOW)


@pytest.mark.parametrize(
    ("content", "playable", "length"),
    [
        (Movie(*SHARED, runtime_seconds=60), True, 60),
        (Movie(*SHARED, runtime_seconds=None), True, None),
        (Episode(*SHARED, season_id=2, number=1, runtime_seconds=50), True, 50),
        (Track(*SHARED, album_id=2, disc=1, number=1, duration_seconds=40), True, 40),
        (Series(*SHARED, status=None, runtime_seconds=30), False, None),
        (Season(*SHARED, series_id=2, number=1, episode_count=None), False, None),
        (Album(*SHARED, label=None), False, None),
    ],
)
def test_films_episodes_and_tracks_are_what_is_played(
    content: Content, length: int | None, *, playable: bool
) -> None:
    assert content.playable is playable
    assert content.length_seconds == length
