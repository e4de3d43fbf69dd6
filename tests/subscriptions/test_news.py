"""Live streams of what concerns everybody, through the graph."""

from datetime import timedelta
from typing import Any

import pytest

from domain.catalog.restriction import Restriction
from domain.catalog.taxonomy import MaturityRating
from domain.news.postgres_noting import PostgresNoting
from domain.platform.postgres import Database
from resolvers.ids import encode
from resolvers.news import CURSORS, MOST_TITLES
from resolvers.sync import cursor_of
from tests.catalogue import add_album, add_movie, add_offer, add_series, parts_of
from tests.subscriptions.streams import Stream, code, following
from tests.viewers import Asker, Living, did

AVAILABILITY = """subscription ($titles: [ID!]!, $region: String, $after: String) {
  contentAvailability(contentIds: $titles, region: $region, after: $after) {
    cursor change region offerKind endsAt platform { id }
    content { title availability { platform { id } } } } }"""
NEWS = """subscription ($region: String, $platforms: [ID!], $after: String) {
  news(region: $region, platforms: $platforms, after: $after) { __typename
    ... on AvailabilityChanged { cursor change region platform { id } content { title } }
    ... on TrendsChanged { cursor contents { title } }
    ... on AnnouncementChanged { cursor announcement { id text region withdrawnAt } } } }"""
ANNOUNCE = """mutation ($input: AnnounceInput!) { done: announce(input: $input) {
  announcement { id text } userErrors { code field } } }"""
WITHDRAW = """mutation ($input: WithdrawAnnouncementInput!) { done: withdrawAnnouncement(input: $input) {
  announcement { id } userErrors { code field } } }"""


@pytest.fixture
async def admin(house: Living) -> str:
    """The account of an administrator."""
    key = await house.account()
    house.administrators.add(key)
    return key


