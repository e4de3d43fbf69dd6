"""What the real graph shares between its viewers, and what it does not."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from domain.catalog.changes import CATALOGUE
from domain.platform.cache import Cache
from domain.platform.postgres import Database
from gateway.engine.plan.launch import Launch
from gateway.engine.requests import OperationRequest
from gateway.engine.sharing import Sharing
from gateway.services import audience_of
from resolvers.context import Anybody, Context
from resolvers.ids import encode
from tests.gateway.processes import GRAPH, Process, Shelf, engine, fill, process
from tests.schema.test_caching import is_private, public
from tests.selections import everything

SCHEMA = GRAPH._schema
VOLATILE = {"cursor", "startCursor", "endCursor", "tookMs", "syncCursor", "score"}
"""Of the moment they are asked at."""


def roots(shelf: Shelf) -> dict[str, str]:
    """Every field of the root with arguments that find something."""
    movie = encode("Movie", shelf.movie)
    series = encode("Series", shelf.series)
    person = encode("Person", shelf.person)
    return {
        "node": f'node(id: "{movie}")',
        "nodes": f'nodes(ids: ["{movie}", "{series}", "{person}"])',
        "rateLimit": "rateLimit",
        "content": f'content(by: {{id: "{series}"}})',
        "contents": "contents(first: 5, filter: {offerKinds: [SUBSCRIPTION]})",
        "genres": "genres",
        "platforms": "platforms",
        "person": f'person(id: "{person}")',
        "search": 'search(query: "solaris", mode: KEYWORD)',
        "announcements": "announcements",
        "newsCursor": "newsCursor",
        "autocomplete": 'autocomplete(prefix: "so")',
        "trending": "trending(first: 5)",
        "recommendations": "recommendations(first: 5)",
        "home": "home",
        "viewer": "viewer",
        "_entities": f'_entities(representations: [{{__typename: "Movie", id: "{movie}"}}])',
        "_service": "_service",
    }


SHARED = {"content", "contents", "genres", "platforms", "person", "autocomplete", "trending"}


@pytest.fixture
async def shelf(database: Database) -> Shelf:
    return await fill(database)


@pytest.fixture
async def house(shelf: Shelf, database_url: str, tmp_path: Path) -> AsyncIterator[Process]:
    async with process(tmp_path, database_url) as house:
        ada, bob = shelf.accounts
        await moved(house, ada, shelf.episodes[0], 3300)
        await moved(house, ada, shelf.movie, 500)
        await moved(house, bob, shelf.movie, 900)
        yield house


async def moved(house: Process, account: str, content: int, seconds: int) -> None:
    kind = "Movie" if content < 3 else "Episode"
    text = "mutation($id: ID!, $at: Int!) { reportProgress(input: {contentId: $id, positionSeconds: $at}) "
    found = await house.data(
        text + "{ userErrors { message } } }", account, id=encode(kind, content), at=seconds
    )
    assert found["reportProgress"]["userErrors"] == []


def stable(value: Any) -> Any:
    """Without what differs from moment to moment."""
    if isinstance(value, dict):
        return {key: stable(item) for key, item in value.items() if key.split("_")[-1] not in VOLATILE}
    return [stable(item) for item in value] if isinstance(value, list) else value


def test_every_field_of_the_root_is_walked() -> None:
    query = SCHEMA.query_type

    assert query is not None
    walked = set(roots(Shelf(1, 2, 3, 4, [], ("", ""))))
    # That of administrators is refused to all viewers here.
    assert walked | {"admin"} == set(query.fields)


@pytest.mark.parametrize("name", sorted(roots(Shelf(1, 2, 3, 4, [], ("", "")))))
async def test_every_viewer_is_given_what_they_would_be_given_alone(
    house: Process, shelf: Shelf, name: str
) -> None:
    """All fields below each field of the root, the viewer's own among them, one viewer after the other."""
    query = SCHEMA.query_type
    assert query is not None
    text = f"{{ {roots(shelf)[name]} {everything(SCHEMA, query.fields[name], 3)} }}"
    alone = house.without_sharing()
    ada, bob = shelf.accounts
    viewers = [(ada, "US"), (bob, "US"), (None, "US"), (None, "DE"), (bob, "DE"), (ada, "US")]

    given = [stable(await house.data(text, account, region)) for account, region in viewers]
    expected = [stable(await alone.data(text, account, region)) for account, region in viewers]

    assert given == expected
    assert expected[0][name] or name == "rateLimit"


class Stranger(Anybody):
    """Fails whoever asks who asks."""

    def __getattribute__(self, name: str) -> Any:
        assert name not in {"caller", "payer", "client"}, f"somebody asked for the {name}"
        return super().__getattribute__(name)

    def __init__(self, context: Context) -> None:
        super().__init__(context.services, context.region, context.request_id)


