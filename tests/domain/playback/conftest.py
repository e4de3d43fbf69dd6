"""An account with a device and a film to play."""

import pytest

from domain.platform.postgres import Database
from domain.sync.model import Device
from tests.catalogue import add_movie
from tests.viewers import Living, living

DURATION = 1000
"""Seconds of the film."""


@pytest.fixture
def house(database: Database) -> Living:
    return living(database)


@pytest.fixture
async def movie(database: Database) -> int:
    return await add_movie(database, runtime_seconds=DURATION)


@pytest.fixture
async def ada(house: Living) -> str:
    return await house.account()


@pytest.fixture
async def tv(house: Living, ada: str) -> Device:
    return await house.device(ada, "TV")
