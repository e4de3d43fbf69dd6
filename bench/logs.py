"""What an event costs as the change log grows: written and delivered, read again, dropped once too old."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg

from bench import operations
from bench.account import content_id, films_among, make_account
from bench.changes import next_event, subscribed
from bench.client import Client
from bench.measures import Result, Timing
from bench.processes import Running, busy_seconds
from bench.stage import Stage
from domain.platform.postgres import Database
from domain.sync.postgres_log import PostgresChangeLog
from domain.sync.postgres_retention import PostgresAttic
from domain.sync.retention import BATCH

ACCOUNTS = 1_000
EVENTS = 150
SETTLING = 10
READ_AGAIN = 500
READINGS = 20
KEEP = timedelta(days=30)

MAKE_ACCOUNTS = f"""INSERT INTO account (id, display_name)
    SELECT gen_random_uuid(), 'Log' FROM generate_series(1, {ACCOUNTS})"""
# All rows of one instant, one for each account, then those of the next: as a log comes to be.
FILL = """INSERT INTO change (account_id, seq, kind, payload, created_at)
    SELECT c.account_id, c.seq + n, 'progress', $2::jsonb || jsonb_build_object('viewing', n),
           now() - interval '60 days' * (1 - n::float8 / $1)
      FROM generate_series(1, $1::bigint) n, change_sequence c"""
ROW = """{"content": 1, "position": 600, "duration": 6000, "completed": false, "completedAt": null,
    "version": "0000000000000000@log", "device": null, "at": "2026-01-01T00:00:00+00:00"}"""
COUNT_ON = "UPDATE change_sequence SET seq = seq + $1"
LONGEST = "SELECT account_id FROM change_sequence ORDER BY seq DESC LIMIT 1"
CLEAR = ("TRUNCATE change, outbox", "DELETE FROM account WHERE display_name = 'Log'")


async def measure(stage: Stage, report: Callable[[Result], None]) -> None:
    """Rows are spread over a thousand accounts, and over 60 days; the server is one, and so is its client."""
    connection = await asyncpg.connect(stage.url)
    try:
        await connection.execute("TRUNCATE change")
        await connection.execute("UPDATE change_sequence SET seq = 0")
        await connection.execute(MAKE_ACCOUNTS)
        await connection.execute(
            "INSERT INTO change_sequence (account_id) SELECT id FROM account ON CONFLICT DO NOTHING"
        )
        async with stage.gateway() as server:
            token = await make_account(server.port, stage.options.works)
            for size in _sizes(stage.options.log_rows):
                await _fill(stage, connection, size)
                report(await _written(stage, server, token, size))
                for result in await _kept(stage, size):
                    report(result)
    finally:
        for statement in CLEAR:
            await connection.execute(statement)
        await connection.close()


def _sizes(most: int) -> Sequence[int]:
    """Powers of ten from a thousand, as far as is wanted."""
    return [10**power for power in range(3, 10) if 10**power <= most]


async def _fill(stage: Stage, connection: asyncpg.Connection, size: int) -> None:
    stage.say(f"a log of {size:,} rows …")
    known = await connection.fetchval("SELECT count(*) FROM change")
    accounts = await connection.fetchval("SELECT count(*) FROM change_sequence")
    each = max(0, size - known) // accounts
    if each:
        await connection.execute(FILL, each, ROW, timeout=3600)
        await connection.execute(COUNT_ON, each)
    await connection.execute("VACUUM ANALYZE change", timeout=3600)


async def _written(stage: Stage, server: Running, token: str, size: int) -> Result:
    """From the first byte of a change to the whole event at another client; CPU of server and database."""
    times: list[float] = []
    busy = 0.0
    async with (
        Client.open(server.port, token) as phone,
        subscribed(server.port, token, operations.FOLLOW) as events,
    ):
        content = await content_id(phone, films_among(stage.options.works)[0])
        for number in range(SETTLING + EVENTS):
            if number == SETTLING:
                busy = busy_seconds(server.pid) + busy_seconds(stage.database_pid)
            began = time.perf_counter()
            change = asyncio.create_task(
                phone.ask(operations.REPORT, content=content, position=1 + number % 5000)
            )
            await next_event(events)
            times.append(time.perf_counter() - began)
            await change
    spent = busy_seconds(server.pid) + busy_seconds(stage.database_pid) - busy
    timing = Timing.of(times[SETTLING:], sum(times[SETTLING:]))
    return Result(f"an event, log of {size:,} rows", replace(timing, cpu_ms=1000 * spent / EVENTS))


async def _kept(stage: Stage, size: int) -> list[Result]:
    """Reading the log of one account again, and dropping what is too old of all."""
    async with Database.open(stage.url, min_connections=1, max_connections=1) as database:
        log, attic = PostgresChangeLog(database), PostgresAttic(database)
        account = str(
            await database.value("SELECT account_id FROM change_sequence ORDER BY seq DESC LIMIT 1")
        )
        latest = await log.latest(account)
        began = time.perf_counter()
        for _ in range(READINGS):
            await log.since(account, max(0, latest - READ_AGAIN), READ_AGAIN)
        read = (time.perf_counter() - began) / READINGS
        began = time.perf_counter()
        dropped = await attic.forget_changes(datetime.now(UTC) - KEEP, BATCH)
        took = time.perf_counter() - began
    return [
        Result(
            f"up to {READ_AGAIN} of an account read again, log of {size:,} rows",
            figure=1000 * read,
            unit="ms",
        ),
        Result(f"{dropped:,} too old ones dropped, log of {size:,} rows", figure=1000 * took, unit="ms"),
    ]
