"""Floors and the stock peer answer what the graph answers; those of Node are compared by the benchmark."""

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import asyncpg
import orjson
import pytest
from starlette.requests import Request

from bench import operations
from bench.catalogue import SyntheticCatalogue, slug
from bench.config import Config
from bench.floors import Routes
from bench.peers.stock_graph import Context, Sources
from bench.peers.stock_graph import schema as stock_schema
from domain.ingestion.postgres import PostgresShelf
from domain.ingestion.service import import_source
from domain.platform.postgres import Database
from domain.sync.clock import Timestamp
from domain.sync.model import Addition, WatchProgress
from domain.sync.postgres import PostgresSync
from schema.graph import graph
from tests.accounts import new_id, somebody
from tests.asking import Asker
from tests.states import keep

PAGE = 50


@pytest.fixture
async def account(database: Database) -> str:
    """It began two titles of a catalogue of 120, finished one, and listed two, one of them begun."""
    await import_source(PostgresShelf(database), SyntheticCatalogue(120))
    key = new_id()
    await database.execute("INSERT INTO account (id, display_name) VALUES ($1, 'Ada')", key)
    now, version = datetime.now(UTC), Timestamp(1, "phone")
    for content, position, completed in ((3, 900, False), (5, 60, False), (7, 5900, True)):
        await keep(database, key, WatchProgress(content, 1, position, 6000, completed, version, None, now))
    for content in (3, 9):
        await keep(database, key, Addition(content, new_id(), now, version, given=True))
    return key


@pytest.fixture
async def pool(account: str, database_url: str) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=4) as pool:
        yield pool


@pytest.fixture
async def config(account: str, database_url: str) -> Config:
    return await Config.of(database_url, [_token(account)], page=PAGE, pool_size=4)


ASKED: list[tuple[str, str, dict[str, Any]]] = [
    ("typename", operations.TYPENAME, {}),
    ("title", operations.TITLE, {"slug": slug(77)}),
    ("title", operations.TITLE, {"slug": "nowhere"}),
    ("titles", operations.TITLES, {"first": PAGE}),
    ("titles", operations.TITLES, {"first": 3}),
    ("viewer", operations.VIEWER, {}),
]


@pytest.mark.parametrize(("route", "document", "variables"), ASKED)
async def test_the_floor_answers_what_the_graph_answers(
    database: Database,
    account: str,
    pool: asyncpg.Pool,
    config: Config,
    route: str,
    document: str,
    variables: dict[str, Any],
) -> None:
    expected = await _asker(database, account).data(document, **variables)

    response = await getattr(Routes(pool, config), route)(_request(document, variables, _token(account)))

    assert orjson.loads(response.body)["data"] == _json(expected)


@pytest.mark.parametrize(("route", "document", "variables"), ASKED)
async def test_stock_strawberry_answers_what_the_graph_answers(
    database: Database,
    account: str,
    pool: asyncpg.Pool,
    config: Config,
    route: str,
    document: str,
    variables: dict[str, Any],
) -> None:
    expected = await _asker(database, account).data(document, **variables)

    found = await stock_schema().execute(
        document, variable_values=variables, context_value=Context(Sources(pool, config), account)
    )

    assert found.errors is None
    assert _json(found.data) == _json(expected)


async def test_the_account_of_a_token_is_told(config: Config, account: str) -> None:
    assert config.accounts == {_token(account): account}


def _asker(database: Database, account: str) -> Asker:
    services = {"sync": SimpleNamespace(store=PostgresSync(database))}
    return Asker(graph(), database, services, somebody(account))


def _request(document: str, variables: dict[str, Any], token: str) -> Request:
    sent = orjson.dumps({"query": document, "variables": variables})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": sent, "more_body": False}

    headers = [(b"authorization", f"Bearer {token}".encode())]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)


def _token(account: str) -> str:
    payload = base64.urlsafe_b64encode(orjson.dumps({"sub": account})).decode().rstrip("=")
    return f"head.{payload}.signature"


def _json(data: Any) -> Any:
    return orjson.loads(orjson.dumps(data))
