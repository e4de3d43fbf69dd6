import asyncio
from pathlib import Path

import asyncpg
import orjson
import pytest

from tests.gateway.cli.conftest import Command

GENRES = "query Genres { genres { name } }"
PLATFORMS = "query Platforms { platforms { name } }"


@pytest.fixture
def migrated(empty_database_url: str, command: Command) -> str:
    assert command("migrate", "up").exit_code == 0
    return empty_database_url


def manifest(path: Path, **texts: str) -> Path:
    path.write_bytes(orjson.dumps(texts))
    return path


@pytest.mark.usefixtures("migrated")
def test_documents_are_published_listed_and_pruned(command: Command, tmp_path: Path) -> None:
    file = manifest(tmp_path / "persisted_queries.json", g1=GENRES, p1=PLATFORMS)

    published = command("documents", "publish", str(file), "--client", "web", "--client-version", "1.2")
    again = command("documents", "publish", str(file), "--client", "tv")
    listed = command("documents", "list")
    kept = command("documents", "prune", "--days", "1", "--yes")

    assert published.stdout == "2 documents: 2 new, 0 known\n"
    assert again.stdout == "2 documents: 0 new, 2 known\n"
    first, second = listed.stdout.splitlines()
    assert first.startswith("g1  Genres  web@1.2, tv  published ")
    assert first.endswith("used never  0 times")
    assert second.startswith("p1  Platforms")
    assert (kept.exit_code, kept.stdout) == (0, "")


@pytest.mark.usefixtures("migrated")
def test_a_document_that_is_not_valid_keeps_all_from_being_published(
    command: Command, tmp_path: Path
) -> None:
    plain = tmp_path / "bad.graphql"
    plain.write_text("query Bad {\n  genrez { name }\n}")
    file = manifest(tmp_path / "persisted_queries.json", g1=GENRES)

    refused = command("documents", "publish", str(file), str(plain))

    assert refused.exit_code == 1
    assert f"{plain} (Bad), line 2, column 3: Cannot query field 'genrez'" in refused.stderr
    assert refused.stderr.endswith("error: Nothing was published, because of 1 problem.\n")
    assert command("documents", "list").stdout == "Nothing is published.\n"


async def test_pruning_shows_first_and_deletes_when_told(
    migrated: str, command: Command, tmp_path: Path
) -> None:
    file = manifest(tmp_path / "a.json", g1=GENRES, p1=PLATFORMS)
    await asyncio.to_thread(command, "documents", "publish", str(file))
    connection = await asyncpg.connect(migrated)
    await connection.execute(
        "UPDATE trusted_document SET last_published_at = now() - interval '91 days' WHERE id = 'g1'"
    )
    await connection.close()

    # A command runs a loop of its own, as it does in a shell.
    shown = await asyncio.to_thread(command, "documents", "prune")
    deleted = await asyncio.to_thread(command, "documents", "prune", "--yes")
    left = await asyncio.to_thread(command, "documents", "list")

    assert shown.stdout.startswith("g1  Genres")
    assert "1 unused for 90 days, would be deleted" in shown.stderr
    assert "1 unused for 90 days, deleted." in deleted.stderr
    assert [line.split()[0] for line in left.stdout.splitlines()] == ["p1"]


@pytest.mark.usefixtures("migrated")
def test_the_use_of_fields_is_json_for_the_check_of_the_schema(command: Command) -> None:
    shown = command("documents", "usage", "--json")

    assert orjson.loads(shown.stdout) == {"coordinates": {}}
    assert command("documents", "usage").stdout == ""


def test_a_file_that_is_no_manifest_is_one_line(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text("[]")

    refused = command("documents", "publish", str(file))

    assert refused.exit_code == 1
    assert refused.stderr.startswith("error: ")
    assert refused.stderr.count("\n") == 1


def test_a_version_needs_a_client(command: Command, tmp_path: Path) -> None:
    file = manifest(tmp_path / "persisted_queries.json", g1=GENRES)

    refused = command("documents", "publish", str(file), "--client-version", "1")

    assert refused.exit_code == 1
    assert "--client NAME" in refused.stderr
