"""Accounts of a moment ago: read once, never staler than four seconds."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from domain.identity.model import Account
from domain.identity.recent import RecentAccounts
from tests.accounts import Clock, an_account, new_id

ACCOUNT = an_account()


class Shelf:
    """Holds accounts and remembers what was asked."""

    def __init__(self) -> None:
        self.accounts = {ACCOUNT.id: ACCOUNT}
        self.asked: list[str] = []
        self.broken = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def read(self, ids: Sequence[str]) -> Mapping[str, Account]:
        self.asked += ids
        await self.gate.wait()
        if self.broken:
            raise ConnectionError
        return {identity: self.accounts[identity] for identity in ids if identity in self.accounts}


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


async def test_an_account_is_read_again_after_four_seconds(shelf: Shelf) -> None:
    clock = Clock()
    recent = RecentAccounts(shelf.read, clock.seconds)

    first = await recent.get(ACCOUNT.id)
    shelf.accounts.clear()
    clock.turn(3.9)
    second = await recent.get(ACCOUNT.id)
    clock.turn(0.1)
    third = await recent.get(ACCOUNT.id)

    assert (first, second, third) == (ACCOUNT, ACCOUNT, None)
    assert shelf.asked == [ACCOUNT.id] * 2


async def test_requests_at_once_share_one_reading(shelf: Shelf) -> None:
    recent = RecentAccounts(shelf.read)

    found = await asyncio.gather(*(recent.get(ACCOUNT.id) for _ in range(50)))

    assert found == [ACCOUNT] * 50
    assert shelf.asked == [ACCOUNT.id]


async def test_a_request_that_is_given_up_does_not_spoil_the_others(shelf: Shelf) -> None:
    recent = RecentAccounts(shelf.read)
    shelf.gate.clear()
    given_up = asyncio.create_task(recent.get(ACCOUNT.id))
    patient = asyncio.create_task(recent.get(ACCOUNT.id))
    await asyncio.sleep(0)

    given_up.cancel()
    await asyncio.sleep(0)
    shelf.gate.set()

    assert await patient == ACCOUNT
    assert given_up.cancelled()


async def test_a_reading_that_failed_is_tried_again_at_once(shelf: Shelf) -> None:
    recent = RecentAccounts(shelf.read)
    shelf.broken = True
    with pytest.raises(ConnectionError):
        await recent.get(ACCOUNT.id)

    shelf.broken = False

    assert await recent.get(ACCOUNT.id) == ACCOUNT


async def test_what_is_forgotten_meanwhile_is_not_kept(shelf: Shelf) -> None:
    recent = RecentAccounts(shelf.read)
    shelf.gate.clear()
    under_way = asyncio.create_task(recent.get(ACCOUNT.id))
    await asyncio.sleep(0)

    recent.forget(ACCOUNT.id)
    shelf.gate.set()
    await under_way
    await recent.get(ACCOUNT.id)

    assert shelf.asked == [ACCOUNT.id] * 2


async def test_memory_is_bounded(shelf: Shelf) -> None:
    recent = RecentAccounts(shelf.read, max_kept=10)

    for _ in range(50):
        await recent.get(new_id())

    assert len(recent._readings) == 10
