"""What tests of recommending share."""

import pytest

from domain.platform.postgres import Database
from tests.domain.sona.viewers import House


@pytest.fixture
def house(database: Database) -> House:
    return House(database)
