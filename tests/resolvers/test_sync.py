"""The viewer's state through the graph."""

import base64
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.catalog.links import DeviceKind
from domain.platform.errors import BadInput
from domain.platform.postgres import Database
from domain.sync.operations import Origin, Position
from resolvers.ids import encode
from resolvers.sync import cursor_of, seq_of
from tests.catalogue import add_movie, add_series, parts_of, retire
from tests.servers import StatementCounter
from tests.viewers import Asker, living, refused

DURATION = 1000
TAG = str(UUID(int=1))

ERRORS = "userErrors { code field message }"
ENTRY = "entry { addedAt tags addedBy { id name } content { id title } }"
ADD = f"mutation ($input: AddToWatchlistInput!) {{ addToWatchlist(input: $input) {{ {ENTRY} {ERRORS} }} }}"
REMOVE = (
    "mutation ($input: RemoveFromWatchlistInput!)"
    f" {{ removeFromWatchlist(input: $input) {{ removed content {{ title }} {ERRORS} }} }}"
)
REACT = (
    "mutation ($input: ReactInput!) { reactToContent(input: $input)"
    f" {{ reaction {{ verdict stars version updatedAt content {{ title }} }} {ERRORS} }} }}"
)
REPORT = (
    "mutation ($input: ReportProgressInput!) { reportProgress(input: $input)"
    f" {{ progress {{ positionSeconds viewing completed version }} {ERRORS} }} }}"
)
MINE = """query ($id: ID!) { node(id: $id) { ... on Movie {
  myProgress { positionSeconds resumeSeconds fraction viewing completed device { name } content { id } }
  myWatchlistEntry { tags } myReaction { verdict stars } } } }"""
NEXT = "query ($id: ID!) { node(id: $id) { ... on Series { nextEpisode { id } } } }"
WATCHLIST = """query ($first: Int, $after: String, $last: Int, $before: String, $order: WatchlistOrder) {
  viewer { watchlist(first: $first, after: $after, last: $last, before: $before, orderBy: $order) {
    totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node { content { id } } } } } }"""
LISTS = {
    "continueWatching": """query ($first: Int, $after: String) { viewer {
        list: continueWatching(first: $first, after: $after) {
          totalCount pageInfo { hasNextPage endCursor } nodes { viewing content { id } } } } }""",
    "history": """query ($first: Int, $after: String) { viewer {
        list: history(first: $first, after: $after) {
          totalCount pageInfo { hasNextPage endCursor } nodes { viewing content { id } } } } }""",
}


@pytest.fixture
async def movie(database: Database) -> int:
    return await add_movie(database, runtime_seconds=DURATION)


def movie_id(movie: int) -> str:
    return encode("Movie", movie)


# Mutations


async def test_a_title_comes_to_the_watchlist_and_leaves_it(ask: Asker, ada: str, movie: int) -> None:
    tv = await ask.house.device(ada, "TV", DeviceKind.TV)
    given = {"contentId": movie_id(movie), "tag": TAG, "deviceId": encode("Device", tv.id)}

    added = (await ask.data(ADD, ada, input=given))["addToWatchlist"]
    mine = (await ask.data(MINE, ada, id=movie_id(movie)))["node"]
    removed = await ask.data(REMOVE, ada, input={"contentId": movie_id(movie), "tags": [TAG]})
    after = (await ask.data(MINE, ada, id=movie_id(movie)))["node"]

    assert added == {
        "entry": {
            "addedAt": ask.house.clock.now().isoformat(),
            "tags": [TAG],
            "addedBy": {"id": encode("Device", tv.id), "name": "TV"},
            "content": {"id": movie_id(movie), "title": "Solaris"},
        },
        "userErrors": [],
    }
    assert mine["myWatchlistEntry"] == {"tags": [TAG]}
    assert removed["removeFromWatchlist"] == {
        "removed": True,
        "content": {"title": "Solaris"},
        "userErrors": [],
    }
    assert after["myWatchlistEntry"] is None