@pytest.fixture
def restricted(house: Living, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks may see what is rated PG or milder."""

    async def stays(_context: object) -> None:
        """The profile is not looked up again: nobody has one."""

    monkeypatch.setattr("subscriptions.news.renew", stays)
    house.restriction = Restriction(MaturityRating.PG)


async def note(house: Living) -> None:
    """What a worker does every second, and what a hint brings about."""
    await PostgresNoting(house.database).note_availability(house.clock.now())
    await house.feed.look()


async def told(stream: Stream, *names: str) -> Any:
    event = await stream.next()
    return tuple(event[name] for name in names)


def film(key: int) -> str:
    return encode("Movie", key)


async def test_a_title_arrives_and_leaves(database: Database, ask: Asker, house: Living) -> None:
    solaris, other = await add_movie(database), await add_movie(database, "Stalker")
    await note(house)

    async with following(ask, AVAILABILITY, None, titles=[film(solaris)]) as stream:
        await add_offer(database, other)
        await add_offer(database, solaris, "peacock", region="DE")
        await add_offer(database, solaris, "peacock")
        await note(house)
        arrived = await stream.next()
        await database.execute("DELETE FROM offer WHERE region = 'US'")
        await note(house)
        left = await stream.next()

    assert arrived == {
        "cursor": CURSORS.of(2),
        "change": "ARRIVED",
        "region": "US",
        "offerKind": "SUBSCRIPTION",
        "endsAt": None,
        "platform": {"id": "peacock"},
        "content": {"title": "Solaris", "availability": [{"platform": {"id": "peacock"}}]},
    }
    assert (left["change"], left["content"]) == ("LEFT", {"title": "Solaris", "availability": []})


async def test_what_was_missed_comes_first(database: Database, ask: Asker, house: Living) -> None:
    key = await add_movie(database)
    cursor = (await ask.data("{ newsCursor }"))["newsCursor"]
    for platform in ("peacock", "netflix", "hulu"):
        await add_offer(database, key, platform)
        await note(house)

    async with following(ask, AVAILABILITY, None, titles=[film(key)], after=cursor) as stream:
        first = await told(stream, "cursor", "platform")
    async with following(ask, AVAILABILITY, None, titles=[film(key)], after=first[0]) as stream:
        rest = [await told(stream, "platform"), await told(stream, "platform")]

    assert first[1] == {"id": "peacock"}
    assert rest == [({"id": "netflix"},), ({"id": "hulu"},)]


async def test_parts_are_offered_with_their_whole(database: Database, ask: Asker, house: Living) -> None:
    series = await add_series(database, "Dekalog", seasons=[1])
    (season,) = await parts_of(database, series)
    (episode,) = await parts_of(database, season)
    album = await add_album(database, "Kind of Blue", tracks=["So What"])
    (track,) = await parts_of(database, album)
    titles = [encode("Episode", episode), encode("Track", track)]

    async with following(ask, AVAILABILITY, None, titles=titles) as stream:
        for content in (series, season, episode, album, track):
            await add_offer(database, content)
        await note(house)
        found = [(await told(stream, "content"))[0]["title"] for _ in range(5)]

    assert found == ["Dekalog", "Season 1", "Dekalog 1x1", "Kind of Blue", "So What"]


@pytest.mark.usefixtures("restricted")
async def test_what_is_hidden_is_not_told(database: Database, ask: Asker, house: Living) -> None:
    adult = await add_movie(database, "Adult", maturity_rating="R")
    child = await add_movie(database, "Child", maturity_rating="G")

    async with following(ask, NEWS, None) as stream:
        await add_offer(database, adult)
        await add_offer(database, child)
        await note(house)
        shown = await told(stream, "content")
    hidden = await code(ask, AVAILABILITY, None, titles=[film(adult)])

    assert shown == ({"title": "Child"},)
    assert hidden == "NOT_FOUND"


async def test_news_of_a_region_on_some_platforms(database: Database, ask: Asker, house: Living) -> None:
    key = await add_movie(database)

    async with following(ask, NEWS, None, region="de", platforms=["peacock", "netflix"]) as stream:
        for platform, region in (("peacock", "US"), ("hulu", "DE"), ("netflix", "DE")):
            await add_offer(database, key, platform, region=region)
        await PostgresNoting(database).note_trends([key], house.clock.now())
        await note(house)
        events = [await stream.next(), await stream.next()]

    assert events == [
        {"__typename": "TrendsChanged", "cursor": CURSORS.of(1), "contents": [{"title": "Solaris"}]},
        {
            "__typename": "AvailabilityChanged",
            "cursor": CURSORS.of(3),
            "change": "ARRIVED",
            "region": "DE",
            "platform": {"id": "netflix"},
            "content": {"title": "Solaris"},
        },
    ]


@pytest.mark.usefixtures("restricted")
async def test_trends_leave_out_what_is_hidden_or_gone(database: Database, ask: Asker, house: Living) -> None:
    adult = await add_movie(database, "Adult", maturity_rating="R")
    child = await add_movie(database, "Child", maturity_rating="G")

    async with following(ask, NEWS, None) as stream:
        await PostgresNoting(database).note_trends([10**9, adult, child], house.clock.now())
        await house.feed.look()

        assert await told(stream, "contents") == ([{"title": "Child"}],)


async def test_administrators_announce_and_withdraw(ask: Asker, house: Living, admin: str) -> None:
    ends_at = (house.clock.now() + timedelta(hours=1)).isoformat()
    async with following(ask, NEWS, None) as stream:
        made = await did(ask, ANNOUNCE, admin, text="Maintenance at ten.", region="us", endsAt=ends_at)
        await house.feed.look()
        published = await stream.next()
        counting = await ask.data("{ announcements { text } }")
        key = made["announcement"]["id"]
        await did(ask, WITHDRAW, admin, announcementId=key)
        again = await did(ask, WITHDRAW, admin, announcementId=key)
        await house.feed.look()
        withdrawn = await stream.next()

    told = {"id": key, "text": "Maintenance at ten.", "region": "US"}
    assert published["announcement"] == told | {"withdrawnAt": None}
    assert counting == {"announcements": [{"text": "Maintenance at ten."}]}
    assert withdrawn["announcement"]["withdrawnAt"] is not None
    assert again["userErrors"] == [{"code": "NOT_FOUND", "field": ["announcementId"]}]
    assert await ask.data("{ announcements { text } }") == {"announcements": []}


async def test_nobody_else_announces(ask: Asker, house: Living) -> None:
    ada = await house.account()
    given = {"text": "Free for all", "endsAt": (house.clock.now() + timedelta(hours=1)).isoformat()}

    assert await ask.code(ANNOUNCE, ada, input=given) == "FORBIDDEN"
    assert await ask.code(ANNOUNCE, input=given) == "UNAUTHENTICATED"
    assert await ask.data("{ announcements { text } }") == {"announcements": []}


@pytest.mark.parametrize(
    ("document", "variables", "expected"),
    [
        (AVAILABILITY, {"titles": []}, "BAD_USER_INPUT"),
        (AVAILABILITY, {"titles": ["x"]}, "BAD_USER_INPUT"),
        (AVAILABILITY, {"titles": [film(10**9)]}, "NOT_FOUND"),
        (AVAILABILITY, {"titles": [film(key) for key in range(1, MOST_TITLES + 2)]}, "BAD_USER_INPUT"),
        (NEWS, {"platforms": ["nowhere"]}, "BAD_USER_INPUT"),
        (NEWS, {"region": "Germany"}, "BAD_USER_INPUT"),
        (NEWS, {"after": "x"}, "BAD_USER_INPUT"),
        (NEWS, {"after": CURSORS.of(10**17)}, "BAD_USER_INPUT"),
        (NEWS, {"after": cursor_of(0)}, "BAD_USER_INPUT"),
    ],
)
async def test_what_cannot_be_followed_is_refused(
    ask: Asker, document: str, variables: dict[str, Any], expected: str
) -> None:
    assert await code(ask, document, None, **variables) == expected
