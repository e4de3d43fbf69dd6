"""What a viewing profile hides is hidden by every list and every field of the graph.

A household has done something with every title there is. Its parents ask for everything that the schema has,
below every field of the root, and are shown the hidden titles; its child asks for the same, and is not.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from graphql import GraphQLField, GraphQLObjectType, get_named_type, is_required_argument

from domain.platform.postgres import Database
from gateway.app import create_app
from gateway.engine.admission import CostMode
from gateway.settings import Settings
from resolvers.ids import encode
from schema.graph import graph
from tests.catalogue import (
    add_album,
    add_credit,
    add_episode,
    add_external_id,
    add_movie,
    add_offer,
    add_season,
    add_series,
    add_track,
)
from tests.e2e.server import PASSWORD
from tests.selections import everything

SCHEMA = graph()._schema
PIN = "4711"
MARK = "Forbidden"
"""In the title of each title that is hidden, and in no other text."""
NOT_ASKED = {
    "_service",  # the schema itself
    "rateLimit",
    "admin",
}
KEPT_FOR_ANYBODY = {
    "announcements", "genres", "newsCursor", "platforms", "viewer.account", "viewer.apiKeys",
    "viewer.historyDays", "viewer.impersonated", "viewer.linkedProviders", "viewer.parentalControls",
    "viewer.secondFactors", "viewer.sessions", "viewer.syncCursor", "viewer.viewingProfile",
    "viewer.viewingProfiles",
}  # fmt: skip
"""Fields that show no titles, to anybody."""
NOT_FILLED = {"viewer.imports"}
"""Fields that have nothing to show of this household, so that it is not told what they hide."""


@dataclass
class House:
    """A household, and what there is to watch."""

    client: httpx.AsyncClient
    shown: dict[str, int] = field(default_factory=dict)
    hidden: dict[str, int] = field(default_factory=dict)
    person: int = 0

    async def ask(self, document: str, token: str | None = None, **variables: Any) -> Any:
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        body = {"query": document, "variables": variables}
        return (await self.client.post("/graphql", json=body, headers=headers)).json()

    async def done(self, document: str, token: str | None = None, **variables: Any) -> Any:
        answer = await self.ask(document, token, **variables)
        assert "errors" not in answer, answer
        payload = answer["data"]["done"]
        assert not payload.get("userErrors"), payload
        return payload

    async def sign_in(self) -> str:
        given = f'{{email: "ada@example.org", password: "{PASSWORD}"}}'
        made = await self.done(
            f"mutation {{ done: signIn(input: {given}) {{ accessToken userErrors {{ code }} }} }}"
        )
        return str(made["accessToken"])

    def id_of(self, name: str) -> str:
        return encode(name.partition(" ")[0], {**self.shown, **self.hidden}[name])

    @property
    def hidden_ids(self) -> list[str]:
        return [self.id_of(name) for name in self.hidden]


async def fill(database: Database, house: House) -> None:
    """Two of each kind where that can be: one shown, one hidden, and hidden for every reason there is."""
    shared: dict[str, Any] = {"keywords": ["sea", "space"], "popularity": 50.0}
    shown = house.shown
    for number in range(6):
        shown[f"Movie {number}"] = await add_movie(
            database,
            f"Mild {number}",
            maturity_rating="PG",
            genres=["drama"],
            slug=f"mild-{number}",
            **shared,
        )
    shown["Series"] = await add_series(
        database, "Mild Series", maturity_rating="TV-G", genres=["drama"], **shared
    )
    shown["Season"] = await add_season(database, shown["Series"])
    shown["Episode"] = await add_episode(database, shown["Season"], title="Mild Episode")
    hidden = house.hidden
    hidden["Movie"] = await add_movie(
        database, f"{MARK} Film", maturity_rating="R", genres=["drama"], slug="forbidden", **shared
    )
    hidden["Movie untouched"] = await add_movie(
        database, f"{MARK} News", maturity_rating="R", genres=["drama"], **shared
    )
    hidden["Movie of a genre"] = await add_movie(
        database, f"{MARK} Fright", maturity_rating="PG", genres=["drama", "horror"], **shared
    )
    hidden["Movie unrated"] = await add_movie(database, f"{MARK} Unrated", genres=["drama"], **shared)
    hidden["Series"] = await add_series(
        database, f"{MARK} Series", maturity_rating="TV-MA", genres=["drama"], **shared
    )
    hidden["Season"] = await add_season(database, hidden["Series"], title=f"{MARK} Season")
    hidden["Episode mild by itself"] = await add_episode(
        database, hidden["Season"], title=f"{MARK} Episode", maturity_rating="TV-Y"
    )
    hidden["Episode worse than its series"] = await add_episode(
        database, shown["Season"], 2, title=f"{MARK} Part", maturity_rating="TV-MA"
    )
    hidden["Album"] = await add_album(database, f"{MARK} Album", genres=["rock"], **shared)
    hidden["Track"] = await add_track(database, hidden["Album"], title=f"{MARK} Track")
    for name, key in (*shown.items(), *hidden.items()):
        if name.partition(" ")[0] in {"Movie", "Series", "Album"}:
            house.person = await add_credit(database, key, "Andrei Tarkovsky")
            await add_offer(database, key, "spotify" if name == "Album" else "netflix", link_id=f"l{key}")
    await add_external_id(database, hidden["Movie"], "imdb", "tt0000001")


async def live(database: Database, house: House, token: str) -> None:
    """The household watches, keeps, likes and marks everything, and is in two minds about some."""
    device = await house.done(
        """mutation { done: registerDevice(input: {name: "TV", kind: TV, capabilities: {}}) {
             device { id } userErrors { code } } }""",
        token,
    )
    given = {"device": device["device"]["id"]}
    for name in (*house.shown, *house.hidden):
        if "untouched" in name:  # what is known is not recommended
            continue
        content = house.id_of(name)
        await house.done(
            """mutation ($id: ID!) { done: addToWatchlist(input: {contentId: $id}) {
                 userErrors { code } } }""",
            token,
            id=content,
        )
        await house.done(
            """mutation ($id: ID!) { done: reactToContent(input: {contentId: $id, verdict: LIKE}) {
                 userErrors { code } } }""",
            token,
            id=content,
        )
        await house.done(
            """mutation ($id: ID!) { done: markTitle(input: {contentId: $id, note: "as told"}) {
                 userErrors { code } } }""",
            token,
            id=content,
        )
        if name.partition(" ")[0] in {"Movie", "Episode", "Track"}:
            await house.done(
                """mutation ($id: ID!) { done: reportProgress(input: {
                     contentId: $id, positionSeconds: 600, durationSeconds: 3000}) {
                     userErrors { code } } }""",
                token,
                id=content,
            )
    await house.done(
        """mutation ($id: ID!, $device: ID!) { done: startPlayback(input: {
             contentId: $id, deviceId: $device}) { session { id } userErrors { code } } }""",
        token,
        id=house.id_of("Movie"),
        **given,
    )
    account = await database.value("SELECT id FROM account")
    await database.execute(
        """INSERT INTO sync_conflict (account_id, content_id, kind, lost, lost_hlc, lost_device, won, won_hlc,
                                      won_device, noted_at)
           SELECT $1, id, 'note', '{"is": "a"}', 1, 'a', '{"is": "b"}', 2, 'b', now() FROM content""",
        account,
    )


async def limit(house: House, parents: str) -> str:
    """A session in which the child watches."""
    await house.done(
        f"""mutation {{ done: setParentalPin(input: {{pin: "{PIN}"}}) {{ userErrors {{ code }} }} }}""",
        parents,
    )
    await house.done(
        f"""mutation {{ done: verifyParentalPin(input: {{pin: "{PIN}"}}) {{ userErrors {{ code }} }} }}""",
        parents,
    )
    made = await house.done(
        """mutation { done: createViewingProfile(input: {name: "Child", controls: {
             maxRating: PG, blockedGenreIds: ["horror"]}}) { profile { id } userErrors { code } } }""",
        parents,
    )
    child = await house.sign_in()
    await house.done(
        """mutation ($id: ID!) { done: selectViewingProfile(input: {profileId: $id}) {
             profile { name } userErrors { code } } }""",
        child,
        id=made["profile"]["id"],
    )
    return child


@pytest.fixture
async def house(database: Database, database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    options: dict[str, Any] = {"_env_file": None, "data_dir": tmp_path, "database_url": database_url}
    settings = Settings(
        **options, demo_catalogue=False, background_work=False, cost_mode=CostMode.OFF, limits_mode="warn"
    )
    app = create_app(settings)
    transport = httpx.ASGITransport(app, client=("192.0.2.1", 1))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60) as client,
    ):
        house = House(client)
        await fill(database, house)
        yield house


@pytest.fixture
async def family(house: House, database: Database) -> tuple[House, str, str]:
    """The house, the parents' token and the child's."""
    made = await house.done(
        f"""mutation {{ done: registerAccount(input: {{email: "ada@example.org", password: "{PASSWORD}",
             displayName: "Ada"}}) {{ accessToken userErrors {{ code }} }} }}"""
    )
    parents = str(made["accessToken"])
    await live(database, house, parents)
    return house, parents, await limit(house, parents)


def asked_with(house: House) -> dict[str, list[str]]:
    """The arguments of fields of the root that need some."""
    every = (*house.hidden, *house.shown)
    ids = " ".join(f'"{house.id_of(name)}"' for name in every)
    entities = ", ".join(
        f'{{__typename: "{name.partition(" ")[0]}", id: "{house.id_of(name)}"}}' for name in every
    )
    return {
        "node": [f'(id: "{house.id_of(name)}")' for name in house.hidden],
        "nodes": [f"(ids: [{ids}])"],
        "_entities": [f"(representations: [{entities}])"],
        "content": [
            *(f'(by: {{id: "{house.id_of(name)}"}})' for name in house.hidden),
            '(by: {slug: "forbidden"})',
            '(by: {imdbId: "tt0000001"})',
            f'(by: {{platformId: {{platform: "netflix", value: "l{house.hidden["Movie"]}"}}}})',
        ],
        "person": [f'(id: "{encode("Person", house.person)}")'],
        "search": [
            '(query: "forbidden")',
            '(query: "forbiden film")',
            '(query: "andrei tarkovsky", first: 50)',
        ],
        "autocomplete": ['(prefix: "forb")', '(prefix: "andrei")', '(prefix: "fright")'],
        "contents": ["", "(first: 100)", "(orderBy: TITLE, last: 100)", '(filter: {genres: ["horror"]})'],
    }


def questions(house: House) -> dict[str, list[str]]:
    """Documents that ask for everything below a field, by the field."""
    found: dict[str, list[str]] = {}
    query = SCHEMA.query_type
    assert query is not None
    given = asked_with(house)
    for name, asked in query.fields.items():
        if name in NOT_ASKED:
            continue
        if name == "viewer":
            viewer = get_named_type(asked.type)
            assert isinstance(viewer, GraphQLObjectType)
            for own, below in viewer.fields.items():
                found[f"viewer.{own}"] = [f"{{ viewer {{ {own} {selected(below)} }} }}"]
            continue
        needed = any(is_required_argument(argument) for argument in asked.args.values())
        assert not needed or name in given, f"{name} needs arguments that this test does not know"
        found[name] = [f"{{ {name}{arguments} {selected(asked)} }}" for arguments in given.get(name, [""])]
    return found


def selected(asked: GraphQLField) -> str:
    return everything(SCHEMA, asked, 3)


def seen_in(house: House, answer: Any) -> set[str]:
    """The hidden titles that an answer names, by title or by id."""
    text = orjson.dumps(answer).decode()
    ids = {encoded for encoded in house.hidden_ids if encoded in text}
    return ids | ({MARK} if MARK.lower() in text.lower() else set())


@pytest.mark.timeout(300)
async def test_no_field_shows_a_child_what_it_shows_the_parents(family: tuple[House, str, str]) -> None:
    house, parents, child = family
    shown: dict[str, set[str]] = {}
    leaks: dict[str, set[str]] = {}
    for name, documents in questions(house).items():
        for document in documents:
            for token in (None, parents, child):
                answer = await house.ask(document, token)
                assert answer.get("data") is not None or token is None, (document[:200], answer)
                if token == parents:
                    shown[name] = shown.get(name, set()) | seen_in(house, answer)
                if token == child and (seen := seen_in(house, without_arguments(answer))):
                    leaks[document[:160]] = seen

    assert leaks == {}
    # So that there was something to be leaked everywhere.
    assert {name for name, seen in shown.items() if not seen} <= KEPT_FOR_ANYBODY | NOT_FILLED
    assert set(house.hidden_ids) <= set().union(*shown.values())


def without_arguments(answer: Any) -> Any:
    """The answer without what only repeats the question."""
    return {"data": answer.get("data"), "errors": answer.get("errors")}


async def test_what_is_shown_is_as_much_as_there_is(family: tuple[House, str, str]) -> None:
    house, parents, child = family
    lists = {
        "contents": "{ contents(first: 100) { totalCount nodes { id } } }",
        "watchlist": "{ viewer { watchlist(first: 100) { totalCount nodes { content { id } } } } }",
        "continueWatching": "{ viewer { continueWatching { totalCount nodes { content { id } } } } }",
        "history": "{ viewer { history(first: 100) { totalCount nodes { content { id } } } } }",
        "search": '{ search(query: "mild", first: 99) { totalCount nodes { id } } }',
    }
    for name, document in lists.items():
        answer = (await house.ask(document, child))["data"]
        page = answer.get(name) or answer["viewer"][name]
        assert page["totalCount"] == len(page["nodes"]) > 0, name
        whole = (await house.ask(document, parents))["data"]
        assert (whole.get(name) or whole["viewer"][name])["totalCount"] >= page["totalCount"]


@pytest.mark.parametrize(
    "mutation",
    [
        "addToWatchlist(input: {contentId: $id})",
        "reactToContent(input: {contentId: $id, verdict: LIKE})",
        "markTitle(input: {contentId: $id, note: null})",
        "reportProgress(input: {contentId: $id, positionSeconds: 1})",
        "startPlayback(input: {contentId: $id, deviceId: $device})",
        "sendCommand(input: {deviceId: $device, command: {load: {contentId: $id}}})",
        'moveOnWatchlist(input: {contentId: $id, place: "m"})',
    ],
)
async def test_nothing_can_be_done_with_what_is_hidden(family: tuple[House, str, str], mutation: str) -> None:
    house, parents, child = family
    devices = await house.ask("{ viewer { devices { id } } }", parents)
    given = {"device": devices["data"]["viewer"]["devices"][0]["id"]}
    declared = "$id: ID!" + (", $device: ID!" if "$device" in mutation else "")
    document = f"mutation ({declared}) {{ done: {mutation} {{ userErrors {{ code message }} }} }}"
    variables = given if "$device" in mutation else {}

    hidden = await house.ask(document, child, id=house.id_of("Movie unrated"), **variables)
    nowhere = await house.ask(document, parents, id=encode("Movie", 999_999), **variables)

    assert [error["code"] for error in hidden["data"]["done"]["userErrors"]] == ["NOT_FOUND"]
    assert hidden == nowhere


async def test_the_pin_lifts_it_and_it_is_back_after_five_minutes(
    family: tuple[House, str, str], database: Database
) -> None:
    house, _, child = family
    document = '{ search(query: "forbidden") { totalCount } }'
    assert (await house.ask(document, child))["data"]["search"]["totalCount"] == 0
    entered = f'mutation {{ done: verifyParentalPin(input: {{pin: "{PIN}"}}) {{ userErrors {{ code }} }} }}'

    await house.done(entered, child)

    assert (await house.ask(document, child))["data"]["search"]["totalCount"] > 0
    await database.execute("UPDATE viewing_unlock SET until = now()")
    assert (await house.ask(document, child))["data"]["search"]["totalCount"] == 0


async def test_a_cache_on_the_way_asks_for_each_who_says_who_they_are(family: tuple[House, str, str]) -> None:
    house, parents, child = family
    url = "/graphql?query=" + "{contents(first:100){nodes{title}}}"
    asking = {"x-requested-with": "test"}

    anybody = await house.client.get(url, headers=asking)
    whole = await house.client.get(url, headers=asking | {"authorization": f"Bearer {parents}"})
    limited = await house.client.get(url, headers=asking | {"authorization": f"Bearer {child}"})

    assert anybody.headers["cache-control"].startswith("public, max-age=")
    assert "authorization" in anybody.headers["vary"].lower()
    for answer in (whole, limited):
        assert answer.headers["cache-control"] == "private, no-cache"
    assert MARK in whole.text
    assert MARK not in limited.text
    assert whole.content == anybody.content


async def test_outside_of_its_hours_a_profile_watches_nothing(family: tuple[House, str, str]) -> None:
    house, parents, child = family
    now = datetime.now(UTC)
    closed = f'start: "{now + timedelta(hours=11):%H:%M}", end: "{now + timedelta(hours=12):%H:%M}"'
    profiles = await house.ask("{ viewer { viewingProfiles { id } } }", parents)
    await house.done(
        f"""mutation ($id: ID!) {{ done: updateViewingProfile(input: {{profileId: $id, controls: {{
             hours: {{{closed}, timeZone: "UTC"}} }} }}) {{ userErrors {{ code }} }} }}""",
        parents,
        id=profiles["data"]["viewer"]["viewingProfiles"][0]["id"],
    )
    devices = await house.ask("{ viewer { devices { id } } }", parents)
    start = """mutation ($id: ID!, $device: ID!) { done: startPlayback(input: {
        contentId: $id, deviceId: $device}) { session { id } userErrors { code message } } }"""
    given = {"id": house.id_of("Movie 1"), "device": devices["data"]["viewer"]["devices"][0]["id"]}
    links = "query ($id: ID!) { content(by: {id: $id}) { title availability { links { url } } } }"

    load = """mutation ($id: ID!, $device: ID!) { done: sendCommand(input: {
        deviceId: $device, command: {load: {contentId: $id}}}) { userErrors { code message } } }"""
    go_on = """mutation ($session: ID!, $device: ID!) { done: continueOn(input: {
        sessionId: $session, deviceId: $device}) { userErrors { code message } } }"""

    playing = (await house.done(start, parents, **given))["session"]["id"]
    refusals = [
        (await house.ask(document, child, **variables))["data"]["done"]["userErrors"]
        for document, variables in (
            (start, given),
            (load, given),
            (go_on, {"session": playing, "device": given["device"]}),
        )
    ]
    shown = {
        name: (await house.ask(links, token, id=given["id"]))["data"]["content"]
        for name, token in (("parents", parents), ("child", child))
    }

    for refused in refusals:
        assert [error["code"] for error in refused] == ["UNAVAILABLE"]
        assert "(UTC)" in refused[0]["message"]
    assert shown["child"]["title"] == shown["parents"]["title"]
    assert shown["parents"]["availability"][0]["links"]
    assert shown["child"]["availability"][0]["links"] == []
    assert (await house.done(start, parents, **given))["userErrors"] == []


async def test_no_device_is_told_to_play_what_who_watches_there_may_not(
    family: tuple[House, str, str],
) -> None:
    house, parents, child = family
    registered = """mutation ($name: String!) { done: registerDevice(input: {name: $name, kind: TV,
        capabilities: {canCast: true}}) { device { id } userErrors { code } } }"""
    start = """mutation ($id: ID!, $device: ID!) { done: startPlayback(input: {contentId: $id,
        deviceId: $device, durationSeconds: 3000}) { session { id } userErrors { code } } }"""
    load = """mutation ($device: ID!, $id: ID!) { done: sendCommand(input: {deviceId: $device,
        command: {load: {contentId: $id}}}) { userErrors { code field } } }"""
    cast = """mutation ($from: ID!, $device: ID!) { done: sendCommand(input: {deviceId: $from,
        command: {castTo: {deviceId: $device}}}) { userErrors { code field } } }"""
    go_on = """mutation ($session: ID!, $device: ID!) { done: continueOn(input: {
        sessionId: $session, deviceId: $device}) { userErrors { code field } } }"""
    going_on = "query ($id: ID!) { node(id: $id) { ... on PlaybackSession { state } } }"
    big, small = [
        (await house.done(registered, token, name=name))["device"]["id"]
        for name, token in (("Big", parents), ("Small", child))
    ]

    told = {}
    for name in ("Movie", "Movie 1"):
        title = house.id_of(name)
        session = (await house.done(start, parents, id=title, device=big))["session"]["id"]
        told[name] = [
            (await house.ask(document, parents, device=small, **given))["data"]["done"]["userErrors"]
            for document, given in (
                (load, {"id": title}),
                (cast, {"from": big}),
                (go_on, {"session": session}),
            )
        ]
        told[name].append((await house.ask(going_on, parents, id=session))["data"]["node"]["state"])

    refused = [{"code": "UNAVAILABLE", "field": ["deviceId"]}]
    assert told == {"Movie": [refused] * 3 + ["PLAYING"], "Movie 1": [[]] * 3 + ["STOPPED"]}
