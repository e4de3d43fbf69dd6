"""Titles that arrive on platforms and leave them, told by two processes, of which one is killed."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from domain.catalog.taxonomy import PLATFORMS
from tests.conftest import fresh_database
from tests.e2e.followers import Follower, Transport, following, until
from tests.e2e.server import Client, register, running_pair

FIND = 'query { content(by: {slug: "the-matrix-1999"}) { id } newsCursor }'
FOLLOW = """subscription ($titles: [ID!]!, $after: String) {
  contentAvailability(contentIds: $titles, region: "ZZ", after: $after) {
    cursor change platform { id } content { title availability(region: "ZZ") { platform { id } } } } }"""
OFFER = """INSERT INTO offer (content_id, platform, region, kind, quality, link_id)
    SELECT id, $1, 'ZZ', 'subscription', '', '1' FROM content WHERE slug = 'the-matrix-1999'"""
WITHDRAW = "DELETE FROM offer WHERE region = 'ZZ' AND platform = $1"
KNOWN = sorted(PLATFORMS)


@asynccontextmanager
async def database_at(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


def told(events: list[Any]) -> list[tuple[str, str]]:
    return [(event["change"], event["platform"]["id"]) for event in events]


def true(event: Any) -> bool:
    """Whether what is read of the title by then shows what the event tells."""
    offered = [offer["platform"]["id"] for offer in event["content"]["availability"]]
    arrived: bool = event["change"] == "ARRIVED"
    return (event["platform"]["id"] in offered) == arrived


@pytest.mark.timeout(120)
async def test_each_change_comes_once_on_every_transport_though_a_process_is_killed(
    scratch: Path, postgres_url: str, redis_url: str
) -> None:
    url = await fresh_database(postgres_url, "media_gateway_news")
    async with (
        running_pair(scratch / "news", database_url=url, redis_url=redis_url, cost_mode="off") as (
            one,
            other,
        ),
        database_at(url) as database,
    ):
        viewer = await register(one, "news@example.com")
        found = await viewer.ask(FIND)
        followers = [
            Follower(
                str(viewer.token),
                FOLLOW,
                transport,
                found["newsCursor"],
                {"titles": [found["content"]["id"]]},
            )
            for transport in Transport
            for _ in range(2)
        ]
        at_one, at_other = followers[::2], followers[1::2]

        delays = []
        nobody = Client(other).follow(FOLLOW, **at_other[0].variables, after=found["newsCursor"])
        async with following(other, *at_other), nobody as anonymous:
            async with following(one, *at_one):
                for place, platform in enumerate(KNOWN[:3], start=1):
                    began = time.monotonic()
                    await database.execute(OFFER, platform)
                    await until(lambda place=place: all(len(f.events) == place for f in followers))  # type: ignore[misc]
                    delays.append(time.monotonic() - began)
                one.kill()
                await database.execute(WITHDRAW, KNOWN[0])
                await until(lambda: all(f.ended for f in at_one))
            await until(lambda: all(len(f.events) == 4 for f in at_other))
            async with following(other, *at_one):
                await database.execute(OFFER, KNOWN[3])
                await until(lambda: all(len(f.events) >= 5 for f in followers))
                await asyncio.sleep(0.5)
            to_nobody = [(await anonymous.next())["contentAvailability"] for _ in range(5)]

    expected = [("ARRIVED", platform) for platform in KNOWN[:3]]
    expected += [("LEFT", KNOWN[0]), ("ARRIVED", KNOWN[3])]
    assert [told(follower.events) for follower in followers] == [expected] * len(followers)
    assert told(to_nobody) == expected
    assert all(true(event) for follower in at_other for event in follower.events)
    last = followers[0].events[-1]["content"]
    assert last["title"] == "The Matrix"
    assert [offer["platform"]["id"] for offer in last["availability"]] == sorted(KNOWN[1:4])
    # A look a second finds it, and a hint passes it on.
    assert max(delays) < 3.0
