"""Search over a real PostgreSQL, with vectors in memory."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from domain.catalog.filters import Filter, among_of
from domain.catalog.model import ContentKind, OfferKind
from domain.catalog.taxonomy import MaturityRating
from domain.discovery.model import (
    FacetField,
    HighlightField,
    Question,
    Ranking,
    Results,
    SearchMode,
)
from domain.discovery.service import Discovery
from domain.ingestion.model import WorkOffer
from domain.platform.errors import BadInput, TimedOut
from domain.platform.postgres import Database
from tests.domain.discovery.works import add_works, discovery_over, embed, work
from tests.fakes import HashingEncoder, MemoryVectors
from tests.servers import StatementCounter

ANY = Filter()


def offer(platform: str, kind: OfferKind = OfferKind.SUBSCRIPTION, region: str = "US") -> WorkOffer:
    return WorkOffer(platform, region, kind, "x")


WORKS = (
    work(
        "The Matrix",
        year=1999,
        cast=("Keanu Reeves",),
        genres=("action", "science-fiction"),
        keywords=("simulation", "hacker"),
        synopsis="A hacker learns that the world is a simulation & fights its machines.",
        original_language="en",
        maturity_rating=MaturityRating.R,
        popularity=90.0,
        offers=(offer("netflix"),),
    ),
    work(
        "The Matrix Reloaded",
        year=2003,
        cast=("Keanu Reeves",),
        genres=("action", "science-fiction"),
        synopsis="The war against the machines goes on.",
        original_language="en",
        maturity_rating=MaturityRating.R,
        popularity=70.0,
        offers=(offer("hulu"), offer("netflix", OfferKind.RENTAL)),
    ),
    work(
        "Das Boot",
        year=1981,
        genres=("war", "drama"),
        synopsis="Eine Mannschaft harrt in einem Unterseeboot aus und läuft durch gefährliche Gewässer.",
        text_language="de",
        original_language="de",
        maturity_rating=MaturityRating.R,
        popularity=60.0,
        offers=(offer("netflix"),),
    ),
    work(
        "Amelie",
        original_title="Le Fabuleux Destin d'Amélie Poulain",
        year=2001,
        genres=("comedy", "romance"),
        synopsis="Une serveuse timide change les vies des habitants de Montmartre.",
        text_language="fr",
        original_language="fr",
        maturity_rating=MaturityRating.R,
        popularity=65.0,
    ),
    work(
        "Underwater Worlds",
        kind=ContentKind.SERIES,
        year=2015,
        genres=("documentary",),
        synopsis="Divers film whales and running rivers.",
        original_language="en",
        maturity_rating=MaturityRating.TV_G,
        popularity=20.0,
        offers=(offer("netflix", region="DE"),),
    ),
)


class Found:
    """A search and what it needs to be asked more."""

    def __init__(self, discovery: Discovery, ids: dict[str, int]) -> None:
        self.discovery = discovery
        self._titles = {id_: title for title, id_ in ids.items()}

    async def results(self, query: str, wanted: Filter = ANY, **options: Any) -> Results:
        return await self.discovery.search(Question(query, **options), wanted)

    async def titles(self, query: str, wanted: Filter = ANY, **options: Any) -> list[str]:
        results = await self.results(query, wanted, **options)
        return [self._titles[hit.id] for hit in results.hits]

    async def facets(self, query: str, wanted: Filter = ANY, **options: Any) -> dict[str, dict[str, int]]:
        results = await self.results(query, wanted, **options)
        counts = await self.discovery.store.facets(results.counted, results.near, wanted)
        return {facet.value: dict(values) for facet, values in counts.items()}


@pytest.fixture
def vectors() -> MemoryVectors:
    return MemoryVectors()


@pytest.fixture
def encoder() -> HashingEncoder:
    return HashingEncoder()


@pytest.fixture
async def found(database: Database, vectors: MemoryVectors, encoder: HashingEncoder) -> Found:
    ids = await add_works(database, *WORKS)
    await embed(database, vectors, encoder)
    return Found(discovery_over(database, vectors, encoder), ids)


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("the matrix", "The Matrix"),
        ("MATRIX", "The Matrix"),
        ("matrix, the", "The Matrix"),
        ("das boot", "Das Boot"),
        ("amélie", "Amelie"),
        ("Le fabuleux destin d'Amélie Poulain", "Amelie"),
        ("fabuleux destin amelie", "Amelie"),
        ("underwater world", "Underwater Worlds"),
    ],
)
async def test_a_title_is_found_first_however_it_is_written(found: Found, query: str, title: str) -> None:
    assert (await found.titles(query, mode=SearchMode.KEYWORD))[0] == title


async def test_an_exact_title_precedes_one_that_begins_so(found: Found) -> None:
    results = await found.results("matrix")

    assert [hit.tier for hit in results.hits[:2]] == [3, 2]
    assert (await found.titles("the matrix r"))[0] == "The Matrix Reloaded"


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("keanu reeves", ["The Matrix", "The Matrix Reloaded"]),
        ("reeves hackers", ["The Matrix"]),
        ("running river", ["Underwater Worlds"]),
        ("unterseeboote", ["Das Boot"]),
        ("gefährlichen gewässern", ["Das Boot"]),
        ("serveuses timides", ["Amelie"]),
        ("the war against a machine", ["The Matrix Reloaded"]),
    ],
)
async def test_names_and_stems_are_found_in_the_language_of_the_text(
    found: Found, query: str, titles: list[str]
) -> None:
    assert await found.titles(query, mode=SearchMode.KEYWORD) == titles


async def test_meaning_finds_what_no_text_has_in_full(found: Found) -> None:
    query = "hacker simulation quxography"

    assert await found.titles(query, mode=SearchMode.SEMANTIC) == ["The Matrix"]
    assert (await found.results(query)).mode is SearchMode.HYBRID


async def test_without_meaning_some_of_the_words_are_enough(found: Found) -> None:
    results = await found.results("hacker whales", mode=SearchMode.KEYWORD)

    assert {hit.id for hit in results.hits} == {
        hit.id
        for query in ("hacker", "whales")
        for hit in (await found.results(query, mode=SearchMode.KEYWORD)).hits
    }
    assert not results.worded


@pytest.mark.parametrize(
    ("query", "mended"),
    [
        ("matirx", "matrix"),
        ("the matrx", "the matrix"),
        ("keanu revees", "keanu reeves"),
        ("ameile", "amelie"),
        ("undrewater wolrds", "underwater worlds"),
    ],
)
async def test_a_slip_is_mended_and_said_so(found: Found, query: str, mended: str) -> None:
    results = await found.results(query)

    assert results.correction is not None
    assert (results.correction.query, results.correction.original) == (mended, query)
    assert (await found.titles(query))[0] == (await found.titles(mended))[0]


async def test_exact_searches_as_written(found: Found) -> None:
    results = await found.results("matirx", exact=True, mode=SearchMode.KEYWORD)

    assert (results.correction, results.hits) == (None, ())


@pytest.mark.parametrize(
    "query", [work.title for work in WORKS] + ["whales", "gewässer", "the", "matri", "xy"]
)
async def test_words_that_the_catalogue_has_or_begins_are_not_mended(found: Found, query: str) -> None:
    assert (await found.results(query)).correction is None


async def test_the_beginning_of_a_word_is_mended_where_it_finds_nothing(
    found: Found, database: Database
) -> None:
    await add_works(database, work("Jurassic Park"), work("Om", cast=("Raj Prakash",)))

    results = await found.results("jurassic prak")

    assert results.correction is not None
    assert results.correction.query == "jurassic park"


@pytest.mark.parametrize(
    "query",
    [
        "'; DROP TABLE content; --",
        "matrix' OR '1'='1",
        'a & | ! ( ) : * <-> \\ " %_',
        "matrix\x00reloaded",
        "🎬 matrix 🎬",
        "x" * 500,
        "a " * 250,
        "\uff41\uff11",
        "七人の侍",
        "\ud800 lone",
    ],
)
async def test_hostile_queries_are_only_words(found: Found, query: str) -> None:
    results = await found.results(query)

    assert results.total >= len(results.hits)
    assert await found.discovery.store.facets(results.counted, results.near, ANY)
    assert await found.titles("das boot")


@pytest.mark.parametrize("query", ["", "   ", "?!", "🎬", "\x00", "x" * 501, "y" * 10_000])
async def test_a_query_that_nobody_can_find_is_refused_with_what_to_do(
    found: Found, query: str, statements: StatementCounter
) -> None:
    statements.clear()

    with pytest.raises(BadInput, match="`query`"):
        await found.results(query)

    assert statements.seen == []


FILTERS = [
    Filter(kinds=(ContentKind.SERIES,)),
    Filter(genres=("drama", "documentary")),
    Filter(languages=("de", "fr")),
    Filter(year_from=1990, year_to=2001),
    Filter(platforms=("netflix",)),
    Filter(platforms=("netflix",), offer_kinds=(OfferKind.RENTAL,)),
    Filter(platforms=("netflix",), region="DE"),
    Filter(offer_kinds=(OfferKind.SUBSCRIPTION,)),
    Filter(max_maturity_rating=MaturityRating.PG),
    Filter(maturity_ratings=(MaturityRating.R,), genres=("action",), year_to=2000),
]
EVERY_WORD = "matrix boot amelie underwater worlds hacker simulation"


@pytest.mark.parametrize("wanted", FILTERS)
async def test_a_filter_means_the_same_by_words_and_by_meaning(
    found: Found, database: Database, encoder: HashingEncoder, wanted: Filter
) -> None:
    discovery = replace(
        found.discovery, ranking=replace(found.discovery.ranking, similarity_floor=-1.0, near_enough=-9.0)
    )
    found = Found(discovery, await _ids(database))
    everything = set(await found.titles(EVERY_WORD, mode=SearchMode.SEMANTIC))

    by_words = await found.titles(EVERY_WORD, wanted, mode=SearchMode.KEYWORD)
    by_meaning = await found.titles(EVERY_WORD, wanted, mode=SearchMode.SEMANTIC)

    assert everything == {work.title for work in WORKS}
    assert set(by_words) == set(by_meaning) < everything
    assert by_words


async def _ids(database: Database) -> dict[str, int]:
    rows = await database.rows("SELECT title, id FROM content WHERE listed")
    return {row[0]: row[1] for row in rows}


@pytest.mark.parametrize("wanted", FILTERS)
async def test_the_index_never_leaves_out_what_the_statement_admits(
    found: Found, vectors: MemoryVectors, database: Database, wanted: Filter
) -> None:
    admitted = await found.discovery.store.by_meaning(
        dict.fromkeys((await _ids(database)).values(), 1.0), None, wanted, 100
    )

    among = among_of(wanted)

    room = vectors.rooms["words-1"]
    assert admitted
    assert all(among.admits(room[hit.id].traits) for hit in admitted)


async def test_facets_count_the_whole_result(found: Found) -> None:
    facets = await found.facets("matrix", mode=SearchMode.KEYWORD)

    assert facets == {
        "genre": {"action": 2, "science-fiction": 2},
        "platform": {"netflix": 2, "hulu": 1},
        "decade": {"1990": 1, "2000": 1},
        "kind": {"movie": 2},
        "language": {"en": 2},
        "maturity": {"R": 2},
    }


async def test_a_facet_counts_as_if_its_own_field_were_open(found: Found) -> None:
    facets = await found.facets(
        "matrix", Filter(year_from=1999, year_to=1999, platforms=("netflix",)), mode=SearchMode.KEYWORD
    )

    assert facets["decade"] == {"1990": 1, "2000": 1}
    assert facets["platform"] == {"netflix": 1}
    assert facets["genre"] == {"action": 1, "science-fiction": 1}


async def test_what_is_found_by_meaning_counts_too(found: Found) -> None:
    results = await found.results("hacker simulation quxography")
    facets = await found.facets("hacker simulation quxography")

    assert results.total == len(results.hits) == 1
    assert facets["kind"] == {"movie": 1}


async def test_a_search_is_three_statements_and_facets_one(
    found: Found, statements: StatementCounter
) -> None:
    statements.clear()
    results = await found.results("a hacker learns that the world is a simulation")
    searched = len(statements.seen)
    statements.clear()
    await found.discovery.store.facets(results.counted, results.near, ANY)

    assert results.near
    assert searched == 3  # understood, by words, by meaning
    assert len(statements.seen) == 1


async def test_a_lost_index_leaves_the_keywords(found: Found, vectors: MemoryVectors) -> None:
    expected = await found.titles("matrix", mode=SearchMode.KEYWORD)
    vectors.lost = True

    for mode in (SearchMode.HYBRID, SearchMode.SEMANTIC):
        results = await found.results("matrix", mode=mode)
        assert results.mode is SearchMode.KEYWORD
        assert await found.titles("matrix", mode=mode) == expected

    assert found.discovery.fallbacks["vectors"] == 4


async def test_a_broken_encoder_leaves_the_keywords(found: Found, encoder: HashingEncoder) -> None:
    encoder.broken = True

    results = await found.results("matrix")

    assert (results.mode, results.total) == (SearchMode.KEYWORD, 2)
    assert found.discovery.fallbacks["encoder"] == 1


async def test_the_encoder_is_used_from_when_it_is_ready(
    database: Database, vectors: MemoryVectors, encoder: HashingEncoder
) -> None:
    ids = await add_works(database, *WORKS)
    ready: list[HashingEncoder] = []
    discovery = replace(discovery_over(database, vectors, None), encoder=lambda: ready[0] if ready else None)
    found = Found(discovery, ids)
    before = (await found.results("matrix")).mode
    await embed(database, vectors, encoder)
    ready.append(encoder)

    assert before is SearchMode.KEYWORD
    assert (await found.results("matrix")).mode is SearchMode.HYBRID


async def test_vectors_of_another_encoder_are_not_compared(
    found: Found, database: Database, vectors: MemoryVectors
) -> None:
    other = Found(discovery_over(database, vectors, HashingEncoder(name="words-2")), await _ids(database))

    assert (await other.results("matrix")).mode is SearchMode.KEYWORD


async def test_meaning_that_takes_too_long_is_left_out(found: Found) -> None:
    found.discovery = replace(found.discovery, ranking=replace(found.discovery.ranking, semantic_seconds=0.0))

    assert (await found.results("matrix")).mode is SearchMode.KEYWORD
    assert found.discovery.fallbacks["slow"] == 1


async def test_texts_that_take_too_long_are_an_error(found: Found) -> None:
    found.discovery = replace(found.discovery, ranking=replace(Ranking(), keyword_seconds=0.0))

    with pytest.raises(TimedOut):
        await found.results("matrix")


async def test_highlights_mark_the_words_and_nothing_else(found: Found, database: Database) -> None:
    results = await found.results("hackers matrix")
    marks = await found.discovery.store.highlights(results.terms, [hit.id for hit in results.hits])

    by_field = {mark.field: mark for mark in marks[(await _ids(database))["The Matrix"]]}
    title, synopsis = by_field[HighlightField.TITLE], by_field[HighlightField.SYNOPSIS]
    assert [(part.text, part.matched) for part in title.fragments] == [("The ", False), ("Matrix", True)]
    assert matched(synopsis.fragments) == ["hacker"]
    assert "simulation & fights" in "".join(part.text for part in synopsis.fragments)


def matched(fragments: Sequence[Any]) -> list[str]:
    return [part.text for part in fragments if part.matched]


async def test_marks_in_a_text_are_not_taken_for_ours(found: Found, database: Database) -> None:
    ids = await add_works(database, work("Odd", synopsis="\ue000<b>odd\ue001 & <i>even</i>"))
    results = await found.results("odd")

    marks = await found.discovery.store.highlights(results.terms, [ids["Odd"]])

    fragments = [part for mark in marks[ids["Odd"]] for part in mark.fragments]
    assert not {"\ue000", "\ue001", "\ue002"} & set("".join(part.text for part in fragments))
    assert matched(fragments) == ["Odd", "odd"]


async def test_deleted_works_are_found_no_more(found: Found, database: Database) -> None:
    await database.execute("UPDATE content SET deleted_at = now() WHERE title = 'The Matrix'")

    assert await found.titles("the matrix") == ["The Matrix Reloaded"]
    assert (await found.facets("matrix"))[FacetField.DECADE] == {"2000": 1}
