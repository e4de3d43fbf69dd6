"""Announcements: for whom they count, for how long, and that they are news and on record."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta

import pytest

from domain.identity.audit import SYSTEM
from domain.news.announcements import MAX_CHARACTERS, MOST_AT_A_TIME, Announcements
from domain.news.model import EVERYTHING, Announced, Announcement, Interest
from domain.news.postgres import PostgresNews
from domain.news.service import KEPT
from domain.platform.errors import Refused, UserErrorCode
from domain.platform.postgres import Database
from tests.viewers import Living, living, refusal

HOUR = timedelta(hours=1)


@pytest.fixture
def house(database: Database) -> Living:
    return living(database)


@pytest.fixture
def announcements(house: Living) -> Announcements:
    return house.announcements


def making(
    house: Living, text: str = "Maintenance at ten.", region: str | None = None, lasts: timedelta = HOUR
) -> Awaitable[Announcement]:
    return house.announcements.make(text, region, house.clock.now() + lasts, SYSTEM)


async def counting(house: Living, region: str = "US") -> list[str]:
    return [made.text for made in await house.announcements.counting(region)]


async def actions(database: Database) -> list[str]:
    return [row[0] for row in await database.rows("SELECT action FROM audit_entry ORDER BY id")]


async def test_it_counts_in_its_region_until_it_ends(house: Living) -> None:
    await making(house, "Everywhere")
    await making(house, "In Germany", "DE", 2 * HOUR)
    first = [await counting(house, "US"), await counting(house, "DE")]
    house.clock.turn(HOUR.total_seconds())

    assert first == [["Everywhere"], ["In Germany", "Everywhere"]]
    assert [await counting(house, "US"), await counting(house, "DE")] == [[], ["In Germany"]]


async def test_it_is_news_and_on_record(database: Database, house: Living) -> None:
    made = await making(house, "  In Germany ", "DE")
    withdrawn = await house.announcements.withdraw(made.id, SYSTEM)
    log = await PostgresNews(database).since(0, EVERYTHING, 10)

    assert (made.text, withdrawn.withdrawn_at) == ("In Germany", house.clock.now())
    assert log == [
        Announced(1, made.id, "DE", house.clock.now()),
        Announced(2, made.id, "DE", house.clock.now()),
    ]
    assert await PostgresNews(database).since(0, Interest("US"), 10) == []
    assert await actions(database) == ["announcement.published", "announcement.withdrawn"]
    assert await counting(house, "DE") == []


@pytest.mark.parametrize(
    ("text", "lasts"),
    [
        ("", HOUR),
        ("   ", HOUR),
        ("x" * (MAX_CHARACTERS + 1), HOUR),
        ("Late", timedelta(0)),
        ("Early", KEPT + timedelta(seconds=1)),
    ],
)
async def test_what_is_not_announced(database: Database, house: Living, text: str, lasts: timedelta) -> None:
    assert await refusal(making(house, text, lasts=lasts)) is UserErrorCode.INVALID
    assert await PostgresNews(database).latest() == 0
    assert await actions(database) == []


async def test_what_counts_no_more_is_not_withdrawn(house: Living, announcements: Announcements) -> None:
    made = await making(house)
    await announcements.withdraw(made.id, SYSTEM)
    other = await making(house)
    house.clock.turn(HOUR.total_seconds())

    for key in (made.id, other.id, 10**9):
        assert await refusal(announcements.withdraw(key, SYSTEM)) is UserErrorCode.NOT_FOUND


async def test_no_more_count_at_a_time_than_a_screen_can_show(database: Database, house: Living) -> None:
    """Whoever makes them, at once."""
    made = await asyncio.gather(
        *(making(house, str(number)) for number in range(MOST_AT_A_TIME + 5)), return_exceptions=True
    )

    refused = [each for each in made if isinstance(each, Refused)]
    assert len(refused) == 5
    assert {each.errors[0].code for each in refused} == {UserErrorCode.LIMIT_REACHED}
    assert len(await counting(house)) == MOST_AT_A_TIME
    assert len(await PostgresNews(database).since(0, EVERYTHING, 100)) == MOST_AT_A_TIME
    assert len(await actions(database)) == MOST_AT_A_TIME
