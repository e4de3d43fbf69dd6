import asyncio
import time

import pytest

from domain.platform.deadline import afresh, seconds_left, within
from domain.platform.errors import TimedOut
from domain.platform.postgres import Database

RUNNING = """SELECT count(*) FROM pg_stat_activity
              WHERE state = 'active' AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()"""


def test_there_is_no_end_where_none_was_set() -> None:
    assert seconds_left() is None


def test_a_block_within_a_block_ends_with_it_at_the_latest() -> None:
    with within(10) as outer, within(60) as inner, within(1) as innermost:
        left = seconds_left()

    assert (outer, innermost) == (10, 1)
    assert 9 < inner <= 10
    assert left is not None
    assert 0.5 < left <= 1
    assert seconds_left() is None


def test_what_is_late_has_a_moment_left_and_never_none() -> None:
    with within(-1) as seconds:
        assert seconds == 0
        assert seconds_left() == 0.001


async def test_a_statement_ends_with_the_deadline_and_is_cancelled_in_the_server(database: Database) -> None:
    started = time.monotonic()

    with within(0.2), pytest.raises(TimedOut):
        await database.value("SELECT pg_sleep(60)")

    assert time.monotonic() - started < 5
    assert await database.value(RUNNING) == 0
    assert await database.value("SELECT 1") == 1


async def test_a_task_started_in_the_block_keeps_its_deadline_when_the_block_is_left(
    database: Database,
) -> None:
    """As the tasks of loaders do, which are not cancelled with the operation that needs them."""
    with within(0.3):
        task = asyncio.create_task(database.value("SELECT pg_sleep(60)"))
        await asyncio.sleep(0.1)
    assert await database.value(RUNNING) == 1

    with pytest.raises(TimedOut):
        await task

    assert await database.value(RUNNING) == 0


async def test_a_statement_within_a_transaction_ends_with_the_deadline(database: Database) -> None:
    async with database.transaction():
        with within(0.2), pytest.raises(TimedOut):
            await database.execute("SELECT pg_sleep(60)")

    assert await database.value(RUNNING) == 0


def test_what_is_done_for_others_has_its_own_time_within_a_block_that_has_little() -> None:
    with within(1.0):
        with afresh(60.0):
            own = seconds_left()
        around = seconds_left()

    assert own is not None
    assert 59 < own <= 60
    assert around is not None
    assert around <= 1.0
