"""Requests that ask for a title each at the same time, through the whole application, with nothing kept."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from domain.platform.cache import Cache
from domain.platform.postgres import Database, Observer
from domain.platform.tracing import LEFT_OUT
from gateway.app import create_app
from gateway.engine.admission import CostMode
from gateway.entity_cache import catalog_store
from gateway.settings import Settings
from tests.catalogue import add_movie, add_offer
from tests.servers import StatementCounter

REQUESTS = 12
ALONE = 2
"""Statements of a request by itself: the slug, and the title."""
TITLE = "query ($slug: String!) { content(by: {slug: $slug}) { title } }"
TRACE = 0xABCDEF
TRACED = {"traceparent": f"00-{TRACE:032x}-{1:016x}-01"}


class House:
    """An application, and a client of it."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def ask(self, document: str, headers: Mapping[str, str] | None = None, **variables: Any) -> Any:
        body = {"query": document, "variables": variables}
        return (await self._client.post("/graphql", json=body, headers=headers)).json()

    async def metric(self, name: str) -> float:
        lines = (await self._client.get("/metrics")).text.splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))

    async def titles(self, *slugs: str) -> list[Any]:
        """The answers to requests that come at the same time."""
        return await asyncio.gather(*(self.ask(TITLE, slug=slug) for slug in slugs))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> StatementCounter:
    """Sees every statement of applications."""
    counter, open_database = StatementCounter(), Database.open

    def observed(url: str, *, observe: Observer | None = None, **options: Any) -> Any:
        def both(query: str, seconds: float, failure: BaseException | None) -> None:
            counter(query, seconds, failure)
            if observe is not None:
                observe(query, seconds, failure)

        return open_database(url, observe=both, **options)

    monkeypatch.setattr(Database, "open", observed)
    return counter


def is_of_titles(query: object) -> bool:
    """Others are of the work behind the scenes."""
    return str(query).startswith("SELECT c.")


def of_titles(asked: StatementCounter) -> int:
    return sum(map(is_of_titles, asked.seen))


@asynccontextmanager
async def serving(folder: Path, url: str, **given: Any) -> AsyncIterator[House]:
    options: dict[str, Any] = {"_env_file": None, "data_dir": folder, "database_url": url}
    options |= {"entity_cache_bytes": 0, "demo_catalogue": False, "background_work": False}
    app = create_app(Settings(**options, cost_mode=CostMode.OFF, limits_mode="warn", **given))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60) as client,
    ):
        yield House(client)


@pytest.fixture
async def slugs(database: Database) -> list[str]:
    for number in range(REQUESTS):
        key = await add_movie(database, f"Solaris {number}", slug=f"solaris-{number}")
        await add_offer(database, key)
    return [f"solaris-{number}" for number in range(REQUESTS)]


@pytest.fixture
async def house(
    slugs: list[str], asked: StatementCounter, database_url: str, tmp_path: Path
) -> AsyncIterator[House]:
    async with serving(tmp_path, database_url) as house:
        yield house


TOLD = [{"data": {"content": {"title": f"Solaris {number}"}}} for number in range(REQUESTS)]


async def test_requests_at_the_same_time_are_answered_by_fewer_statements_than_they_are(
    house: House, slugs: list[str], asked: StatementCounter
) -> None:
    answers = await house.titles(*slugs)

    assert answers == TOLD
    assert of_titles(asked) < REQUESTS


async def test_where_many_ask_the_same_operation_they_are_executed_together(
    house: House, slugs: list[str]
) -> None:
    wanted = [*slugs, "solaris-none", *slugs[:3]]
    await house.titles(*slugs)

    answers = await house.titles(*wanted)

    assert answers == [*TOLD, {"data": {"content": None}}, *TOLD[:3]]
    assert await house.metric("joint_answers") > 3


async def test_one_that_cannot_be_asked_is_refused_alone(
    house: House, slugs: list[str], asked: StatementCounter
) -> None:
    """The character NUL is one that PostgreSQL takes in no text."""
    place = REQUESTS // 2

    answers = await house.titles(*slugs[:place], "sol\0aris", *slugs[place:])

    refused = answers.pop(place)
    assert answers == TOLD
    assert [error["extensions"]["code"] for error in refused["errors"]] == ["BAD_USER_INPUT"]
    assert refused["data"] == {"content": None}
    # They had been asked for together, were then asked for each, and the titles together again.
    assert 1 + REQUESTS + 1 < of_titles(asked) < ALONE * REQUESTS


