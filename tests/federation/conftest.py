"""The graph twice over one database: served by a single process, and by a process for each context behind a
router.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from schema.graph import CONTRIBUTIONS
from tests.conftest import fresh_database
from tests.e2e.conftest import encoder_dir
from tests.e2e.server import Client, Server, running
from tests.federation.node import Subgraph, composed, routing
from tests.redis_server import redis_url

__all__ = ["encoder_dir", "redis_url"]

STARTING_AT_ONCE = 2
"""A start is mostly reckoning; more at once would only wait for one another."""
SERVICE = "{ _service { sdl } }"


@dataclass(frozen=True)
class Pair:
    whole: Server
    router: Server


@pytest.fixture(scope="session")
async def pair(scratch: Path, postgres_url: str, redis_url: str, encoder_dir: str) -> AsyncIterator[Pair]:
    shared = {
        "database_url": await fresh_database(postgres_url, "media_gateway_federation"),
        "redis_url": redis_url,
        # Without vectors, which every process would keep for itself: all search by keywords alone.
        "background_work": "false",
        "encoder_dir": encoder_dir,
    }
    folder = scratch / "federation"
    async with AsyncExitStack() as stack:
        whole = await stack.enter_async_context(running(folder / "whole", **shared))
        starting = asyncio.Semaphore(STARTING_AT_ONCE)

        async def subgraph(name: str) -> Subgraph:
            own = folder / name
            own.mkdir()
            (own / "signing-key.json").write_bytes((folder / "whole" / "signing-key.json").read_bytes())
            (own / "signing-key.json").chmod(0o600)
            async with starting:
                server = await stack.enter_async_context(running(own, subgraph=name, **shared))
            sdl = (await Client(server).ask(SERVICE))["_service"]["sdl"]
            return Subgraph(name, sdl, f"{server.url}/graphql")

        async with asyncio.TaskGroup() as tasks:
            parts = [tasks.create_task(subgraph(name)) for name in CONTRIBUTIONS]
        composition = await composed([part.result() for part in parts])
        assert composition.supergraph is not None, composition.errors
        router = await stack.enter_async_context(routing(composition.supergraph, folder / "router"))
        yield Pair(whole, router)