async def test_a_refused_watchlist_change_says_why(ask: Asker, ada: str, movie: int) -> None:
    foreign = await ask.house.device(await ask.house.account())
    known = {"contentId": movie_id(movie)}
    rows = await ask.house.written()

    answers = [
        (await ask.data(ADD, ada, input={"contentId": movie_id(987_654)}))["addToWatchlist"],
        (await ask.data(ADD, ada, input=known | {"tag": "x"}))["addToWatchlist"],
        (await ask.data(ADD, ada, input=known | {"deviceId": encode("Device", foreign.id)}))[
            "addToWatchlist"
        ],
        (await ask.data(ADD, ada, input=known | {"version": str(ask.house.version(61))}))["addToWatchlist"],
        (await ask.data(REMOVE, ada, input=known))["removeFromWatchlist"],
    ]

    assert [refused(answer) for answer in answers] == [
        [("NOT_FOUND", ["contentId"])],
        [("INVALID", ["tag"])],
        [("NOT_FOUND", ["deviceId"])],
        [("CLOCK_AHEAD", ["version"])],
        [("NOT_FOUND", ["contentId"])],
    ]
    assert [answer.get("entry") for answer in answers] == [None] * 5
    assert await ask.house.written() == rows


@pytest.mark.parametrize(
    "device", ["urn:uuid:12345678-1234-1234-1234-123456789abc", "1_2" + "0" * 29, "tv", "a" * 64]
)
async def test_an_entry_of_a_device_that_only_a_clock_names_is_shown_without_it(
    ask: Asker, ada: str, movie: int, device: str
) -> None:
    version = str(ask.house.version(-1, device))

    await ask.data(ADD, ada, input={"contentId": movie_id(movie), "version": version})

    page = await ask.data("{ viewer { watchlist { nodes { addedBy { name } } } } }", ada)
    assert page["viewer"]["watchlist"]["nodes"] == [{"addedBy": None}]


async def test_two_changes_of_one_request_are_both_seen(ask: Asker, ada: str, movie: int) -> None:
    document = """mutation ($add: AddToWatchlistInput!, $remove: RemoveFromWatchlistInput!) {
      addToWatchlist(input: $add) { entry { content { myWatchlistEntry { tags } } } }
      removeFromWatchlist(input: $remove) { content { myWatchlistEntry { tags } } } }"""
    given = {"contentId": movie_id(movie)}

    done = await ask.data(document, ada, add=given | {"tag": TAG}, remove=given)

    assert done["addToWatchlist"]["entry"]["content"] == {"myWatchlistEntry": {"tags": [TAG]}}
    assert done["removeFromWatchlist"]["content"] == {"myWatchlistEntry": None}


async def test_a_reaction_is_given_and_taken_back(ask: Asker, ada: str, movie: int) -> None:
    given = {"contentId": movie_id(movie), "verdict": "LIKE", "stars": 4.5}
    version = str(ask.house.version(-1))

    said = (await ask.data(REACT, ada, input=given | {"version": version}))["reactToContent"]
    mine = (await ask.data(MINE, ada, id=movie_id(movie)))["node"]["myReaction"]
    taken = (await ask.data(REACT, ada, input={"contentId": movie_id(movie)}))["reactToContent"]
    after = (await ask.data(MINE, ada, id=movie_id(movie)))["node"]["myReaction"]

    assert said["reaction"] == {
        "verdict": "LIKE",
        "stars": 4.5,
        "version": version,
        "updatedAt": ask.house.clock.now().isoformat(),
        "content": {"title": "Solaris"},
    }
    assert mine == {"verdict": "LIKE", "stars": 4.5}
    assert (taken["reaction"]["verdict"], taken["reaction"]["stars"], after) == (None, None, None)


async def test_stars_out_of_range_are_refused(ask: Asker, ada: str, movie: int) -> None:
    answer = (await ask.data(REACT, ada, input={"contentId": movie_id(movie), "stars": 4.7}))[
        "reactToContent"
    ]

    assert (answer["reaction"], refused(answer)) == (None, [("INVALID", ["stars"])])
    assert await ask.house.written() == 0


