"""A viewer's evening, over the real server: phone, TV and what follows from one to the other."""

from tests.e2e import operations
from tests.e2e.server import Client, Server, register

MOVIE = "the-matrix-1999"


async def test_progress_follows_the_viewer_from_phone_to_tv(server: Server) -> None:
    phone = await register(server, "evening@example.com")
    tv = Client(server, phone.token)
    movie = (await phone.ask(operations.FIND, slug=MOVIE))["content"]
    devices = [
        (await phone.ask(operations.REGISTER_DEVICE, name=name, kind=kind))["registerDevice"]["device"]
        for name, kind in (("Phone", "PHONE"), ("TV", "TV"))
    ]

    added = (await phone.ask(operations.ADD, content=movie["id"]))["addToWatchlist"]
    assert added["entry"]["content"]["title"] == "The Matrix"

    async with tv.follow(operations.FOLLOW_PROGRESS, content=movie["id"]) as on_tv:
        started = (await phone.ask(operations.START, content=movie["id"], device=devices[0]["id"]))[
            "startPlayback"
        ]
        assert started["session"]["positionSeconds"] == 0
        assert {link["kind"] for link in started["session"]["links"]} >= {"DEEP_LINK", "WEB"}
        await phone.ask(operations.REPORT, session=started["session"]["id"], position=1800)
        seen = (await on_tv.next())["progress"]["progress"]
        assert seen["positionSeconds"] == 1800
        assert seen["device"]["name"] == "Phone"

    resumed = (await tv.ask(operations.START, content=movie["id"], device=devices[1]["id"]))["startPlayback"]
    assert resumed["session"]["positionSeconds"] == 1800
    waiting = (await tv.ask(operations.CONTINUE))["viewer"]["continueWatching"]["nodes"]
    assert [entry["content"]["title"] for entry in waiting] == ["The Matrix"]

    end = movie["runtimeSeconds"]
    finished = (await tv.ask(operations.REPORT, session=resumed["session"]["id"], position=end))[
        "reportProgress"
    ]
    assert finished["progress"]["completed"]
    assert finished["session"]["state"] == "ENDED"
    assert (await tv.ask(operations.CONTINUE))["viewer"]["continueWatching"]["nodes"] == []


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
    device = (await owner.ask(operations.REGISTER_DEVICE, name="Phone", kind="PHONE"))["registerDevice"][
        "device"
    ]

    async with stranger.follow(operations.FOLLOW_CHANGES) as stream:
        await owner.ask(operations.PROGRESS, content=movie["id"], position=500)
        assert await stream.quiet()
    assert (await stranger.ask("query ($id: ID!) { node(id: $id) { id } }", id=device["id"]))["node"] is None
    refused = (await stranger.ask(operations.START, content=movie["id"], device=device["id"]))[
        "startPlayback"
    ]
    assert refused["session"] is None
    assert refused["userErrors"][0]["code"] == "NOT_FOUND"
    assert (await stranger.ask(operations.FIND, slug=MOVIE))["content"]["myProgress"] is None
