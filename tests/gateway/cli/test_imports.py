import json
from pathlib import Path

import pytest

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