@pytest.mark.parametrize("name", sorted(SHARED))
async def test_what_is_everybodys_is_executed_once_and_asks_nobody_who_they_are(
    house: Process, shelf: Shelf, name: str
) -> None:
    query = SCHEMA.query_type
    assert query is not None
    shared = public()
    text = (
        f"{{ {roots(shelf)[name]} {everything(SCHEMA, query.fields[name], 3, lambda of, _: of in shared)} }}"
    )
    ada, bob = shelf.accounts
    cache = Cache(1 << 24)
    strict = replace(house, engine=engine(GRAPH, Sharing(cache, (CATALOGUE,), audience_of, Stranger)))

    assert "id" in text  # there is something to be shown
    first = await strict.data(text, ada)
    before = house.statements
    others = [await strict.data(text, account) for account in (bob, None, ada)]

    assert others == [first] * 3
    assert house.statements == before
    assert (cache.usage()["answers"].misses, cache.usage()["answers"].hits) == (1, 3)


@pytest.mark.parametrize("name", sorted(roots(Shelf(1, 2, 3, 4, [], ("", "")))))
def test_which_fields_of_the_root_are_shared(house: Process, shelf: Shelf, name: str) -> None:
    query = SCHEMA.query_type
    assert query is not None
    below = everything(SCHEMA, query.fields[name], 2, lambda _, field: not is_private(field))
    operation = house.engine.prepare(OperationRequest(f"{{ {roots(shelf)[name]} {below} }}"))
    launch = operation.prepared.launcher(None, SCHEMA).launch(None, None, None)

    assert isinstance(launch, Launch)
    assert launch.plan is not None
    assert launch.plan.common == ({name} if name in SHARED else set())


async def test_the_next_episode_is_the_viewers(house: Process, shelf: Shelf) -> None:
    text = "query($id: ID!) { content(by: {id: $id}) { ... on Series { nextEpisode { title } } } }"
    series = encode("Series", shelf.series)

    titles = [
        (await house.data(text, account, id=series))["content"]["nextEpisode"]["title"]
        for account in (*shelf.accounts, None, shelf.accounts[0])
    ]

    assert titles == ["Dekalog 1x2", "Dekalog 1x1", "Dekalog 1x1", "Dekalog 1x2"]


async def test_links_for_a_device_are_for_its_owner(house: Process, shelf: Shelf) -> None:
    ada, bob = shelf.accounts
    registered = await house.data(
        'mutation { registerDevice(input: {name: "TV", kind: TV}) { device { id } } }', ada
    )
    text = """query($id: ID!, $device: ID) { content(by: {id: $id}) {
        availability { links(device: $device) { kind url } } } }"""
    given = {"id": encode("Movie", shelf.movie), "device": registered["registerDevice"]["device"]["id"]}
    alone = house.without_sharing()

    found = [await house.data(text, account, **given) for account in (bob, ada, None, ada, bob)]
    expected = [await alone.data(text, account, **given) for account in (bob, ada, None, ada, bob)]

    assert found == expected
    assert found[0] != found[1]


async def test_who_signs_in_elsewhere_is_given_the_offers_of_there(house: Process, shelf: Shelf) -> None:
    text = "query($id: ID!, $in: String) { content(by: {id: $id}) { availability(region: $in) { region } } }"
    movie = encode("Movie", shelf.movie)

    open_ = [await house.ask(text, region=region, id=movie) for region in ("US", "DE", "US")]
    given = await house.ask(text, region="US", id=movie, **{"in": "DE"})
    words = await house.ask("{ genres { name } }", region="US")

    assert [b'"US"' in result.to_bytes() for result in open_] == [True, False, True]
    assert b'"DE"' in given.to_bytes()
    # Titles may be hidden from others who ask; words are the same for everybody.
    assert [result.policy.for_all for result in (*open_, given, words) if result.policy] == [
        *[False] * 4,
        True,
    ]


async def test_what_is_kept_is_counted_by_kind(house: Process) -> None:
    text = '{ content(by: {slug: "solaris-1972"}) { title credits { nodes { person { name } } } } }'
    await asyncio.gather(*(house.data(text) for _ in range(3)))
    await house.data(text)

    def counted(name: str, kind: str) -> float | None:
        return house.metrics.registry.get_sample_value(f"entity_cache_{name}", {"kind": kind})

    assert counted("misses_total", "answers") == counted("hits_total", "answers") == 1
    assert house.metrics.registry.get_sample_value("shared_answers_awaited") == 2
    assert counted("entries", "answers") == 1
    assert (counted("bytes", "answers") or 0) > 100
    assert counted("evictions_total", "answers") == counted("invalidations_total", "answers") == 0
    assert counted("misses_total", "credits") == 1
