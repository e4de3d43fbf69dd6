"""A server over the demo catalogue, for the stories that do not stop it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.server import Server, running
from tests.redis_server import redis_url

__all__ = ["redis_url"]


@pytest.fixture(scope="session")
async def server(scratch: Path) -> AsyncIterator[Server]:
    async with running(scratch / "e2e") as server:
        yield server
