import pytest

from domain.discovery.model import Suggestion, SuggestionKind
from domain.discovery.postgres_suggestions import PostgresSuggestions
from domain.platform.postgres import Database
from tests.domain.discovery.works import add_works, work
from tests.servers import StatementCounter


@pytest.fixture
async def suggestions(database: Database) -> PostgresSuggestions:
    await add_works(
        database,
        work("Dark City", popularity=50.0, cast=("Rufus Sewell",)),
        work("The Dark Knight", popularity=90.0, cast=("Christian Bale",)),
        work("Darkman", popularity=30.0),
        work("A Scanner Darkly", popularity=60.0, cast=("Keanu Reeves",)),
        work("Drama Queen", popularity=10.0, cast=("Dara Darko",)),
    )
    return PostgresSuggestions(database)


async def texts(suggestions: PostgresSuggestions, prefix: str, limit: int = 8) -> list[str]:
    return [suggestion.text for suggestion in await suggestions.suggest(prefix, limit)]


async def test_titles_that_begin_so_come_first_by_popularity(suggestions: PostgresSuggestions) -> None:
    found = await texts(suggestions, "DARK")

    assert found == ["The Dark Knight", "Dark City", "Darkman", "Dara Darko", "A Scanner Darkly"]


async def test_a_surname_finds_the_person(suggestions: PostgresSuggestions, database: Database) -> None:
    reeves = await database.value("SELECT id FROM person WHERE name = 'Keanu Reeves'")

    found = await suggestions.suggest("reev", 8)

    assert found == [Suggestion("Keanu Reeves", SuggestionKind.PERSON, person_id=reeves)]


async def test_words_before_the_last_are_whole(suggestions: PostgresSuggestions) -> None:
    assert await texts(suggestions, "keanu r") == ["Keanu Reeves"]
    assert await texts(suggestions, "kean r") == []
    assert await texts(suggestions, "scanner da") == ["A Scanner Darkly"]


async def test_genres_and_platforms_are_named(suggestions: PostgresSuggestions) -> None:
    drama = await suggestions.suggest("dram", 8)
    netflix = await suggestions.suggest("netf", 8)

    assert [(found.text, found.kind) for found in drama[:2]] == [
        ("Drama Queen", SuggestionKind.TITLE),
        ("Drama", SuggestionKind.GENRE),
    ]
    assert [(found.text, found.platform_id) for found in netflix] == [("Netflix", "netflix")]


async def test_no_more_than_asked_for_and_none_twice(suggestions: PostgresSuggestions) -> None:
    found = await texts(suggestions, "d", 3)

    assert found == ["The Dark Knight", "Dark City", "Darkman"]
    assert len(await texts(suggestions, "dark", 2)) == 2


@pytest.mark.parametrize("prefix", ["", " ", "!?", "\x00", "🎬", "'"])
async def test_nothing_typed_is_nothing_asked(
    suggestions: PostgresSuggestions, statements: StatementCounter, prefix: str
) -> None:
    statements.clear()

    assert await suggestions.suggest(prefix, 8) == []
    assert statements.seen == []


@pytest.mark.parametrize(
    "prefix", ["'dark", "dark' & !x", "dark:*", "dark\\", "d%_", "\ud800dark", "x" * 500]
)
async def test_hostile_prefixes_are_only_words(suggestions: PostgresSuggestions, prefix: str) -> None:
    assert isinstance(await suggestions.suggest(prefix, 8), list)


async def test_three_statements_however_much_is_found(
    suggestions: PostgresSuggestions, statements: StatementCounter
) -> None:
    statements.clear()

    await suggestions.suggest("dark", 20)

    assert len(statements.seen) == 3
