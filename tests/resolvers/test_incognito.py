"""Devices that are incognito, through the graph: what is done on them is in no table."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from domain.platform.postgres import Database
from domain.sync.clock import Timestamp
from domain.sync.model import Device, MarkKind
from domain.sync.operations import Origin, Position
from migrations.metadata import metadata
from resolvers.ids import encode
from tests.catalogue import add_movie, add_offer
from tests.viewers import Asker, did, living, refused

DURATION = 1000
ERRORS = "userErrors { code field }"
SESSION = """session { id state positionSeconds endedAt content { id } links { url } }
  progress { positionSeconds }"""
COMMAND = "command { id }"


def mutation(name: str, input_type: str, payload: str = "") -> str:
    return f"mutation ($input: {input_type}!) {{ done: {name}(input: $input) {{ {payload} {ERRORS} }} }}"


START = mutation("startPlayback", "StartPlaybackInput", SESSION)
REPORT = mutation("reportProgress", "ReportProgressInput", SESSION)
END = mutation("endPlayback", "EndPlaybackInput", SESSION)
MOVE = mutation("continueOn", "ContinueOnInput", COMMAND)
SEND = mutation("sendCommand", "SendCommandInput", COMMAND)
SWITCH = mutation("setIncognito", "SetIncognitoInput", "device { id incognito }")
PUSH = mutation("pushChanges", "PushChangesInput", f"results {{ fate {ERRORS} }}")
WRITES: dict[str, tuple[str, dict[str, Any]]] = {
    "addToWatchlist": ("AddToWatchlistInput", {}),
    "removeFromWatchlist": ("RemoveFromWatchlistInput", {}),
    "reactToContent": ("ReactInput", {"verdict": "LIKE", "stars": 4.5}),
    "markTitle": ("MarkTitleInput", {"note": "Again"}),
    "moveOnWatchlist": ("MoveOnWatchlistInput", {"place": "k"}),
}
PLAYING = "{ viewer { devices { incognito nowPlaying { id } } playbackSessions { id } } }"


@dataclass
class Home:
    """A viewer with a TV that is incognito and a phone that is not; the film is on the watchlist."""

    ask: Asker
    account: str
    film: int
    tv: Device
    phone: Device

    @property
    def id(self) -> str:
        return encode("Movie", self.film)

    @property
    def on_tv(self) -> str:
        return encode("Device", self.tv.id)

    async def did(self, document: str, **given: Any) -> dict[str, Any]:
        return await did(self.ask, document, self.account, **given)

    async def start(self) -> str:
        started = await self.did(START, contentId=self.id, deviceId=self.on_tv, platform="netflix")
        key: str = started["session"]["id"]
        return key


async def everything(database: Database) -> dict[str, list[str]]:
    """Every row of every table, as text."""
    found = {}
    for table in metadata().sorted_tables:
        rows = await database.rows(f'SELECT t::text FROM "{table.name}" t ORDER BY 1')
        found[table.name] = [row[0] for row in rows]
    return found


@pytest.fixture
async def home(database: Database) -> Home:
    house = living(database)
    account = await house.account()
    film = await add_movie(database, runtime_seconds=DURATION)
    await add_offer(database, film, "netflix", link_id="70136120")
    tv, phone = await house.device(account, "TV", can_cast=True), await house.device(account)
    await house.sync.add_to_watchlist(account, film)
    await house.sync.record_progress(account, film, Position(100), Origin(phone.id))
    home = Home(Asker(house), account, film, tv, phone)
    house.clock.turn(1)
    await home.did(SWITCH, deviceId=home.on_tv, incognito=True)
    house.clock.turn(1)
    return home


async def test_a_device_shows_that_it_is_incognito_and_the_others_hear_of_it(home: Home) -> None:
    shown = (await home.ask.data("{ viewer { devices { name incognito } } }", home.account))["viewer"]
    again = await home.did(SWITCH, deviceId=home.on_tv, incognito=True)
    kinds = await home.ask.house.kinds(home.account)
    ended = await home.did(SWITCH, deviceId=home.on_tv, incognito=False)
    unknown = await home.did(SWITCH, deviceId=encode("Device", str(uuid4())), incognito=True)

    assert {device["name"]: device["incognito"] for device in shown["devices"]} == {
        "TV": True,
        "Phone": False,
    }
    assert again["device"]["incognito"] is True
    assert kinds.count("device") == 3
    assert ended == {"device": {"id": home.on_tv, "incognito": False}, "userErrors": []}
    assert refused(unknown) == [("NOT_FOUND", ["deviceId"])]


async def test_nothing_that_is_played_incognito_is_in_any_table(home: Home) -> None:
    database = home.ask.house.database
    before = await everything(database)

    started = await home.did(START, contentId=home.id, deviceId=home.on_tv, platform="netflix")
    key = started["session"]["id"]
    home.ask.house.clock.turn(60)
    moved = await home.did(REPORT, sessionId=key, positionSeconds=300, state="PAUSED")
    loose = await home.did(REPORT, contentId=home.id, deviceId=home.on_tv, positionSeconds=400)
    playing = await home.ask.data(PLAYING, home.account)
    ended = await home.did(END, sessionId=key, positionSeconds=990)
    late = await home.did(REPORT, sessionId=key, positionSeconds=999)

    assert started["userErrors"] == []
    assert (started["session"]["positionSeconds"], started["session"]["state"]) == (100, "PLAYING")
    assert "70136120" in started["session"]["links"][0]["url"]
    assert (moved["session"]["positionSeconds"], moved["session"]["state"]) == (300, "PAUSED")
    assert moved["progress"] is None
    assert loose == {"session": None, "progress": {"positionSeconds": 100}, "userErrors": []}
    assert playing["viewer"]["playbackSessions"] == []
    assert [device["nowPlaying"] for device in playing["viewer"]["devices"]] == [None, None]
    assert ended["session"]["endedAt"] is not None
    assert refused(late) == [("NOT_FOUND", ["sessionId"])]
    assert await everything(database) == before


@pytest.mark.parametrize("name", WRITES)
async def test_what_is_done_on_it_to_titles_is_refused_and_in_no_table(home: Home, name: str) -> None:
    kind, given = WRITES[name]
    before = await everything(home.ask.house.database)

    done = await home.did(
        mutation(name, kind),
        contentId=home.id,
        deviceId=home.on_tv,
        **given,
    )

    assert refused(done) == [("UNAVAILABLE", ["deviceId"])]
    assert await everything(home.ask.house.database) == before


async def test_a_queue_is_forgotten_from_the_moment_of_the_switch_on(home: Home) -> None:
    house = home.ask.house

    def operation(seconds: float, **change: Any) -> dict[str, Any]:
        version = str(house.version(seconds, home.tv.id))
        return {"id": str(uuid4()), "version": version, "change": change}

    watched = {"contentId": home.id, "positionSeconds": 700, "viewing": 1}
    since = [
        operation(-0.5, watched=watched),
        operation(-0.4, added={"contentId": home.id}),
        operation(-0.3, reacted={"contentId": home.id, "verdict": "LIKE"}),
        operation(-0.2, hidden={"contentId": home.id, "hidden": True}),
    ]
    before = await everything(house.database)
    forgotten = await home.did(PUSH, deviceId=home.on_tv, operations=since)
    after = await everything(house.database)
    earlier = await home.did(
        PUSH, deviceId=home.on_tv, operations=[operation(-1.5, watched=watched | {"positionSeconds": 200})]
    )

    assert [result["fate"] for result in forgotten["results"]] == ["FORGOTTEN"] * 4
    assert after == before
    assert [result["fate"] for result in earlier["results"]] == ["APPLIED"]


async def test_what_was_done_incognito_stays_forgotten_after_the_end_of_it(home: Home) -> None:
    house = home.ask.house
    watched = {"contentId": home.id, "positionSeconds": 700, "viewing": 1}
    given = [
        {"id": str(uuid4()), "version": str(house.version(0.0, home.tv.id)), "change": {"watched": watched}},
        {"id": str(uuid4()), "version": str(house.version(20.0, home.tv.id)), "change": {"watched": watched}},
    ]
    await home.did(PUSH, deviceId=home.on_tv, operations=given[:1])
    house.clock.turn(10)
    await home.did(SWITCH, deviceId=home.on_tv, incognito=False)
    house.clock.turn(60)

    told = await home.did(PUSH, deviceId=home.on_tv, operations=given)
    await home.did(SWITCH, deviceId=home.on_tv, incognito=True)
    later = await home.did(PUSH, deviceId=home.on_tv, operations=[given[0]])

    assert [result["fate"] for result in told["results"]] == ["FORGOTTEN", "APPLIED"]
    assert [result["fate"] for result in later["results"]] == ["FORGOTTEN"]


async def test_no_command_that_names_a_title_is_kept_for_it(home: Home) -> None:
    session = await home.start()
    before = await everything(home.ask.house.database)

    loaded = await home.did(SEND, deviceId=home.on_tv, command={"load": {"contentId": home.id}})
    handed = await home.did(MOVE, sessionId=session, deviceId=encode("Device", home.phone.id))
    after = await everything(home.ask.house.database)
    paused = await home.did(SEND, deviceId=home.on_tv, command={"pause": {}})

    assert refused(loaded) == [("UNAVAILABLE", ["deviceId"])]
    assert refused(handed) == [("UNAVAILABLE", ["sessionId"])]
    assert after == before
    assert paused["userErrors"] == []


async def test_nothing_is_handed_over_to_it(home: Home) -> None:
    phone = encode("Device", home.phone.id)
    playing = await home.did(START, contentId=home.id, deviceId=phone)

    handed = await home.did(MOVE, sessionId=playing["session"]["id"], deviceId=home.on_tv)

    assert refused(handed) == [("UNAVAILABLE", ["deviceId"])]


async def test_what_played_before_is_stopped_and_what_was_kept_stays(home: Home) -> None:
    phone = encode("Device", home.phone.id)
    playing = await home.did(START, contentId=home.id, deviceId=phone)
    await home.did(SWITCH, deviceId=phone, incognito=True)

    report = await home.did(REPORT, sessionId=playing["session"]["id"], positionSeconds=500)
    history = await home.ask.data("{ viewer { history { nodes { positionSeconds } } } }", home.account)

    assert refused(report) == [("CONFLICT", ["sessionId"])]
    assert history["viewer"]["history"]["nodes"] == [{"positionSeconds": 100}]


async def test_after_the_end_of_it_all_is_kept_again(home: Home) -> None:
    house = home.ask.house
    private = await home.start()
    await home.did(SWITCH, deviceId=home.on_tv, incognito=False)
    before = await everything(house.database)
    still_private = await home.did(REPORT, sessionId=private, positionSeconds=300)
    unseen = await everything(house.database)
    house.clock.turn(1)
    seen = await home.did(REPORT, contentId=home.id, deviceId=home.on_tv, positionSeconds=500)

    assert (still_private["progress"], unseen) == (None, before)
    assert seen["progress"] == {"positionSeconds": 500}


async def test_other_devices_write_meanwhile(home: Home) -> None:
    house = home.ask.house
    await house.sync.mark(home.account, home.film, {MarkKind.NOTE: "On the phone"}, Origin(home.phone.id))
    found = await house.sync.store.marks(home.account, [home.film])

    assert found[home.film].note == "On the phone"


async def test_anothers_session_is_not_there(home: Home) -> None:
    bob = await home.ask.house.account()
    session = await home.start()

    done = await did(home.ask, REPORT, bob, sessionId=session, positionSeconds=300)

    assert refused(done) == [("NOT_FOUND", ["sessionId"])]


async def test_a_stale_clock_does_not_lead_around_it(home: Home) -> None:
    house = home.ask.house
    old = Timestamp(house.version(-3600).clock, home.tv.id)
    before = await everything(house.database)

    await home.did(REPORT, contentId=home.id, deviceId=home.on_tv, positionSeconds=600, version=str(old))

    assert await everything(house.database) == before