async def test_a_malformed_version_is_the_callers_mistake(ask: Asker, ada: str, movie: int) -> None:
    found = await ask.result(REACT, ada, input={"contentId": movie_id(movie), "version": "now"})

    assert found.errors is not None
    assert "16 hexadecimal digits" in found.errors[0].message
    assert await ask.house.written() == 0


@pytest.mark.parametrize(
    ("document", "more"),
    [(ADD, {}), (REMOVE, {}), (REACT, {}), (REPORT, {"positionSeconds": 10})],
)
async def test_nobody_changes_nothing(ask: Asker, movie: int, document: str, more: dict[str, Any]) -> None:
    code = await ask.code(document, input={"contentId": movie_id(movie)} | more)

    assert code == "UNAUTHENTICATED"
    assert await ask.house.written() == 0


# What is mine


async def test_each_sees_what_is_theirs_on_a_title(ask: Asker, ada: str, movie: int) -> None:
    house = ask.house
    tv = await house.device(ada, "TV")
    await house.sync.record_progress(ada, movie, Position(250), Origin(tv.id))
    await house.sync.add_to_watchlist(ada, movie, TAG)
    nothing = {"myProgress": None, "myWatchlistEntry": None, "myReaction": None}

    mine = (await ask.data(MINE, ada, id=movie_id(movie)))["node"]
    others = (await ask.data(MINE, await house.account(), id=movie_id(movie)))["node"]
    nobodys = (await ask.data(MINE, id=movie_id(movie)))["node"]

    assert mine == {
        "myProgress": {
            "positionSeconds": 250,
            "resumeSeconds": 250,
            "fraction": 0.25,
            "viewing": 1,
            "completed": False,
            "device": {"name": "TV"},
            "content": {"id": movie_id(movie)},
        },
        "myWatchlistEntry": {"tags": [TAG]},
        "myReaction": None,
    }
    assert others == nothing
    assert nobodys == nothing


async def test_the_lists_of_another_are_not_shown(ask: Asker, ada: str, movie: int) -> None:
    house = ask.house
    await house.sync.record_progress(ada, movie, Position(250))
    await house.sync.add_to_watchlist(ada, movie)
    await house.device(ada)
    document = """{ viewer { watchlist { totalCount nodes { tags } } history { totalCount nodes { viewing } }
      continueWatching { totalCount nodes { viewing } } devices { id } syncCursor } }"""

    seen = (await ask.data(document, await house.account()))["viewer"]

    empty = {"totalCount": 0, "nodes": []}
    assert seen == {
        "watchlist": empty,
        "history": empty,
        "continueWatching": empty,
        "devices": [],
        "syncCursor": cursor_of(0),
    }
    assert (await ask.data(document))["viewer"] is None


async def test_a_title_the_catalogue_dropped_stays_in_the_lists(ask: Asker, ada: str, movie: int) -> None:
    await ask.house.sync.record_progress(ada, movie, Position(250))
    await ask.house.sync.add_to_watchlist(ada, movie)
    await retire(ask.house.database, movie)

    seen = await ask.data(
        "{ viewer { watchlist { nodes { content { title } } } history { nodes { content { title } } } } }",
        ada,
    )

    assert seen["viewer"] == {
        "watchlist": {"nodes": [{"content": None}]},
        "history": {"nodes": [{"content": None}]},
    }


async def test_the_next_episode_follows_what_was_watched(ask: Asker, ada: str) -> None:
    house = ask.house
    series = await add_series(house.database, seasons=[2, 1])
    seasons = await parts_of(house.database, series)
    first, second = await parts_of(house.database, seasons[0])
    (third,) = await parts_of(house.database, seasons[1])

    async def following(account: str | None = ada) -> Any:
        node = (await ask.data(NEXT, account, id=encode("Series", series)))["node"]
        return node["nextEpisode"] and node["nextEpisode"]["id"]

    async def watch(episode: int, seconds: int) -> None:
        await house.sync.record_progress(ada, episode, Position(seconds, 100))
        house.clock.turn(1)

    assert await following() == encode("Episode", first)
    await watch(first, 50)
    assert await following() == encode("Episode", first)
    await watch(first, 100)
    assert await following() == encode("Episode", second)
    await watch(second, 100)
    assert await following() == encode("Episode", third)
    await watch(third, 100)
    assert await following() is None
    await watch(first, 20)
    assert await following() == encode("Episode", first)
    assert await following(None) == encode("Episode", first)
    assert await following(await house.account()) == encode("Episode", first)


