"""Following the news: without a gap, without a repeat, and bounded."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.catalog.changes import LocalNotifier
from domain.catalog.model import OfferKind
from domain.news import feed as feeds
from domain.news.feed import PAGE, WAITING, Feed
from domain.news.model import EVERYTHING, Availability, AvailabilityChange, Interest, News, Trends
from domain.news.postgres import PostgresNews
from domain.platform.errors import BadInput, Unavailable
from domain.platform.postgres import Database

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Log:
    """Fills `NewsLog` in memory; `pauses` are awaited before each answer."""

    def __init__(self) -> None:
        self.entries: list[News] = []
        self.gone = 0
        self.failing = False
        self.reads = 0
        self.pause: asyncio.Event | None = None
        self.settled = 0

    async def settle(self) -> None:
        """What was committed by now is known."""
        self.settled = len(self.entries)

    def add(self, content_id: int = 1, region: str = "US", platform_id: str = "netflix") -> None:
        seq = len(self.entries) + 1
        self.entries.append(
            Availability(
                seq,
                AvailabilityChange.ARRIVED,
                content_id,
                region,
                platform_id,
                OfferKind.FREE,
                None,
                NOW,
            )
        )

    def add_trends(self) -> None:
        self.entries.append(Trends(len(self.entries) + 1, (1, 2), NOW))

    async def latest(self) -> int:
        return len(self.entries)

    async def forgotten(self) -> int:
        return self.gone

    async def since(self, seq: int, interest: Interest, limit: int) -> Sequence[News]:
        if self.failing:
            raise Unavailable("The database is away.")
        self.reads += 1
        found = [news for news in self.entries[seq:] if interest.takes(news)][:limit]
        if self.pause is not None:
            await self.pause.wait()
        return found


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
async def feed(log: Log) -> Feed:
    feed = Feed(log, LocalNotifier(), log.settle)
    await feed.look()
    return feed


class Follower:
    def __init__(self, events: AsyncGenerator[News, None]) -> None:
        self._events = events

    async def next(self) -> int:
        async with asyncio.timeout(5):
            return (await anext(self._events)).seq

    async def several(self, count: int) -> list[int]:
        return [await self.next() for _ in range(count)]


@asynccontextmanager
async def following(
    feed: Feed, after: int | None = 0, interest: Interest = EVERYTHING
) -> AsyncIterator[Follower]:
    async with aclosing(feed.follow(interest, after)) as events:
        yield Follower(events)


async def test_what_was_missed_comes_first_and_then_what_is_new(log: Log, feed: Feed) -> None:
    for _ in range(PAGE + 20):
        log.add()

    async with following(feed, after=7) as follower:
        missed = await follower.several(PAGE + 13)
        log.add()
        await feed.look()
        live = await follower.next()

    assert missed == list(range(8, PAGE + 21))
    assert live == PAGE + 21


async def test_it_begins_now_without_a_cursor(log: Log, feed: Feed) -> None:
    log.add()
    async with following(feed, after=None) as follower:
        waiting = asyncio.create_task(follower.next())
        await asyncio.sleep(0.01)
        log.add()
        await feed.look()

        assert await waiting == 2


async def test_nothing_comes_twice_where_the_log_was_faster_than_the_look(log: Log, feed: Feed) -> None:
    async with following(feed) as follower:
        waiting = asyncio.create_task(follower.next())
        await asyncio.sleep(0.01)
        log.add()
        log.add()
        await feed.look()
        first = await waiting
        log.add()
        await feed.look()

        assert [first, *await follower.several(2)] == [1, 2, 3]


async def test_who_begins_while_the_process_looks_misses_nothing(log: Log, feed: Feed) -> None:
    async with following(feed) as other:
        waiting = asyncio.create_task(other.next())
        await asyncio.sleep(0.01)
        log.add()
        log.pause = asyncio.Event()
        looking = asyncio.create_task(feed.look())
        await asyncio.sleep(0.01)
        log.add()
        async with following(feed, after=None) as follower:
            late = asyncio.create_task(follower.next())
            await asyncio.sleep(0.01)
            log.add()
            log.pause.set()
            await looking
            await feed.look()

            assert await late == 3
        assert await waiting == 1


async def test_whoever_is_told_finds_it_so(log: Log, feed: Feed) -> None:
    """Nothing that this process keeps is older than what it tells."""
    log.add()
    async with following(feed) as follower:
        missed = await follower.next(), log.settled
        waiting = asyncio.create_task(follower.next())
        await asyncio.sleep(0.01)
        log.add()
        await feed.look()
        live = await waiting, log.settled

    assert (missed, live) == ((1, 1), (2, 2))


async def test_a_slow_one_is_pointed_to_the_log_and_holds_no_more_than_it_may(log: Log, feed: Feed) -> None:
    async with following(feed) as follower:
        waiting = asyncio.create_task(follower.next())
        await asyncio.sleep(0.01)
        for _ in range(3 * WAITING):
            log.add()
        await feed.look()
        (inbox,) = feed._listeners._all
        held = len(inbox._waiting)

        assert [await waiting, *await follower.several(3 * WAITING - 1)] == list(range(1, 3 * WAITING + 1))
        assert held <= WAITING


@pytest.mark.parametrize(
    ("interest", "taken"),
    [
        (EVERYTHING, [1, 2, 3, 4, 5]),
        (Interest("US"), [1, 2, 3, 5]),
        (Interest("US", None, frozenset({"mubi"})), [2, 5]),
        (Interest("US", frozenset({1})), [1]),
        (Interest("DE", frozenset({1, 2})), [4]),
        (Interest(None, frozenset({9})), []),
        (Interest("FR"), [5]),
    ],
)
async def test_what_somebody_follows(log: Log, feed: Feed, interest: Interest, taken: list[int]) -> None:
    async with following(feed, after=None, interest=interest) as live:
        waiting = [asyncio.create_task(live.several(len(taken)))]
        await asyncio.sleep(0.01)
        log.add(1)
        log.add(2, platform_id="mubi")
        log.add(3)
        log.add(2, region="DE")
        log.add_trends()
        await feed.look()

        assert await waiting[0] == taken
    async with following(feed, interest=interest) as missed:
        assert await missed.several(len(taken)) == taken
    assert feed.listeners == 0
    assert (feed._listeners._of_titles, feed._listeners._of_regions) == ({}, {})


async def test_a_cursor_ahead_of_the_news_is_refused(log: Log, feed: Feed) -> None:
    log.add()

    async with following(feed, after=2) as follower:
        with pytest.raises(BadInput, match="lies ahead"):
            await follower.next()


async def test_a_cursor_of_what_is_gone_is_refused(log: Log, feed: Feed) -> None:
    log.add()
    log.add()
    log.gone = 1

    async with following(feed, after=0) as follower:
        with pytest.raises(BadInput, match="older than news are kept") as refused:
            await follower.next()
    assert refused.value.extensions["reason"] == "CURSOR_EXPIRED"
    async with following(feed, after=1) as follower:
        assert await follower.next() == 2


async def test_nobody_costs_no_reading_of_the_log(log: Log, feed: Feed) -> None:
    for _ in range(3):
        log.add()
        await feed.look()

    assert log.reads == 0


async def test_it_goes_on_when_the_database_is_back(
    log: Log, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "LOOK_EVERY_SECONDS", 0.01)
    running = asyncio.create_task(feed.run())
    try:
        async with following(feed, after=None) as follower:
            waiting = asyncio.create_task(follower.next())
            await asyncio.sleep(0.01)
            log.failing = True
            log.add()
            await asyncio.sleep(0.05)
            assert not waiting.done()
            log.failing = False

            assert await waiting == 1
    finally:
        running.cancel()


# The log in PostgreSQL.


async def add(database: Database, **fields: Any) -> None:
    given = {"kind": "arrived", "content_id": 1, "region": "US", "platform": "netflix", "offer_kind": "free"}
    row = given | {"at": NOW} | fields
    places = ", ".join(f"${place}" for place in range(1, len(row) + 1))
    await database.execute(f"INSERT INTO news ({', '.join(row)}) VALUES ({places})", *row.values())


@pytest.mark.parametrize(
    "interest",
    [
        EVERYTHING,
        Interest("US"),
        Interest("DE"),
        Interest("US", None, frozenset({"mubi"})),
        Interest(None, None, frozenset({"netflix"})),
        Interest(None, None, frozenset()),
        Interest("US", frozenset({1, 2})),
        Interest(None, frozenset({2})),
        Interest("DE", frozenset({1}), frozenset({"netflix"})),
        Interest("US", frozenset()),
    ],
    ids=str,
)
async def test_sql_and_memory_agree_on_what_somebody_follows(database: Database, interest: Interest) -> None:
    for content_id in (1, 2, 3):
        for region in ("US", "DE"):
            for platform in ("netflix", "mubi"):
                await add(database, content_id=content_id, region=region, platform=platform)
    nothing = dict.fromkeys(("content_id", "region", "platform", "offer_kind"))
    await add(database, kind="trends", content_ids=[3, 1], **nothing)
    log = PostgresNews(database)

    everything = await log.since(0, EVERYTHING, 100)

    assert len(everything) == 13
    assert await log.since(0, interest, 100) == [news for news in everything if interest.takes(news)]
    assert await log.since(6, interest, 2) == [news for news in everything[6:] if interest.takes(news)][:2]
