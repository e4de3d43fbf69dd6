"""Whom the tests of this folder ask, and who asks."""

import pytest

from domain.platform.postgres import Database
from tests.viewers import Asker, living


@pytest.fixture
def ask(database: Database) -> Asker:
    return Asker(living(database))


@pytest.fixture
async def ada(ask: Asker) -> str:
    """The id of an account."""
    return await ask.house.account()
