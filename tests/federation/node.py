"""What runs on Node: a library that composes subgraphs, and a router that joins them."""

import asyncio
import contextlib
import json
import shutil
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.server import Server

HERE = Path(__file__).parent
MODULES = HERE / "node_modules" / "@graphql-hive"
START_SECONDS = 60.0

needs_node = pytest.mark.skipif(
    shutil.which("node") is None, reason="Node.js composes and routes, and is not installed"
)


@dataclass(frozen=True)
class Subgraph:
    name: str
    sdl: str
    url: str = "http://localhost/graphql"


@dataclass(frozen=True)
class Composition:
    errors: list[str]
    supergraph: str | None
    """What a router is given."""
    api: str | None
    """What its clients see."""


async def composed(subgraphs: Sequence[Subgraph]) -> Composition:
    await _install()
    described = [{"name": part.name, "url": part.url, "sdl": part.sdl} for part in subgraphs]
    told = await _run("node", "compose.mjs", given=json.dumps(described))
    return Composition(**json.loads(told))


@contextlib.asynccontextmanager
async def routing(supergraph: str, folder: Path) -> AsyncIterator[Server]:
    """A router over the subgraphs at the addresses that `supergraph` names."""
    await _install()
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - a test may wait for a folder
    file, log = folder / "supergraph.graphql", folder / "router.log"
    file.write_text(supergraph)
    with log.open("wb") as complaints:
        process = await asyncio.create_subprocess_exec(
            "node", "router.mjs", str(file), cwd=HERE, stdin=PIPE, stdout=PIPE, stderr=complaints
        )
    assert process.stdout is not None
    router = Server(0, process, log)
    try:
        async with asyncio.timeout(START_SECONDS):
            said = await process.stdout.readline()
        assert said, f"The router did not start:\n{log.read_text()}"
        router.port = int(said)
        yield router
    finally:
        assert process.stdin is not None
        process.stdin.close()  # its word to go
        await asyncio.wait_for(process.wait(), START_SECONDS)


async def _install() -> None:
    if not MODULES.exists():
        await _run("npm", "ci", "--no-audit", "--no-fund")


async def _run(*command: str, given: str = "") -> str:
    process = await asyncio.create_subprocess_exec(*command, cwd=HERE, stdin=PIPE, stdout=PIPE, stderr=PIPE)
    output, errors = await process.communicate(given.encode())
    assert process.returncode == 0, errors.decode()
    return output.decode()
