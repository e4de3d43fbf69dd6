"""What becomes news, on a real database."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from domain.catalog.changes import LocalNotifier
from domain.news import postgres_noting
from domain.news.model import EVERYTHING, Availability, AvailabilityChange, Trends
from domain.news.postgres import PostgresNews
from domain.news.postgres_noting import LEAVING, NOTED_EVERY, REMEMBERED, PostgresNoting
from domain.news.service import KEPT, TRENDS, TRENDS_EVERY, Newsroom
from domain.platform.postgres import Database
from tests.accounts import Clock
from tests.catalogue import add_movie, add_offer, add_series, parts_of, retire

ARRIVED, LEAVES, STAYS, LEFT = AvailabilityChange
DAY = timedelta(days=1)


@dataclass
class House:
    """A newsroom of one process, on a clock that the test turns, and the log."""

    database: Database
    clock: Clock = field(default_factory=Clock)
    best: list[int] = field(default_factory=list)
    asked: int = 0
    read: int = 0

    def newsroom(self) -> Newsroom:
        async def trending(_as_of: object) -> Sequence[int]:
            self.asked += 1
            return self.best

        return Newsroom(PostgresNoting(self.database), trending, LocalNotifier(), self.clock.now)

    async def note(self) -> list[Availability]:
        """Looks, and answers what is new in the log."""
        count = await self.newsroom().note_availability()
        told = await PostgresNews(self.database).since(self.read, EVERYTHING, 1_000)
        self.read = told[-1].seq if told else self.read
        found = [news for news in told if isinstance(news, Availability)]
        assert len(found) == count
        return found

    async def noted(self) -> list[tuple[AvailabilityChange, int, str]]:
        return [(news.change, news.content_id, news.platform_id) for news in await self.note()]


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


@pytest.fixture
async def film(database: Database, house: House) -> int:
    """A title with nothing offered, after the first look."""
    key = await add_movie(database)
    await house.note()
    return key


async def test_an_offer_arrives_and_leaves(database: Database, house: House, film: int) -> None:
    await add_offer(database, film, "mubi", region="DE", kind="rental", price="3.99", currency="EUR")
    arrived = await house.note()
    await database.execute("DELETE FROM offer")
    left = await house.note()

    assert arrived == [
        Availability(
            arrived[0].seq, ARRIVED, film, "DE", "mubi", arrived[0].offer_kind, None, house.clock.now()
        )
    ]
    assert arrived[0].offer_kind == "rental"
    assert [(news.change, news.platform_id, news.ends_at) for news in left] == [(LEFT, "mubi", None)]
    assert await house.note() == []


async def test_another_quality_or_price_is_no_news(database: Database, house: House, film: int) -> None:
    await add_offer(database, film, kind="rental", quality="HD", price="2.99")
    first = await house.noted()
    await add_offer(database, film, kind="rental", quality="UHD", price="4.99")
    await database.execute("UPDATE offer SET price = 1.99")
    await database.execute("DELETE FROM offer WHERE quality = 'HD'")

    assert first == [(ARRIVED, film, "netflix")]
    assert await house.noted() == []


async def test_what_is_written_anew_as_it_was_is_no_news(database: Database, house: House, film: int) -> None:
    """As an import does that replaces all offers of a title."""
    await add_offer(database, film)
    await house.note()

    async with database.transaction():
        await database.execute("DELETE FROM offer")
        await add_offer(database, film)

    assert await house.noted() == []


async def test_offers_begin_and_end_by_the_clock(database: Database, house: House, film: int) -> None:
    now = house.clock.now()
    await add_offer(database, film, available_from=now + DAY, expires_at=now + 30 * DAY)
    ahead = await house.noted()
    house.clock.turn(DAY.total_seconds() - 1)
    still_ahead = await house.noted()
    house.clock.turn(1)
    begun = await house.noted()
    house.clock.turn((29 * DAY - LEAVING).total_seconds() - 1)
    long_before_its_end = await house.noted()
    house.clock.turn(1)
    soon = await house.note()
    house.clock.turn(LEAVING.total_seconds() - 1)
    to_the_last = await house.noted()
    house.clock.turn(1)

    assert (ahead, still_ahead, long_before_its_end, to_the_last) == ([], [], [], [])
    assert begun == [(ARRIVED, film, "netflix")]
    assert [(news.change, news.ends_at) for news in soon] == [(LEAVES, now + 30 * DAY)]
    assert await house.noted() == [(LEFT, film, "netflix")]


async def test_an_end_that_is_put_off(database: Database, house: House, film: int) -> None:
    now = house.clock.now()
    await add_offer(database, film, expires_at=now + 2 * DAY)
    arrived = await house.note()
    told = await house.noted()
    await database.execute("UPDATE offer SET expires_at = $1", now + 3 * DAY)
    later = await house.note()
    await database.execute("UPDATE offer SET expires_at = $1", now + 30 * DAY)
    stays = await house.note()
    await database.execute("UPDATE offer SET expires_at = NULL")

    assert [(news.change, news.ends_at) for news in arrived] == [(ARRIVED, now + 2 * DAY)]
    assert told == []
    assert [(news.change, news.ends_at) for news in later] == [(LEAVES, now + 3 * DAY)]
    assert [(news.change, news.ends_at) for news in stays] == [(STAYS, now + 30 * DAY)]
    assert await house.noted() == []


async def test_the_last_of_several_offers_to_end_counts(database: Database, house: House, film: int) -> None:
    now = house.clock.now()
    await add_offer(database, film, quality="HD", expires_at=now + DAY)
    await add_offer(database, film, quality="UHD", expires_at=now + 2 * DAY)
    arrived = await house.note()
    house.clock.turn(DAY.total_seconds())
    one_left = await house.noted()
    house.clock.turn(DAY.total_seconds())

    assert [news.ends_at for news in arrived] == [now + 2 * DAY]
    assert one_left == []
    assert await house.noted() == [(LEFT, film, "netflix")]


async def test_a_retired_title_leaves_with_its_parts(database: Database, house: House) -> None:
    series = await add_series(database, seasons=[1])
    (season,) = await parts_of(database, series)
    await add_offer(database, series, "netflix")
    await add_offer(database, season, "mubi")
    await house.note()

    await retire(database, series)

    assert await house.noted() == [(LEFT, series, "netflix"), (LEFT, season, "mubi")]


async def test_a_title_that_was_dropped_leaves(database: Database, house: House, film: int) -> None:
    await add_offer(database, film)
    await house.note()

    await database.execute("DELETE FROM content WHERE id = $1", film)

    assert await house.noted() == [(LEFT, film, "netflix")]


async def test_a_clock_that_goes_back_undoes_nothing(database: Database, house: House, film: int) -> None:
    await add_offer(database, film, expires_at=house.clock.now() + DAY)
    await house.note()
    house.clock.turn(DAY.total_seconds() + 5)
    left = await house.noted()
    house.clock.turn(-10)
    await database.execute("UPDATE offer SET price = 1, currency = 'USD'")

    assert left == [(LEFT, film, "netflix")]
    assert await house.noted() == []


async def test_nobody_looked_for_long(database: Database, house: House, film: int) -> None:
    """The record of changes does not go back so far: all is compared."""
    await add_offer(database, film)
    await database.execute("DELETE FROM catalog_change")
    house.clock.turn(NOTED_EVERY.total_seconds())
    unheard = await house.noted()
    await add_offer(database, film, "mubi")
    await database.execute("DELETE FROM catalog_change")
    house.clock.turn(REMEMBERED.total_seconds() + 1)

    assert unheard == []
    assert await house.noted() == [(ARRIVED, film, "mubi"), (ARRIVED, film, "netflix")]


async def test_all_is_compared_block_by_block(
    database: Database, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_noting, "TITLES_AT_ONCE", 2)
    films = [await add_movie(database, f"Film {number}") for number in range(5)]
    for film in films:
        await add_offer(database, film)
    arrived = await house.noted()
    await database.execute("DELETE FROM content WHERE id = $1", films[-1])
    await database.execute("TRUNCATE rating")

    assert arrived == [(ARRIVED, film, "netflix") for film in films]
    assert await house.noted() == [(LEFT, films[-1], "netflix")]


async def test_where_nothing_happens_nothing_is_written(database: Database, house: House, film: int) -> None:
    async def state() -> object:
        return await database.value("SELECT xmin::text || xmax::text FROM news_state")

    before = await state()
    for _ in range(3):
        house.clock.turn(1)
        await house.note()
    idle = await state()
    house.clock.turn(NOTED_EVERY.total_seconds())
    await house.note()

    assert idle == before
    assert await state() != before


async def test_of_several_processes_one_tells(database: Database, house: House, film: int) -> None:
    await add_offer(database, film)
    await add_offer(database, film, "mubi")

    counts = await asyncio.gather(*(house.newsroom().note_availability() for _ in range(8)))

    assert sorted(counts) == [0] * 7 + [2]
    assert await database.value("SELECT count(*) FROM news") == 2


async def test_the_news_told_one_after_another_come_to_what_there_is(
    database: Database, house: House
) -> None:
    """Whatever happens to offers and to the clock, in transactions that commit in any order."""
    chance = random.Random(20261129)
    films = [await add_movie(database, f"Film {number}") for number in range(4)]
    known: dict[tuple[int, str], bool] = {}
    turns = 0

    for _ in range(120):
        film, platform = chance.choice(films), chance.choice(["netflix", "mubi", "hulu"])
        now = house.clock.now()
        match chance.randrange(5):
            case 0 | 1:
                await database.execute(
                    "DELETE FROM offer WHERE content_id = $1 AND platform = $2", film, platform
                )
                begins = now + chance.choice([-DAY, DAY, 3 * DAY])
                await add_offer(
                    database,
                    film,
                    platform,
                    available_from=chance.choice([None, begins]),
                    expires_at=chance.choice([None, begins + 5 * DAY, begins + 20 * DAY]),
                )
            case 2:
                await database.execute("DELETE FROM offer WHERE content_id = $1", film)
            case 3:
                await database.execute(
                    """UPDATE content SET deleted_at = CASE WHEN deleted_at IS NULL THEN now() END
                        WHERE id = $1""",
                    film,
                )
            case 4:
                house.clock.turn(chance.choice([60, 86_400, 5 * 86_400]))
        if chance.random() < 0.3:
            continue
        for news in await house.note():
            place = (news.content_id, news.platform_id)
            stood = known.get(place, False)
            assert stood == (news.change is not ARRIVED)
            known[place] = news.change is not LEFT
            turns += 1
        rows = await database.rows(
            """SELECT content_id, platform FROM offer JOIN content ON content.id = offer.content_id
                WHERE deleted_at IS NULL AND (available_from IS NULL OR available_from <= $1)
                  AND (expires_at IS NULL OR expires_at > $1)""",
            house.clock.now(),
        )
        assert {place for place, stands in known.items() if stands} == {(row[0], row[1]) for row in rows}

    assert turns > 50


async def test_trends_are_counted_once_an_hour(house: House) -> None:
    house.best = list(range(1, TRENDS + 50))
    first = [await house.newsroom().note_trends(), await house.newsroom().note_trends()]
    house.clock.turn(TRENDS_EVERY.total_seconds())
    same = await house.newsroom().note_trends()
    house.best = [2, 1]
    changed = await house.newsroom().note_trends()

    log = await PostgresNews(house.database).since(0, EVERYTHING, 10)
    assert (first, same, changed) == ([1, 0], 0, 1)
    assert [news.content_ids for news in log if isinstance(news, Trends)] == [
        tuple(range(1, TRENDS + 1)),
        (2, 1),
    ]


async def test_old_news_are_forgotten_and_their_numbers_are_not(
    database: Database, house: House, film: int
) -> None:
    log = PostgresNews(database)
    await add_offer(database, film)
    await house.note()
    house.clock.turn(KEPT.total_seconds())
    kept = await house.newsroom().forget()
    house.clock.turn(1)

    dropped = [await house.newsroom().forget(), await house.newsroom().forget()]

    assert (kept, dropped) == (0, [1, 0])
    assert (await log.latest(), await log.forgotten()) == (house.read, house.read)
