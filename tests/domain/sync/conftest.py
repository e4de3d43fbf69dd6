"""Fixtures for tests of sync."""

import pytest

from domain.platform.postgres import Database
from tests.redis_server import redis_url
from tests.viewers import Living, living

__all__ = ["redis_url"]


@pytest.fixture
def house(database: Database) -> Living:
    return living(database)


@pytest.fixture
async def ada(house: Living) -> str:
    return await house.account()
