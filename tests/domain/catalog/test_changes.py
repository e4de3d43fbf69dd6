"""How a process learns what has changed, and what it does while it cannot."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from redis.asyncio import Redis

from domain.catalog.changes import (
    CATALOGUE,
    LOOK_EVERY_SECONDS,
    RECORD_KEPT_SECONDS,
    Changes,
    ChangeWatch,
    LocalNotifier,
    Notifier,
    person_tag,
    work_tag,
)
from domain.catalog.postgres import COLUMNS
from domain.catalog.postgres_changes import PostgresChangeRecord
from domain.catalog.redis import RedisNotifier
from domain.platform.cache import Cache, Kind, Tag
from domain.platform.errors import Unavailable
from domain.platform.postgres import Database
from tests.catalogue import add_credit, add_movie
from tests.redis_server import free_port, redis_on, redis_url

__all__ = ["redis_url"]

TAGGED: Kind[Tag, str] = Kind("tagged", 1e9, lambda _key, _value: 1, lambda key, _value: (key,))
TAGS: list[Tag] = [CATALOGUE, work_tag(1), work_tag(2), person_tag(1), person_tag(2)]


class Undone(Exception):
    """A transaction is to be rolled back."""


@dataclass
class Record:
    """Tells what it is given; raises where that is an exception."""

    told: list[Changes | Exception] = field(default_factory=list)
    asked: int = 0
    gate: asyncio.Event | None = None
    """Where there is one, it tells once that is set."""

    async def news(self) -> Changes:
        self.asked += 1
        if self.gate is not None:
            await self.gate.wait()
        told = self.told.pop(0) if self.told else Changes()
        if isinstance(told, Exception):
            raise told
        return told


@dataclass
class Watched:
    """A cache that is kept true to a record."""

    record: Record = field(default_factory=Record)
    cache: Cache = field(default_factory=lambda: Cache(1 << 20))
    now: float = 0.0

    def __post_init__(self) -> None:
        self.watch = ChangeWatch(self.cache, self.record, LocalNotifier(), lambda: self.now)

    async def fill(self) -> None:
        async def load(keys: Sequence[Tag]) -> Mapping[Tag, str]:
            return dict.fromkeys(keys, "old")

        await self.cache.many(TAGGED, TAGS, load)

    async def left(self, *told: Changes | Exception) -> list[Tag]:
        """The tags whose entries are held after these looks."""
        self.record.told += told
        for _ in told:
            await self.watch.look()
        return [tag for tag in TAGS if self.cache.held(TAGGED, tag) is not None]


@pytest.fixture
async def watched() -> Watched:
    watched = Watched()
    await watched.watch.look()
    await watched.fill()
    return watched


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        (Changes(), TAGS),
        (Changes(frozenset({1})), [work_tag(2), person_tag(1), person_tag(2)]),
        (Changes(person_ids=frozenset({1})), [work_tag(1), work_tag(2), person_tag(2)]),
        (Changes(frozenset({1, 2}), frozenset({2})), [person_tag(1)]),
        (Changes(everything=True), []),
    ],
)
async def test_what_changed_is_dropped_with_all_lists_and_nothing_else(
    watched: Watched, changes: Changes, left: list[Tag]
) -> None:
    assert await watched.left(changes) == left


@pytest.mark.parametrize("error", [Unavailable("away"), TimeoutError(), RuntimeError("no such table")])
async def test_while_changes_cannot_be_learnt_nothing_is_answered_from_the_cache(
    watched: Watched, error: Exception
) -> None:
    assert await watched.left(error) == []
    assert watched.cache.paused


async def test_what_changed_meanwhile_is_dropped_before_the_rest_counts_again(watched: Watched) -> None:
    left = await watched.left(Unavailable("away"), Changes(frozenset({1})))

    assert left == [work_tag(2), person_tag(1), person_tag(2)]
    assert not watched.cache.paused


async def test_after_a_fault_of_the_record_all_is_dropped_as_it_may_be_another(watched: Watched) -> None:
    assert await watched.left(RuntimeError("no such table"), Changes()) == []
    assert not watched.cache.paused


async def test_who_has_not_looked_for_long_drops_all_as_the_record_has_forgotten(watched: Watched) -> None:
    watched.now += RECORD_KEPT_SECONDS / 2 - 1
    recent = await watched.left(Changes())
    watched.now += RECORD_KEPT_SECONDS / 2
    late = await watched.left(Changes())

    assert (recent, late) == (TAGS, [])


async def test_it_looks_at_once_when_a_writer_says_so_and_soon_where_nobody_does() -> None:
    record, notifier = Record(), LocalNotifier()
    running = asyncio.create_task(ChangeWatch(Cache(0), record, notifier).run())
    try:
        await asyncio.sleep(LOOK_EVERY_SECONDS / 4)
        before = record.asked
        await notifier.notify()
        await asyncio.sleep(LOOK_EVERY_SECONDS / 4)
        hinted = record.asked
        await asyncio.sleep(LOOK_EVERY_SECONDS * 1.25)
        later = record.asked
    finally:
        running.cancel()

    assert (before, hinted) == (0, 1)
    assert later >= 2


async def test_who_catches_up_shares_a_look_that_has_not_begun(watched: Watched) -> None:
    watched.record.told = [Changes(frozenset({1})), Changes(frozenset({2}))]
    before = watched.record.asked

    await asyncio.gather(*(watched.watch.catch_up() for _ in range(5)))

    assert watched.record.asked == before + 1
    assert await watched.left() == [work_tag(2), person_tag(1), person_tag(2)]


async def test_who_catches_up_during_a_look_waits_for_one_that_began_later(watched: Watched) -> None:
    before = watched.record.asked
    watched.record.gate = asyncio.Event()
    looking = asyncio.create_task(watched.watch.look())
    await asyncio.sleep(0)

    catching_up = asyncio.create_task(watched.watch.catch_up())
    await asyncio.sleep(0.01)
    under_way = watched.record.asked
    watched.record.gate.set()
    await asyncio.gather(looking, catching_up)

    assert (under_way, watched.record.asked) == (before + 1, before + 2)


# The record in PostgreSQL.


async def test_each_change_is_told_once_to_each_reader(database: Database) -> None:
    one, other = PostgresChangeRecord(database), PostgresChangeRecord(database)
    await one.news()
    await other.news()

    movie = await add_movie(database)
    first = [await one.news(), await one.news()]
    person = await add_credit(database, movie)
    second = [await one.news(), await other.news()]

    assert first == [Changes(frozenset({movie})), Changes()]
    assert second[0].content_ids == {movie}
    assert second[0].person_ids == {person}
    assert second[1] == Changes(frozenset({movie}), frozenset({person}))


async def test_every_column_that_is_read_of_a_work_is_told(database: Database) -> None:
    film = await add_movie(database)
    read = {name.strip().removeprefix("c.") for name in COLUMNS.split(",")} - {"id"}
    shifted = {
        "text": "'x'",
        "integer": "7",
        "double precision": "7.5",
        "date": "'1999-09-09'",
        "ARRAY": "ARRAY['x']",
        "bigint": "NULL",
        "timestamp with time zone": "now()",
    }
    types = {
        row[0]: row[1]
        for row in await database.rows(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'content'"
        )
    }
    untold = []
    for column in sorted(read - {"parent_id", "kind"}):
        record = PostgresChangeRecord(database)
        await record.news()
        value = "1999" if column == "year" else shifted[types[column]]
        await database.execute(f"UPDATE content SET {column} = {value} WHERE id = $1", film)
        if film not in (await record.news()).content_ids:
            untold.append(column)

    assert untold == []
    assert {"end_credits_seconds", "runtime_seconds"} < read


async def test_a_transaction_that_commits_late_is_told_when_it_can_be_seen(database: Database) -> None:
    record = PostgresChangeRecord(database)
    await record.news()
    seen = []

    async def elsewhere() -> int:
        """In a task of its own, and so outside the transaction."""
        later = await add_movie(database, "Later")
        seen.append(await record.news())
        return later

    async with database.transaction():
        early = await add_movie(database, "Early")
        later = await asyncio.create_task(elsewhere())
    seen.append(await record.news())

    assert seen == [Changes(frozenset({later})), Changes(frozenset({early}))]


async def test_what_was_undone_is_not_told(database: Database) -> None:
    record = PostgresChangeRecord(database)
    await record.news()

    async def undo() -> None:
        async with database.transaction():
            await add_movie(database)
            raise Undone

    with pytest.raises(Undone):
        await undo()

    assert await record.news() == Changes()


async def test_an_emptied_table_stands_for_everything(database: Database) -> None:
    record = PostgresChangeRecord(database)
    await record.news()

    await database.execute("TRUNCATE rating")

    assert (await record.news()).everything


async def test_what_every_reader_has_seen_long_ago_is_forgotten(database: Database) -> None:
    record = PostgresChangeRecord(database)
    await add_movie(database)
    recent = await record.forget()
    await database.execute(
        "UPDATE catalog_change SET at = at - make_interval(secs => $1)", RECORD_KEPT_SECONDS + 1
    )

    old = await record.forget()

    assert recent == 0
    assert old > 0
    assert await database.value("SELECT count(*) FROM catalog_change") == 0


# Hints.


@pytest.fixture(params=["local", "redis"])
async def notifiers(
    request: pytest.FixtureRequest,
) -> AsyncIterator[tuple[Notifier, Notifier]]:
    """One to tell by and one to hear by."""
    if request.param == "local":
        alone = LocalNotifier()
        yield alone, alone
        return
    url = request.getfixturevalue("redis_url")
    async with Redis.from_url(url) as redis, Redis.from_url(url) as patient:
        hearing = RedisNotifier(redis, patient)
        running = asyncio.create_task(hearing.run())
        async with asyncio.timeout(5):
            await hearing.wait()  # it hints once when it listens
        yield RedisNotifier(redis, patient), hearing
        running.cancel()


async def test_a_hint_is_heard(notifiers: tuple[Notifier, Notifier]) -> None:
    telling, hearing = notifiers

    await telling.notify()

    async with asyncio.timeout(1):
        await hearing.wait()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await hearing.wait()


async def test_without_redis_a_hint_is_heard_in_its_own_process(scratch: Path) -> None:
    port = free_port()
    with redis_on(port, scratch):
        pass
    async with aclosing(Redis(port=port)) as redis:
        notifier = RedisNotifier(redis, redis)
        hearing = asyncio.create_task(notifier.wait())
        await asyncio.sleep(0)
        assert not hearing.done()

        await notifier.notify()

        heard, _ = await asyncio.wait([hearing], timeout=1)
        assert heard == {hearing}
