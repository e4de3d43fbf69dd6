"""Fixtures for tests of imports."""

import pytest

from domain.platform.postgres import Database
from tests.viewers import Living, living


@pytest.fixture
def house(database: Database) -> Living:
    return living(database)


@pytest.fixture
async def ada(house: Living) -> str:
    return await house.account()
