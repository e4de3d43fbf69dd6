"""The door to PostgreSQL, on a real server."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest

from domain.platform import postgres
from domain.platform.errors import BadInput, TimedOut, Unavailable
from domain.platform.postgres import Database, affected, columns


@pytest.fixture
async def notes(shared_database: Database) -> AsyncIterator[Database]:
    """A table `note (text)` for the test alone."""
    await shared_database.execute("CREATE TABLE note (text text PRIMARY KEY)")
    yield shared_database
    await shared_database.execute("DROP TABLE note")


async def written(database: Database) -> list[str]:
    return [row[0] for row in await database.rows("SELECT text FROM note ORDER BY text")]


async def write_and_fail(database: Database, text: str) -> None:
    async with database.transaction():
        await database.execute("INSERT INTO note VALUES ($1)", text)
        raise LookupError


async def backend(database: Database) -> int:
    pid: int = await database.value("SELECT pg_backend_pid()")
    return pid


async def test_what_was_written_in_a_transaction_is_kept(notes: Database) -> None:
    async with notes.transaction() as session:
        await session.execute("INSERT INTO note VALUES ('session')")
        await notes.execute("INSERT INTO note VALUES ('joined')")

    assert await written(notes) == ["joined", "session"]


async def test_an_exception_takes_back_everything_in_its_transaction(notes: Database) -> None:
    with pytest.raises(LookupError):
        await write_and_fail(notes, "lost")

    assert await written(notes) == []


async def test_a_transaction_within_another_is_a_savepoint(notes: Database) -> None:
    async with notes.transaction():
        await notes.execute("INSERT INTO note VALUES ('outer')")
        with pytest.raises(LookupError):
            await write_and_fail(notes, "inner")
        await notes.execute("INSERT INTO note VALUES ('after')")

    assert await written(notes) == ["after", "outer"]


async def test_a_statement_that_fails_in_a_savepoint_leaves_the_transaction_usable(notes: Database) -> None:
    async with notes.transaction():
        await notes.execute("INSERT INTO note VALUES ('twice')")
        with pytest.raises(asyncpg.UniqueViolationError):
            async with notes.transaction():
                await notes.execute("INSERT INTO note VALUES ('twice')")

    assert await written(notes) == ["twice"]


async def test_a_sibling_task_does_not_see_an_open_transaction(notes: Database) -> None:
    opened, looked = asyncio.Event(), asyncio.Event()

    async def write() -> int:
        async with notes.transaction():
            await notes.execute("INSERT INTO note VALUES ('unfinished')")
            pid = await backend(notes)
            opened.set()
            await looked.wait()
            return pid

    async def look() -> tuple[list[str], int]:
        await opened.wait()
        found = await written(notes), await backend(notes)
        looked.set()
        return found

    writer, (seen, reader) = await asyncio.gather(write(), look())

    assert seen == []
    assert reader != writer
    assert await written(notes) == ["unfinished"]


async def test_tasks_started_within_a_transaction_stand_outside_it(notes: Database) -> None:
    async with notes.transaction():
        await notes.execute("INSERT INTO note VALUES ('unfinished')")
        own = await backend(notes)
        inside = await asyncio.gather(*(written(notes) for _ in range(3)))
        outside = await asyncio.create_task(backend(notes))

    assert inside == [[], [], []]
    assert outside != own


async def test_a_task_may_outlive_the_transaction_it_was_started_in(notes: Database) -> None:
    closed = asyncio.Event()

    async def later() -> list[str]:
        await closed.wait()
        return await written(notes)

    async with notes.transaction():
        task = asyncio.create_task(later())
        await notes.execute("INSERT INTO note VALUES ('done')")
    closed.set()

    assert await task == ["done"]


async def test_a_cancelled_transaction_is_taken_back_and_its_connection_used_again(
    notes: Database,
) -> None:
    before = notes.connections_in_use
    begun = asyncio.Event()

    async def write() -> None:
        async with notes.transaction():
            await notes.execute("INSERT INTO note VALUES ('cancelled')")
            begun.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(write())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await written(notes) == []
    assert notes.connections_in_use == before


async def test_uuids_are_texts_and_documents_what_json_says(shared_database: Database) -> None:
    key = str(uuid4())
    document = {"a": [1, 2.5, None, True], "ö": "\N{SNOWMAN}"}

    row = await shared_database.row(
        "SELECT $1::uuid, $2::jsonb, $3::uuid[], $4::jsonb", key, document, [key], None
    )

    assert row is not None
    assert tuple(row) == (key, document, [key], None)


@pytest.mark.parametrize(
    "statement", ["SELECT $1::text", "SELECT $1::text = ANY(ARRAY['a'])", "SELECT ARRAY[$1::text]"]
)
async def test_text_that_cannot_be_stored_is_the_clients_fault(
    shared_database: Database, statement: str
) -> None:
    with pytest.raises(BadInput, match="NUL"):
        await shared_database.value(statement, "a\0b")


async def test_a_document_with_text_that_cannot_be_stored_is_refused(shared_database: Database) -> None:
    with pytest.raises(BadInput, match="NUL"):
        await shared_database.value("SELECT $1::jsonb", {"a": "\0"})


async def test_our_own_mistakes_do_not_look_like_a_lost_server(shared_database: Database) -> None:
    with pytest.raises(asyncpg.InterfaceError, match="expects 1 argument"):
        await shared_database.value("SELECT $1::int", 1, 2)
    with pytest.raises(asyncpg.DataError):
        await shared_database.value("SELECT $1::bigint", 2**63)
    with pytest.raises(asyncpg.UndefinedTableError):
        await shared_database.value("SELECT * FROM nowhere")


async def test_what_a_transaction_does_besides_fails_as_itself(shared_database: Database) -> None:
    for fault in (TimeoutError("elsewhere"), FileNotFoundError("elsewhere")):
        with pytest.raises(type(fault), match="elsewhere"):
            async with shared_database.transaction():
                raise fault


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        async with Database.open("postgresql://nobody@127.0.0.1:1/none"):
            raise AssertionError("it opened")


async def test_a_connection_killed_under_a_statement_is_unavailable_and_the_next_one_works(
    database_url: str, shared_database: Database
) -> None:
    async with Database.open(database_url, min_connections=1, max_connections=2) as database:
        pid = await backend(database)
        sleeping = asyncio.create_task(database.value("SELECT pg_sleep(30)"))
        await wait_until_busy(shared_database, pid)

        await shared_database.value("SELECT pg_terminate_backend($1)", pid)

        with pytest.raises(Unavailable):
            await sleeping
        assert await backend(database) != pid


async def test_a_connection_killed_within_a_transaction_is_unavailable(
    database_url: str, shared_database: Database
) -> None:
    killed: list[int] = []

    async def die(database: Database) -> None:
        async with database.transaction() as session:
            killed.append(await backend(database))
            await shared_database.value("SELECT pg_terminate_backend($1)", killed[0])
            await session.fetchval("SELECT 1")

    async with Database.open(database_url, min_connections=1, max_connections=2) as database:
        with pytest.raises(Unavailable):
            await die(database)

        assert await backend(database) != killed[0]
        assert database.connections_in_use == 0


async def test_connections_killed_while_idle_are_replaced(
    database_url: str, shared_database: Database
) -> None:
    async with Database.open(database_url, min_connections=1, max_connections=2) as database:
        pid = await backend(database)
        await shared_database.value("SELECT pg_terminate_backend($1)", pid)
        await asyncio.sleep(0.1)  # the client hears of it

        assert await backend(database) != pid


async def test_who_finds_no_free_connection_waits_for_one(database_url: str) -> None:
    async with Database.open(database_url, min_connections=1, max_connections=1) as database:
        found = await asyncio.gather(*(database.value("SELECT pg_sleep(0.02) IS NULL") for _ in range(5)))

    assert found == [False] * 5


async def test_who_waits_too_long_for_a_connection_is_sent_away(database_url: str) -> None:
    async with Database.open(
        database_url, min_connections=1, max_connections=1, acquire_timeout_seconds=0.05
    ) as database:
        async with database.transaction():
            with pytest.raises(Unavailable):
                await asyncio.create_task(database.value("SELECT 1"))

        assert await database.value("SELECT 1") == 1


async def test_a_statement_that_takes_too_long_is_stopped(database_url: str) -> None:
    async with Database.open(
        database_url, min_connections=1, max_connections=1, statement_timeout_seconds=0.05
    ) as database:
        with pytest.raises(TimedOut):
            await database.value("SELECT pg_sleep(30)")

        assert await database.value("SELECT 1") == 1


async def test_every_statement_is_observed_with_its_time(database_url: str) -> None:
    observed: list[tuple[str, float]] = []

    async with Database.open(
        database_url, observe=lambda query, seconds, _: observed.append((query, seconds))
    ) as database:
        await database.value("SELECT 40 + 2")

    assert [query for query, _ in observed][-1] == "SELECT 40 + 2"
    assert all(seconds >= 0 for _, seconds in observed)


async def wait_until_busy(database: Database, pid: int) -> None:
    async with asyncio.timeout(10):
        busy = (
            "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND query ~ 'pg_sleep' AND state = 'active'"
        )
        while await database.value(busy, pid) == 0:  # noqa: ASYNC110 - the server rings no bell
            await asyncio.sleep(0.01)


def test_the_number_of_rows_is_read_off_the_tag() -> None:
    assert [affected("UPDATE 3"), affected("INSERT 0 12"), affected("DELETE 0")] == [3, 12, 0]


def test_rows_are_turned_into_columns_even_where_there_are_none() -> None:
    assert columns([(1, "a"), (2, "b")], 2) == [[1, 2], ["a", "b"]]
    assert columns([], 2) == [[], []]


async def test_a_statement_is_prepared_anew_where_its_table_has_changed(notes: Database) -> None:
    read = "SELECT text FROM note"
    await notes.execute("INSERT INTO note VALUES ('1')")
    assert await notes.value(read) == "1"

    await notes.execute("ALTER TABLE note ALTER text TYPE int USING text::int")

    assert await notes.value(read) == 1
    assert [row[0] for row in await notes.rows(read)] == [1]


async def test_more_statements_than_are_kept_prepared_are_answered(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "MAX_PREPARED", 2)
    async with Database.open(database_url, min_connections=1, max_connections=1) as database:
        wanted = [number for _ in range(3) for number in range(5)]

        assert [await database.value(f"SELECT {number}") for number in wanted] == wanted
        kept = await database.value(
            "SELECT count(*) FROM pg_prepared_statements WHERE statement ~ '^SELECT [0-9]$'"
        )
        assert kept <= 2
