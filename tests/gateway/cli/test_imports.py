import json
from pathlib import Path

import pytest

from domain.platform.postgres import Database
from migrations import run
from tests.catalogue import add_movie
from tests.gateway.cli.conftest import Command

FILM = {
    "tmdb_id": 329865,
    "imdb_id": "tt2543164",
    "title": "Arrival",
    "original_title": "Arrival",
    "year": 2016,
    "release_date": "2016-11-10",
    "genres": ["Drama", "Science Fiction"],
}


@pytest.mark.usefixtures("empty_database_url")
def test_an_import_counts_what_it_did_and_names_what_it_refused(command: Command) -> None:
    command("migrate", "up")
    Path("films.jsonl").write_text(json.dumps(FILM) + "\n{broken\n", "utf-8")

    first = command("import", "tmdb5000", "films.jsonl")
    second = command("import", "tmdb5000", "films.jsonl")

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "films.jsonl: 1 created, 1 refused in" in first.stderr
    assert "refused films.jsonl:2" in first.stderr
    assert "films.jsonl: 1 unchanged, 1 refused in" in second.stderr


def test_a_file_that_is_not_there_is_one_line(command: Command) -> None:
    shown = command("import", "tvmaze", "nowhere.jsonl")

    assert shown.exit_code == 2
    assert "nowhere.jsonl" in shown.stderr
    assert shown.stderr.count("\n") == 1


HISTORY = [
    {"watched_at": "2020-05-01T20:00:00Z", "movie": {"title": "Arrival", "year": 2016, "ids": {}}},
    {"watched_at": "2020-05-01T20:00:00Z", "movie": {"title": "Nowhere", "year": 2016, "ids": {}}},
]


@pytest.fixture
async def ada(empty_database_url: str) -> str:
    """An account, and one film."""
    await run.up(empty_database_url)
    async with Database.open(empty_database_url, min_connections=1) as database:
        await database.execute(
            """INSERT INTO account (id, email, display_name)
               VALUES (gen_random_uuid(), 'ada@example.org', 'Ada')"""
        )
        await add_movie(database, "Arrival", year=2016)
    return "ada@example.org"


def test_a_history_is_shown_brought_and_taken_back(command: Command, ada: str) -> None:
    Path("history.json").write_text(json.dumps(HISTORY), "utf-8")

    dry = command("import", "history", "history.json", "--account", ada, "--dry-run")
    done = command("import", "history", "history.json", "--account", ada)
    again = command("import", "history", "history.json", "--account", ada)
    undo = next(line for line in done.stdout.splitlines() if "import undo" in line).split("media-gateway ")[1]
    undone = command(*undo.split())

    assert [shown.exit_code for shown in (dry, done, again, undone)] == [0] * 4
    assert "would bring 1 of 2" in dry.stdout
    assert "+ viewings: Arrival (2016), 2020-05-01" in dry.stderr
    assert "import undo" not in dry.stdout
    assert "brought 1 of 2" in done.stdout
    assert "history.json[1]: Nowhere (2016) is not in the catalogue" in done.stderr
    assert "viewings: 1 here already" in again.stdout
    assert undone.stdout == "history.json: 1 of 1 taken back.\n"


def test_a_history_that_cannot_be_brought_is_one_line(command: Command, ada: str) -> None:
    Path("history.json").write_text(json.dumps(HISTORY), "utf-8")
    Path("other.json").write_text("{}", "utf-8")

    nobody = command("import", "history", "history.json", "--account", "bob@example.org")
    nothing = command("import", "history", "other.json", "--account", ada)
    unknown = command("import", "history", "other.json", "--account", ada, "--format", "plex")

    assert [shown.exit_code for shown in (nobody, nothing, unknown)] == [1] * 3
    assert nobody.stderr == "error: No account is called bob@example.org.\n"
    assert "This is no export of trakt" in nothing.stderr
    assert "The formats are trakt" in unknown.stderr
