"""Migrations on a real server: up, down and up again, and what they leave."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

import migrations
from domain.sync.ordering import place_of
from migrations import run
from migrations.metadata import metadata

VERSIONS = Path(migrations.__file__).parent / "versions"

# Everything a migration can leave behind, in words.
TRACES = """
    SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' || udt_name || ' '
           || is_nullable || ' ' || coalesce(column_default, '') || ' ' || coalesce(generation_expression, '')
           || ' ' || is_identity || ' ' || coalesce(numeric_precision::text, '')
           || ' ' || coalesce(numeric_scale::text, '')
      FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
      FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT 'trigger ' || tgrelid::regclass || ' ' || pg_get_triggerdef(oid)
      FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'function ' || oid::regprocedure FROM pg_proc
     WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT 'type ' || typname FROM pg_type
     WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd')
    UNION ALL SELECT 'sequence ' || sequencename FROM pg_sequences WHERE schemaname = 'public'
    ORDER BY 1
"""


@pytest.fixture
async def empty_url(postgres_url: str) -> AsyncIterator[str]:
    """A database with nothing in it, for the test alone."""
    name = "media_gateway_migrations"
    connection = await asyncpg.connect(postgres_url)
    await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await connection.execute(f'CREATE DATABASE "{name}"')
    head, _, tail = postgres_url.partition("?")
    yield f"{head.rsplit('/', 1)[0]}/{name}" + (f"?{tail}" if tail else "")
    await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await connection.close()


async def traces(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        found = [row[0] for row in await connection.fetch(TRACES)]
    finally:
        await connection.close()
    return [trace for trace in found if "alembic_version" not in trace]


async def revisions(url: str) -> list[str]:
    return [revision.id for revision in await run.status(url) if revision.applied]


def numbers() -> list[str]:
    return sorted(path.name[:4] for path in VERSIONS.glob("*.py"))


async def test_up_down_and_up_again_leaves_the_same(empty_url: str) -> None:
    nothing = await traces(empty_url)
    await run.up(empty_url)
    first = await traces(empty_url)

    await run.down(empty_url, "base")
    after = await traces(empty_url)
    await run.up(empty_url)

    assert nothing == after == []
    assert len(first) > 100
    assert await traces(empty_url) == first


async def test_each_step_is_taken_back_by_its_own_downgrade(empty_url: str) -> None:
    left = {}
    for number in numbers():
        left[number] = await traces(empty_url)
        await run.up(empty_url, number)

    for number in reversed(numbers()):
        await run.down(empty_url, "-1")
        assert await traces(empty_url) == left[number], number


async def test_up_on_an_up_to_date_database_changes_nothing(empty_url: str) -> None:
    await run.up(empty_url)
    before = await traces(empty_url)

    await run.up(empty_url)

    assert await traces(empty_url) == before


async def test_the_tables_of_the_code_are_those_of_the_database(empty_url: str) -> None:
    await run.up(empty_url)

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata()))

    assert await run._on_connection(empty_url, differences) == []


async def test_several_processes_may_update_at_once(empty_url: str) -> None:
    await asyncio.gather(*(run.up(empty_url) for _ in range(4)))

    assert await revisions(empty_url) == numbers()


async def test_status_tells_each_step_and_whether_it_was_taken(empty_url: str) -> None:
    before = await run.status(empty_url)
    await run.up(empty_url, "0001")
    after = await run.status(empty_url)

    assert [revision.id for revision in before] == numbers()
    assert not any(revision.applied for revision in before)
    assert [revision.applied for revision in after] == [True, *[False] * (len(numbers()) - 1)]
    assert all(revision.title for revision in after)


async def test_a_step_that_fails_is_taken_back_and_the_lock_let_go(empty_url: str) -> None:
    connection = await asyncpg.connect(empty_url)
    await connection.execute("CREATE TABLE content (in_the_way int)")

    with pytest.raises(Exception, match='relation "content" already exists'):
        await run.up(empty_url)
    await connection.execute("DROP TABLE content")
    left = await traces(empty_url)
    await run.up(empty_url)

    assert left == []
    assert await revisions(empty_url) == numbers()
    await connection.close()


async def test_a_migration_does_not_wait_for_ever_for_a_table_in_use(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await run.up(empty_url)
    monkeypatch.setattr(run, "LOCK_TIMEOUT", "SET lock_timeout = '100ms'")
    before = await traces(empty_url)
    connection = await asyncpg.connect(empty_url)
    async with connection.transaction():
        await connection.execute("LOCK TABLE content")

        with pytest.raises(Exception, match="lock timeout"):
            await run.down(empty_url, "base")

    assert "0001" in await revisions(empty_url)
    await run.up(empty_url)
    assert await traces(empty_url) == before
    await connection.close()


def test_steps_are_numbered_without_gaps_and_every_one_has_its_way_back() -> None:
    assert numbers() == [f"{number:04}" for number in range(1, len(numbers()) + 1)]
    for path in VERSIONS.glob("*.py"):
        source = path.read_text()
        assert f'revision = "{path.name[:4]}"' in source, path
        down = source.partition("def downgrade() -> None:")[2]
        assert re.search(r"^    op\.", down, re.MULTILINE), path


async def test_additions_made_before_there_were_places_stand_where_the_code_puts_them(empty_url: str) -> None:
    clocks = [0, 1, 61, 62, 1_772_366_400_000, (1 << 47) - 1]
    await run.up(empty_url, "0008")
    connection = await asyncpg.connect(empty_url)
    row = await connection.fetchrow(
        """WITH a AS (INSERT INTO account (id, display_name) VALUES (gen_random_uuid(), 'Ada') RETURNING id),
                c AS (INSERT INTO content (kind, title, title_key) VALUES ('movie', 'M', 'm') RETURNING id)
           SELECT a.id, c.id FROM a, c"""
    )
    assert row is not None
    await connection.executemany(
        """INSERT INTO watchlist_tag (account_id, tag, content_id, added_at, added_hlc, added_by)
           VALUES ($1, gen_random_uuid(), $2, now(), $3, 'tv')""",
        [(row[0], row[1], clock << 16) for clock in clocks],
    )

    await run.up(empty_url)

    rows = await connection.fetch("SELECT place FROM watchlist_tag ORDER BY added_hlc")
    assert [row[0] for row in rows] == [place_of(clock) for clock in clocks]
    await connection.close()
