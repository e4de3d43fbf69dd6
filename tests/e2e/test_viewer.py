"""A viewer's evening, over the real server: phone, TV and what follows from one to the other."""

import asyncio
from typing import Any

from tests.e2e import operations
from tests.e2e.server import Client, Server, register

MOVIE = "the-matrix-1999"


async def _device(client: Client, name: str, kind: str) -> str:
    answer = await client.ask(operations.REGISTER_DEVICE, name=name, kind=kind)
    device: str = answer["registerDevice"]["device"]["id"]
    return device


async def _start(client: Client, movie: str, device: str) -> Any:
    return (await client.ask(operations.START, content=movie, device=device))["startPlayback"]["session"]


async def test_an_evening_from_search_to_the_next_recommendation(server: Server) -> None:
    phone = await register(server, "evening@example.com")
    tv = Client(server, phone.token)
    phone_id, tv_id = [await _device(phone, name, kind) for name, kind in (("Phone", "PHONE"), ("TV", "TV"))]

    found = (await phone.ask(operations.SEARCH, query="the matrx"))["search"]
    assert found["nodes"][0]["title"] == "The Matrix"
    assert found["correction"]["query"] == "the matrix"
    movie = (await phone.ask(operations.FIND, slug=MOVIE))["content"]
    assert found["nodes"][0]["id"] == movie["id"]

    added = (await phone.ask(operations.ADD, content=movie["id"]))["addToWatchlist"]
    assert added["entry"]["content"]["title"] == "The Matrix"

    cursor = (await tv.ask(operations.CONTINUE))["viewer"]["syncCursor"]
    async with tv.follow(operations.FOLLOW_PROGRESS, content=movie["id"], after=cursor) as on_tv:
        session = await _start(phone, movie["id"], phone_id)
        assert session["positionSeconds"] == 0
        assert {link["kind"] for link in session["links"]} >= {"DEEP_LINK", "WEB"}
        await phone.ask(operations.REPORT, session=session["id"], position=1800)
        seen = (await on_tv.next())["progress"]["progress"]
        assert seen["positionSeconds"] == 1800
        assert seen["device"]["name"] == "Phone"

    resumed = await _start(tv, movie["id"], tv_id)
    assert resumed["positionSeconds"] == 1800
    waiting = (await tv.ask(operations.CONTINUE))["viewer"]["continueWatching"]["nodes"]
    assert [entry["content"]["title"] for entry in waiting] == ["The Matrix"]

    end = movie["runtimeSeconds"]
    answer = await tv.ask(operations.REPORT, session=resumed["id"], position=end)
    assert answer["reportProgress"]["progress"]["completed"]
    assert answer["reportProgress"]["session"]["state"] == "ENDED"
    assert (await tv.ask(operations.CONTINUE))["viewer"]["continueWatching"]["nodes"] == []

    recommended = (await tv.ask(operations.RECOMMEND))["recommendations"]["edges"]
    assert recommended
    assert "The Matrix" not in {edge["node"]["title"] for edge in recommended}
    assert all(edge["reasons"] for edge in recommended)
    named = {
        reason["content"]["title"]
        for edge in recommended
        for reason in edge["reasons"]
        if "content" in reason
    }
    assert named == {"The Matrix"}


async def test_a_description_in_plain_language_finds_the_film(server: Server) -> None:
    viewer = Client(server)

    async with asyncio.timeout(60):  # the vectors of the catalogue are made after the start
        while True:
            question = "a hacker learns that the world is a computer simulation"
            found = (await viewer.ask(operations.SEARCH, query=question))["search"]
            if found["mode"] == "HYBRID" and "The Matrix" in {node["title"] for node in found["nodes"]}:
                break
            await asyncio.sleep(0.5)

    assert "The Matrix" in {node["title"] for node in found["nodes"][:3]}


async def test_a_dropped_stream_goes_on_behind_its_cursor(server: Server) -> None:
    viewer = await register(server, "dropped@example.com")
    movie = (await viewer.ask(operations.FIND, slug=MOVIE))["content"]
    cursor = (await viewer.ask(operations.CONTINUE))["viewer"]["syncCursor"]
    for position in range(100, 1100, 100):
        await viewer.ask(operations.PROGRESS, content=movie["id"], position=position)

    seen: list[int] = []
    while len(seen) < 10:
        async with viewer.follow(operations.FOLLOW_PROGRESS, after=cursor) as stream:
            for _ in range(3 if len(seen) < 9 else 1):
                event = (await stream.next())["progress"]
                seen.append(event["progress"]["positionSeconds"])
                cursor = event["cursor"]

    assert seen == list(range(100, 1100, 100))
    async with viewer.follow(operations.FOLLOW_PROGRESS, after=cursor) as stream:
        assert await stream.quiet()


async def test_another_account_sees_none_of_it(server: Server) -> None:
    owner = await register(server, "owner@example.com")
    stranger = await register(server, "stranger@example.com")
    movie = (await owner.ask(operations.FIND, slug=MOVIE))["content"]
    device = await _device(owner, "Phone", "PHONE")

    async with stranger.follow(operations.FOLLOW_CHANGES) as stream:
        await owner.ask(operations.PROGRESS, content=movie["id"], position=500)
        assert await stream.quiet()
    assert (await stranger.ask("query ($id: ID!) { node(id: $id) { id } }", id=device))["node"] is None
    refused = (await stranger.ask(operations.START, content=movie["id"], device=device))["startPlayback"]
    assert refused["session"] is None
    assert refused["userErrors"][0]["code"] == "NOT_FOUND"
    assert (await stranger.ask(operations.FIND, slug=MOVIE))["content"]["myProgress"] is None
