"""Which of a device's streams is told what to do, with processes that live and die."""

import asyncio

import pytest

from domain.catalog.links import DeviceKind
from domain.platform.postgres import Database
from domain.sync import listeners
from domain.sync.listeners import SILENT_FOR, Listeners
from domain.sync.model import Device
from domain.sync.postgres_devices import PostgresDevices
from tests.accounts import new_id
from tests.viewers import Living


@pytest.fixture
async def tv(house: Living, ada: str) -> Device:
    return await house.device(ada, "TV", DeviceKind.TV)


def process(database: Database) -> Listeners:
    return Listeners(PostgresDevices(database), new_id)


async def fall_silent(database: Database) -> None:
    """All processes have, a moment longer ago than they may."""
    await database.execute("UPDATE process SET seen_at = seen_at - $1::interval", SILENT_FOR)


async def signs_of_life(database: Database) -> int:
    count: int = await database.value(
        "SELECT count(*) FROM process WHERE seen_at > now() - $1::interval", SILENT_FOR
    )
    return count


async def test_the_stream_that_was_opened_last_is_told_until_it_ends(
    database: Database, ada: str, tv: Device
) -> None:
    here, there = process(database), process(database)
    async with here.opened(ada, tv.id) as first:
        async with there.opened(ada, tv.id) as second:
            assert not await here.is_last(ada, tv.id, first)
            assert await there.is_last(ada, tv.id, second)

        assert await here.is_last(ada, tv.id, first)


async def test_an_earlier_stream_takes_over_from_one_whose_process_died(
    database: Database, ada: str, tv: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "BEAT_SECONDS", 3600.0)
    lives, dies = process(database), process(database)
    async with lives.opened(ada, tv.id) as first, dies.opened(ada, tv.id) as second:
        assert not await lives.is_last(ada, tv.id, first)

        await fall_silent(database)

        assert await lives.is_last(ada, tv.id, first)
        # It was only slow.
        await PostgresDevices(database).beat(second.partition(".")[0])
        assert not await lives.is_last(ada, tv.id, first)


async def test_a_process_that_lives_says_so_for_as_long_as_anybody_listens(
    database: Database, ada: str, tv: Device, house: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "BEAT_SECONDS", 0.02)
    phone, lives = await house.device(ada), process(database)
    async with lives.opened(ada, tv.id) as on_tv:
        async with lives.opened(ada, phone.id):
            pass
        await fall_silent(database)
        async with asyncio.timeout(5):
            while not await signs_of_life(database):  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.02)
        assert await lives.is_last(ada, tv.id, on_tv)

    await fall_silent(database)
    await asyncio.sleep(0.1)
    assert await signs_of_life(database) == 0


async def test_a_stream_of_the_version_before_counts_until_it_ends(
    database: Database, ada: str, tv: Device
) -> None:
    here = process(database)
    async with here.opened(ada, tv.id) as first:
        await PostgresDevices(database).listen(ada, tv.id, new_id())

        assert not await here.is_last(ada, tv.id, first)
