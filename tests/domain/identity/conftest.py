"""A desk at which accounts are opened, over empty tables."""

from collections.abc import AsyncIterator

import pytest

from domain.platform.postgres import Database
from tests.accounts import Desk, opened_desk
from tests.redis_server import redis_url

__all__ = ["redis_url"]


@pytest.fixture
async def desk(database: Database) -> AsyncIterator[Desk]:
    async with opened_desk(database) as desk:
        yield desk
