"""A server over the demo catalogue, for the stories that do not stop it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.platform import minilm
from tests.e2e.server import Server, running
from tests.redis_server import redis_url

__all__ = ["redis_url"]

MODELS = Path(__file__).parent.parent.parent / "var" / "model"


@pytest.fixture(scope="session")
async def encoder_dir() -> str:
    """The real model, built once and kept for later runs."""
    return str(await minilm.ensure(MODELS, lambda _stage, _fraction: None))


@pytest.fixture(scope="session")
async def server(scratch: Path, encoder_dir: str) -> AsyncIterator[Server]:
    async with running(scratch / "e2e", encoder_dir=encoder_dir, known_operations="Known") as server:
        yield server