# Lists


async def test_lists_are_refused_a_size_and_a_cursor_they_do_not_have(ask: Asker, ada: str) -> None:
    codes = [
        await ask.code(WATCHLIST, ada, first=0),
        await ask.code(WATCHLIST, ada, last=101),
        await ask.code(WATCHLIST, ada, after="x"),
        await ask.code(WATCHLIST, ada, after=cursor_of(1)),
        await ask.code(LISTS["history"], ada, first=101),
        await ask.code(LISTS["continueWatching"], ada, after="x"),
    ]

    assert codes == ["BAD_USER_INPUT"] * 6


async def test_a_cursor_fits_one_order_only(ask: Asker, ada: str, movie: int) -> None:
    await ask.house.sync.add_to_watchlist(ada, movie)
    page = (await ask.data(WATCHLIST, ada))["viewer"]["watchlist"]

    code = await ask.code(WATCHLIST, ada, order="OLDEST", after=page["pageInfo"]["endCursor"])

    assert code == "BAD_USER_INPUT"


over_one_database = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@over_one_database
@given(
    known=st.integers(0, 9),
    size=st.integers(1, 4),
    order=st.sampled_from(["NEWEST", "OLDEST"]),
    backwards=st.booleans(),
    inserts=st.lists(st.booleans(), max_size=5),
    turns=st.lists(st.sampled_from([0.0, 1.0]), min_size=20, max_size=20),
)
async def test_the_pages_of_the_watchlist_are_the_list(
    database: Database,
    known: int,
    size: int,
    order: str,
    *,
    backwards: bool,
    inserts: list[bool],
    turns: list[float],
) -> None:
    ask = Asker(living(database))
    house, account = ask.house, await ask.house.account()
    turn = iter(turns)

    async def add() -> str:
        movie = await add_movie(database)
        house.clock.turn(next(turn))
        await house.sync.add_to_watchlist(account, movie)
        return movie_id(movie)

    titles = [await add() for _ in range(known)]
    whole = [edge["node"]["content"]["id"] for edge in await _pages(ask, account, 100, order)]
    assert sorted(whole) == sorted(titles)

    added: list[str] = []
    coming = iter(inserts)

    async def meanwhile() -> None:
        if next(coming, False):
            added.append(await add())

    paged = [
        edge["node"]["content"]["id"]
        for edge in await _pages(ask, account, size, order, backwards=backwards, between=meanwhile)
    ]

    assert [title for title in paged if title not in added] == whole
    assert len(set(paged)) == len(paged)


async def _pages(
    ask: Asker, account: str, size: int, order: str, *, backwards: bool = False, between: Any = None
) -> list[Any]:
    """All edges in the list's order, page by page."""
    edges: list[Any] = []
    cursor: str | None = None
    while True:
        given = {"last": size, "before": cursor} if backwards else {"first": size, "after": cursor}
        page = (await ask.data(WATCHLIST, account, order=order, **given))["viewer"]["watchlist"]
        edges = page["edges"] + edges if backwards else edges + page["edges"]
        info = page["pageInfo"]
        assert [edge["cursor"] for edge in page["edges"]][:1] == (
            [info["startCursor"]] if page["edges"] else []
        )
        if not info["hasPreviousPage" if backwards else "hasNextPage"]:
            return edges
        cursor = info["startCursor" if backwards else "endCursor"]
        if between is not None:
            await between()


