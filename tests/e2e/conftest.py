"""A server over the demo catalogue, for the stories that do not stop it, and what no server may log."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from domain.platform import minilm
from tests.e2e.oauth import ada, app, oauth_server
from tests.e2e.secrets import Secrets, logs_in
from tests.e2e.server import Server, running
from tests.redis_server import redis_url

__all__ = ["ada", "app", "oauth_server", "redis_url"]

STORIES = "tests/e2e/"
"""Other tests run in this process as well, with words for secrets that stand anywhere."""
MODELS = Path(__file__).parent.parent.parent / "var" / "model"


@pytest.fixture(scope="session", autouse=True)
def secrets(scratch: Path) -> Iterator[Secrets]:
    """Those of all requests that are sent from now on: in the end, none may be in any log of this run."""
    found, send = Secrets(), httpx.AsyncClient.send

    async def watched(self: httpx.AsyncClient, request: httpx.Request, **options: Any) -> httpx.Response:
        response = await send(self, request, **options)
        if os.environ.get("PYTEST_CURRENT_TEST", "").startswith(STORIES):
            found.watch(response)
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpx.AsyncClient, "send", watched)
        yield found
    found.watch_folder(scratch)
    assert list(found.leaks(logs_in(scratch))) == []


@pytest.fixture(scope="session")
async def encoder_dir() -> str:
    """The real model, built once and kept for later runs."""
    return str(await minilm.ensure(MODELS, lambda _stage, _fraction: None))


@pytest.fixture(scope="session")
async def server(scratch: Path, encoder_dir: str) -> AsyncIterator[Server]:
    async with running(scratch / "e2e", encoder_dir=encoder_dir, known_operations="Known") as server:
        yield server
