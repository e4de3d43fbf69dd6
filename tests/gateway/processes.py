"""Processes of the gateway without a server: all their services over one database, and engines over these."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from domain.identity.model import ANONYMOUS
from domain.platform.postgres import Database
from gateway.engine.admission import CostMode, CostPolicy
from gateway.engine.execution import Engine
from gateway.engine.limits import Limit, Limits
from gateway.engine.requests import OperationRequest
from gateway.engine.results import OperationResult
from gateway.engine.sharing import Sharing
from gateway.metrics import Metrics
from gateway.services import Opened, open_all
from gateway.settings import Settings
from resolvers.context import Context
from schema.graph import Graph, graph
from tests.accounts import new_id, somebody
from tests.catalogue import (
    add_album,
    add_artwork,
    add_credit,
    add_external_id,
    add_movie,
    add_offer,
    add_rating,
    add_series,
    parts_of,
)

GRAPH = graph()


@dataclass
class Process:
    """The services of a process, and an engine that shares answers, unless it is told not to."""

    opened: Opened
    metrics: Metrics
    engine: Engine

    async def ask(
        self, text: str, account: str | None = None, region: str = "US", **variables: Any
    ) -> OperationResult:
        caller = ANONYMOUS if account is None else somebody(account)
        context = Context(self.opened.services, caller, region, "r1")
        return await self.engine.answer(OperationRequest(text, variables=variables), context)

    async def data(self, text: str, account: str | None = None, region: str = "US", **variables: Any) -> Any:
        result = await self.ask(text, account, region, **variables)
        assert result.errors == [], result.errors
        return orjson.loads(result.to_bytes())["data"]

    def without_sharing(self) -> "Process":
        """The same services, asked for each operation by itself."""
        return replace(self, engine=engine(GRAPH, None))

    @property
    def statements(self) -> float:
        """How many have reached the database."""
        return self.metrics.registry.get_sample_value("db_statement_duration_seconds_count") or 0.0


def engine(schema: Graph, sharing: Sharing | None) -> Engine:
    limits = Limits(warn_only=frozenset(Limit))
    return Engine(schema, limits, costs=CostPolicy(mode=CostMode.OFF), sharing=lambda: sharing)


@asynccontextmanager
async def process(folder: Path, url: str, **settings: Any) -> AsyncIterator[Process]:
    options = {"_env_file": None, "data_dir": folder, "database_url": url, "background_work": False}
    metrics = Metrics()
    async with open_all(Settings(**(options | settings)), metrics, traced=False) as opened:
        yield Process(opened, metrics, engine(GRAPH, opened.sharing))


@dataclass
class Shelf:
    """A film, a series and an album with all that hangs on them, and two accounts."""

    movie: int
    series: int
    album: int
    person: int
    episodes: list[int]
    accounts: tuple[str, str]


async def fill(database: Database) -> Shelf:
    await database.execute(
        """INSERT INTO announcement (text, published_at, ends_at)
           VALUES ('Maintenance at ten.', now(), now() + interval '1 hour')"""
    )
    movie = await add_movie(
        database,
        "Solaris",
        slug="solaris-1972",
        synopsis="A sea.",
        popularity=50.0,
        genres=["science-fiction"],
        keywords=["sea"],
    )
    other = await add_movie(
        database,
        "Stalker",
        slug="stalker-1979",
        popularity=40.0,
        genres=["science-fiction"],
        keywords=["sea"],
    )
    series = await add_series(database, "Dekalog", seasons=(3,), slug="dekalog-1989", popularity=60.0)
    album = await add_album(
        database, "Kind of Blue", tracks=("So What", "All Blues"), slug="kind-of-blue-1959"
    )
    person = await add_credit(database, movie, "Andrei Tarkovsky")
    for key in (other, series):
        await add_credit(database, key, "Andrei Tarkovsky")
    await add_credit(database, album, "Miles Davis", "artist")
    for key in (movie, series, album):
        await add_artwork(database, key)
        await add_rating(database, key)
    await add_external_id(database, movie, "imdb", "tt0069293")
    for region, platform in (("US", "netflix"), ("DE", "hulu")):
        await add_offer(database, movie, platform, region=region)
        await add_offer(database, series, platform, region=region)
    await add_offer(database, album, "spotify", link_id="1weenld61qoidwYuZ1GESA")
    (season,) = await parts_of(database, series)
    accounts = new_id(), new_id()
    for account in accounts:
        await database.execute("INSERT INTO account (id, display_name) VALUES ($1, 'Ada')", account)
    return Shelf(movie, series, album, person, await parts_of(database, season), accounts)


def now() -> datetime:
    return datetime.now(UTC)