@over_one_database
@given(
    name=st.sampled_from(sorted(LISTS)),
    titles=st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0.0, 1.0])), max_size=9),
    size=st.integers(1, 3),
    inserts=st.lists(st.booleans(), max_size=4),
)
async def test_the_pages_of_what_was_watched_are_the_list(
    database: Database, name: str, titles: list[tuple[int, float]], size: int, inserts: list[bool]
) -> None:
    ask = Asker(living(database))
    house, account = ask.house, await ask.house.account()
    movies = [await add_movie(database, runtime_seconds=DURATION) for _ in range(4)]
    for place, turned in titles:
        house.clock.turn(turned)
        for position in (500, 990, 600):
            await house.sync.record_progress(account, movies[place], Position(position))
    whole = await _all(ask, account, name, 100)
    coming, new = iter(inserts), set()

    async def meanwhile() -> None:
        if next(coming, False):
            house.clock.turn(1)
            movie = await add_movie(database, runtime_seconds=DURATION)
            new.add(movie_id(movie))
            await house.sync.record_progress(account, movie, Position(500))

    paged = await _all(ask, account, name, size, meanwhile)

    assert [row for row in paged if row[0] not in new] == whole
    assert len(set(paged)) == len(paged)
    viewings = await house.database.value("SELECT count(*) FROM progress WHERE account_id = $1", account)
    if name == "history":
        assert len(whole) == viewings - len(new)
    else:
        assert len(whole) == len({place for place, _ in titles})


async def _all(ask: Asker, account: str, name: str, size: int, between: Any = None) -> list[tuple[str, int]]:
    rows: list[tuple[str, int]] = []
    cursor: str | None = None
    while True:
        page = (await ask.data(LISTS[name], account, first=size, after=cursor))["viewer"]["list"]
        rows += [(node["content"]["id"], node["viewing"]) for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return rows
        cursor = page["pageInfo"]["endCursor"]
        if between is not None:
            await between()


@pytest.mark.parametrize(
    ("document", "most"),
    [
        (
            """{ viewer { watchlist(first: 50) { totalCount nodes { addedBy { name online } content {
              title myProgress { positionSeconds device { name } } myReaction { verdict } } } } } }""",
            7,
        ),
        (
            """{ viewer { continueWatching(first: 50) { totalCount nodes { device { name }
              content { title myWatchlistEntry { tags } myReaction { verdict } } } } } }""",
            6,
        ),
        (
            """{ viewer { history(first: 50) { totalCount nodes { device { name }
              content { title myWatchlistEntry { addedBy { name } } myProgress { viewing } } } } } }""",
            7,
        ),
    ],
)
async def test_the_number_of_statements_does_not_grow_with_the_list(
    ask: Asker, ada: str, statements: StatementCounter, document: str, most: int
) -> None:
    house = ask.house
    counts = []
    for rows in (1, 20):
        for number in range(rows):
            movie = await add_movie(house.database, f"Film {number}", runtime_seconds=DURATION)
            device = (await house.devices.store.devices(ada) or [await house.device(ada)])[0]
            if number == 3:
                device = await house.device(ada, "TV")
            await house.sync.record_progress(ada, movie, Position(100), Origin(device.id))
            await house.sync.add_to_watchlist(ada, movie, None, Origin(device.id))
        statements.clear()

        await ask.data(document, ada)

        counts.append(len(statements.seen))

    assert counts[0] == counts[1] <= most


# Cursors of the log


async def test_the_sync_cursor_stands_behind_what_was_read(ask: Asker, ada: str, movie: int) -> None:
    before = (await ask.data("{ viewer { syncCursor } }", ada))["viewer"]["syncCursor"]
    await ask.house.sync.add_to_watchlist(ada, movie)

    after = (await ask.data("{ viewer { syncCursor } }", ada))["viewer"]["syncCursor"]

    assert (seq_of(before), seq_of(after)) == (0, 1)


@given(st.integers(0, 10**18 - 1))
def test_a_cursor_comes_back_from_its_text(seq: int) -> None:
    assert seq_of(cursor_of(seq)) == seq


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "é",
        "change:1",
        *(
            base64.urlsafe_b64encode(raw).decode()
            for raw in (
                b"change:-1",
                b"change:",
                b"change:1\n",
                b"change:" + b"9" * 19,
                "change:\uff11".encode(),
                b"\xff",
            )
        ),
    ],
)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        seq_of(text)


def test_no_cursor_means_from_now_on() -> None:
    assert seq_of(None) is None
