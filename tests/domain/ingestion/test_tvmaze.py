import json
from typing import Any

import pytest

from domain.catalog.model import ArtworkKind, ContentKind, ExternalId, Image, Rating, SeriesStatus
from domain.ingestion.lines import Line
from domain.ingestion.model import Origin, Refusal, Work
from domain.ingestion.tvmaze import parse, plain

RECORD: dict[str, Any] = {
    "id": 465,
    "name": "Band of Brothers",
    "type": "Scripted",
    "language": "English",
    "genres": ["Drama", "Action", "War"],
    "status": "Ended",
    "runtime": 60,
    "premiered": "2001-09-09",
    "rating": {"average": 9.5},
    "weight": 96,
    "network": {"name": "HBO", "country": {"code": "US"}},
    "webChannel": None,
    "externals": {"tvrage": 2708, "thetvdb": 74205, "imdb": "tt0185906"},
    "image": {"medium": "http://example.com/m.jpg", "original": "http://example.com/o.jpg"},
    "summary": "<p>The men of <b>Easy</b> &amp; their war.</p>",
}


def parsed(**changes: Any) -> Work | Refusal:
    (item,) = parse([Line(Origin("f", 1), json.dumps(RECORD | changes).encode())])
    return item


def work(**changes: Any) -> Work:
    item = parsed(**changes)
    assert isinstance(item, Work), item
    return item


def test_a_record_becomes_a_series() -> None:
    series = work()

    assert (series.kind, series.title, series.year) == (ContentKind.SERIES, "Band of Brothers", 2001)
    assert series.synopsis == "The men of Easy & their war."
    assert series.genres == ("drama", "action", "war")
    assert (series.status, series.runtime_seconds) == (SeriesStatus.ENDED, 3600)
    assert (series.original_language, series.countries, series.popularity) == ("en", ("US",), 96)
    assert series.external_ids == (
        ExternalId("tvmaze", "465"),
        ExternalId("imdb", "tt0185906"),
        ExternalId("tvdb", "74205"),
    )
    assert series.ratings == (Rating("tvmaze", 9.5, 10.0, None),)
    assert series.artwork == (Image(ArtworkKind.POSTER, "https://example.com/o.jpg", None, None),)


def test_what_is_unknown_stays_unknown() -> None:
    series = work(
        rating={"average": None}, externals=None, image=None, network=None, premiered=None, summary=None,
        status="Paused by the moon", language="Elvish",
    )  # fmt: skip

    assert (series.ratings, series.artwork, series.countries) == ((), (), ())
    assert (series.year, series.synopsis, series.status, series.original_language) == (None,) * 4
    assert series.external_ids == (ExternalId("tvmaze", "465"),)


def test_the_type_is_a_genre_where_it_says_more_than_scripted() -> None:
    assert work(type="Reality", genres=["Food"]).genres == ("reality",)
    assert work(type="Animation", genres=["Comedy", "Anime"]).genres == ("comedy", "animation")


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>One.</p><p>Two  <i>three</i></p>", "One.\nTwo three"),
        ("a<br/>b", "a\nb"),
        ("x &lt;script&gt; &eacute;", "x <script> é"),
        ("<script>alert(1)</script>safe<style>p{}</style>", "safe"),
        ("<p>never <b>closed", "never closed"),
        ("", ""),
    ],
)
def test_markup_becomes_plain_text(markup: str, text: str) -> None:
    assert plain(markup) == text


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": None}, "name"),
        ({"id": None}, "id"),
        ({"externals": {"imdb": "nm1"}}, "externals.imdb"),
        ({"rating": {"average": 11}}, "rating.average"),
        ({"rating": 9}, "rating"),
        ({"image": {"original": "javascript:alert(1)"}}, "image"),
        ({"summary": "x" * 5001}, "summary"),
        ({"summary": "&#0;" + "x\0"}, "summary"),
        ({"premiered": "1701-01-01"}, "premiered"),
        ({"network": {"country": {"code": "usa"}}}, "network.country.code"),
    ],
)
def test_what_breaks_a_rule_is_refused_by_its_field(changes: dict[str, Any], field: str) -> None:
    refusal = parsed(**changes)

    assert isinstance(refusal, Refusal)
    assert refusal.field == field