async def test_each_is_told_its_own_of_a_title_that_others_ask_for_as_well(
    house: House, slugs: list[str]
) -> None:
    text = """query ($slug: String!, $region: String!) { content(by: {slug: $slug}) {
        title availability(region: $region) { region } } }"""
    each = [(slug, region) for slug in slugs for region in ("US", "DE")]

    answers = await asyncio.gather(*(house.ask(text, slug=slug, region=region) for slug, region in each))

    found = [answer["data"]["content"] for answer in answers]
    assert [work["title"] for work in found] == [f"Solaris {n}" for n in range(REQUESTS) for _ in "ab"]
    assert [work["availability"] for work in found] == [[{"region": "US"}], []] * REQUESTS


Traced: TypeAlias = Callable[[float], AbstractAsyncContextManager[House]]


@pytest.fixture
def traced(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spans: InMemorySpanExporter
) -> Traced:
    """Applications that trace such a share of their requests, with spans that are those of the test."""
    monkeypatch.setattr("gateway.app.tracing", lambda *_: nullcontext(True))  # noqa: FBT003 - what it yields

    @asynccontextmanager
    async def opened(ratio: float) -> AsyncIterator[House]:
        given = {"otlp_endpoint": "http://collector.example", "trace_ratio": ratio}
        async with serving(tmp_path, database_url, **given) as house:
            spans.clear()
            yield house

    return opened


async def test_where_some_are_traced_the_others_are_gathered(
    traced: Traced, slugs: list[str], asked: StatementCounter
) -> None:
    async with traced(0.0) as house:
        answers = await house.titles(*slugs)

    assert answers == TOLD
    assert of_titles(asked) < REQUESTS


async def test_a_traced_request_is_told_the_same_and_shows_what_was_done_for_it_alone(
    traced: Traced, slugs: list[str], asked: StatementCounter, spans: InMemorySpanExporter
) -> None:
    """All that it asks in a turn is asked together as well."""
    fields = [f'a{n}: content(by: {{slug: "{slug}"}}) {{ title }}' for n, slug in enumerate(slugs)]
    async with traced(0.0) as house:
        (found, *answers) = await asyncio.gather(
            house.ask(f"{{ {' '.join(fields)} }}", TRACED), *(house.ask(TITLE, slug=slug) for slug in slugs)
        )

    assert found == {"data": {f"a{n}": {"title": f"Solaris {n}"} for n in range(REQUESTS)}}
    assert answers == TOLD
    assert of_titles(asked) < ALONE + REQUESTS
    shown = [(span.name, span.attributes or {}, span.context) for span in spans.get_finished_spans()]
    loads = [dict(of) for name, of, _ in shown if name == "load"]
    assert loads == [{"question": question, "keys": REQUESTS} for question in ("by_slug", "contents")]
    statements = [
        context.trace_id for _, of, context in shown if is_of_titles(of.get("db.statement")) and context
    ]
    assert statements == [TRACE] * ALONE


async def test_where_all_are_traced_each_asks_for_itself(
    traced: Traced, slugs: list[str], asked: StatementCounter
) -> None:
    async with traced(1.0) as house:
        answers = await house.titles(*slugs[:4], "sol\0aris", *slugs[4:])

    assert [answer for answer in answers if "errors" not in answer] == TOLD
    assert of_titles(asked) == ALONE * REQUESTS + 1


@pytest.mark.parametrize("cache", [None, Cache(1 << 20)], ids=["nothing kept", "kept"])
async def test_the_catalogue_of_a_process_is_read_within_a_transaction_by_whoever_is_in_it(
    database: Database, cache: Cache | None
) -> None:
    store = catalog_store(database, cache)

    async def written() -> Mapping[str, int]:
        LEFT_OUT.set(True)
        async with database.transaction():
            await add_movie(database, slug="solaris")
            return await store.by_slug(["solaris"])

    assert list(await asyncio.create_task(written())) == ["solaris"]
