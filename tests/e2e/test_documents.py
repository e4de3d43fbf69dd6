"""Documents published from the command line reach a server that runs nothing else."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from tests.conftest import fresh_database
from tests.e2e.server import Server, running

GENRES = "query Genres { genres { name } }"


@pytest.fixture
async def database_url(postgres_url: str) -> str:
    return await fresh_database(postgres_url, "media_gateway_documents")


async def command(database_url: str, *words: str) -> str:
    """What `media-gateway` writes to stdout."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway",
        *words,
        env={**os.environ, "MEDIA_GATEWAY_DATABASE_URL": database_url},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output.decode()


async def ask(server: Server, **request: Any) -> dict[str, Any]:
    async with httpx.AsyncClient(verify=False) as client:
        answer: dict[str, Any] = (await client.post(f"{server.url}/graphql", json=request)).json()
    return answer


async def code(server: Server, **request: Any) -> str:
    return str((await ask(server, **request))["errors"][0]["extensions"]["code"])


async def test_a_document_runs_soon_after_it_was_published_and_its_use_is_known(
    scratch: Path, database_url: str
) -> None:
    manifest = scratch / "persisted_queries.json"
    manifest.write_bytes(orjson.dumps({"genres-1": GENRES}))
    settings = {
        "database_url": database_url,
        "documents": "only",
        "documents_refresh_seconds": "0.2",
        "documents_usage_seconds": "0.2",
        "demo_catalogue": "false",
        "background_work": "false",
    }
    async with running(scratch / "documents", **settings) as server:
        before = await code(server, documentId="genres-1")
        ad_hoc = await code(server, query="{ __typename }")
        await command(database_url, "documents", "publish", str(manifest), "--client", "web")
        async with asyncio.timeout(10):
            while "data" not in (answer := await ask(server, documentId="genres-1")):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
        by_hash = await ask(server, query=GENRES)

    assert (before, ad_hoc) == ("PERSISTED_QUERY_NOT_FOUND", "DOCUMENT_NOT_TRUSTED")
    assert answer == by_hash
    usage = orjson.loads(await command(database_url, "documents", "usage", "--json"))["coordinates"]
    assert usage == {"Query.genres": 2, "Genre.name": 2}
    assert "genres-1  Genres  web" in await command(database_url, "documents", "list")
