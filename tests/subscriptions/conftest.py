"""Whom the tests of this folder ask, and who asks."""

import pytest

from domain.platform.postgres import Database
from tests.viewers import Asker, Living, living


@pytest.fixture
def ask(database: Database) -> Asker:
    return Asker(living(database))


@pytest.fixture
def house(ask: Asker) -> Living:
    return ask.house


@pytest.fixture
async def ada(house: Living) -> str:
    """The id of an account."""
    return await house.account()
