"""Playback through the graph."""

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.catalog.links import DeviceKind
from domain.catalog.restriction import Restriction
from domain.catalog.taxonomy import MaturityRating
from domain.identity.hours import Hours
from domain.platform.postgres import Database
from domain.playback.service import Beginning
from domain.sync.model import Device
from domain.sync.operations import Position
from resolvers.ids import encode
from tests.accounts import new_id
from tests.catalogue import add_album, add_movie, add_offer, add_series, parts_of, retire
from tests.servers import StatementCounter
from tests.viewers import Asker, did, refused

DURATION = 1000
ERRORS = "userErrors { code field message }"
SESSION = """session { id state positionSeconds durationSeconds startedAt updatedAt endedAt
  content { id } device { name } links { kind url } }"""
PROGRESS = "progress { positionSeconds viewing completed resumeSeconds version }"
ANSWER = f"{SESSION} {PROGRESS} {ERRORS}"
START = f"mutation ($input: StartPlaybackInput!) {{ done: startPlayback(input: $input) {{ {ANSWER} }} }}"
REPORT = f"mutation ($input: ReportProgressInput!) {{ done: reportProgress(input: $input) {{ {ANSWER} }} }}"
END = f"mutation ($input: EndPlaybackInput!) {{ done: endPlayback(input: $input) {{ {ANSWER} }} }}"
NODE = "query ($id: ID!) { node(id: $id) { id ... on PlaybackSession { state } } }"
SESSIONS = "query ($active: Boolean) { viewer { playbackSessions(active: $active) { id state } } }"


@pytest.fixture
async def phone(ask: Asker, ada: str) -> Device:
    return await ask.house.device(ada)


@pytest.fixture
async def movie(database: Database) -> int:
    return await add_movie(database, runtime_seconds=DURATION)


async def start(ask: Asker, account: str, content: str, device: Device, **given: Any) -> dict[str, Any]:
    return await did(ask, START, account, contentId=content, deviceId=encode("Device", device.id), **given)


async def test_a_film_is_started_followed_and_ended(ask: Asker, ada: str, phone: Device, movie: int) -> None:
    clock = ask.house.clock
    began = clock.now().isoformat()
    started = await start(ask, ada, encode("Movie", movie), phone)
    session = started["session"]["id"]
    clock.turn(60)
    moved = await did(ask, REPORT, ada, sessionId=session, positionSeconds=60, state="PAUSED")
    listed = (await ask.data(SESSIONS, ada, active=True))["viewer"]["playbackSessions"]
    ended = await did(ask, END, ada, sessionId=session, positionSeconds=955)

    assert started == {
        "session": {
            "id": session,
            "state": "PLAYING",
            "positionSeconds": 0,
            "durationSeconds": DURATION,
            "startedAt": began,
            "updatedAt": began,
            "endedAt": None,
            "content": {"id": encode("Movie", movie)},
            "device": {"name": "Phone"},
            "links": [],
        },
        "progress": None,
        "userErrors": [],
    }
    assert (moved["session"]["state"], moved["session"]["positionSeconds"]) == ("PAUSED", 60)
    assert (moved["progress"]["positionSeconds"], moved["progress"]["resumeSeconds"]) == (60, 60)
    assert listed == [{"id": session, "state": "PAUSED"}]
    assert (ended["session"]["state"], ended["session"]["endedAt"]) == ("STOPPED", clock.now().isoformat())
    assert (ended["progress"]["completed"], ended["progress"]["resumeSeconds"]) == (True, 0)
    assert (await ask.data(SESSIONS, ada, active=True))["viewer"]["playbackSessions"] == []
    assert (await ask.data(SESSIONS, ada))["viewer"]["playbackSessions"] == [
        {"id": session, "state": "STOPPED"}
    ]


async def test_playing_goes_on_where_another_device_stopped(
    ask: Asker, ada: str, phone: Device, movie: int
) -> None:
    tv = await ask.house.device(ada, "TV", DeviceKind.TV)
    content = encode("Movie", movie)
    on_phone = (await start(ask, ada, content, phone))["session"]["id"]
    await did(ask, END, ada, sessionId=on_phone, positionSeconds=420)

    on_tv = await start(ask, ada, content, tv)

    assert on_tv["session"]["positionSeconds"] == 420
    assert on_tv["progress"]["positionSeconds"] == 420


async def test_progress_is_reported_without_a_session(
    ask: Asker, ada: str, phone: Device, movie: int
) -> None:
    version = str(ask.house.version(-1))

    done = await did(
        ask,
        REPORT,
        ada,
        contentId=encode("Movie", movie),
        deviceId=encode("Device", phone.id),
        positionSeconds=100,
        version=version,
    )

    assert done["session"] is None
    assert (done["progress"]["positionSeconds"], done["progress"]["version"]) == (100, version)


async def test_a_report_is_about_a_session_or_a_title(
    ask: Asker, ada: str, phone: Device, movie: int
) -> None:
    session = (await start(ask, ada, encode("Movie", movie), phone))["session"]["id"]
    rows = await ask.house.written()

    codes = [
        await ask.code(REPORT, ada, input={"positionSeconds": 1} | given)
        for given in ({}, {"sessionId": session, "contentId": encode("Movie", movie)})
    ]

    assert codes == ["BAD_USER_INPUT"] * 2
    assert await ask.house.written() == rows


async def test_what_cannot_be_played_says_why(ask: Asker, ada: str, phone: Device, movie: int) -> None:
    series = await add_series(ask.house.database, seasons=[1])
    foreign = await ask.house.device(await ask.house.account())
    short = await add_movie(ask.house.database, runtime_seconds=None)
    content = encode("Movie", movie)
    rows = await ask.house.written()

    answers = [
        await start(ask, ada, encode("Series", series), phone),
        await start(ask, ada, encode("Movie", 987_654), phone),
        await start(ask, ada, content, foreign),
        await start(ask, ada, content, phone, platform="netflix"),
        await start(ask, ada, content, phone, positionSeconds=-1),
        await start(ask, ada, content, phone, durationSeconds=0),
        await start(ask, ada, encode("Movie", short), phone),
    ]

    assert [refused(answer) for answer in answers] == [
        [("INVALID", ["contentId"])],
        [("NOT_FOUND", ["contentId"])],
        [("NOT_FOUND", ["deviceId"])],
        [("UNAVAILABLE", ["platform"])],
        [("INVALID", ["positionSeconds"])],
        [("INVALID", ["durationSeconds"])],
        [("INVALID", ["durationSeconds"])],
    ]
    assert [answer["session"] for answer in answers] == [None] * 7
    assert await ask.house.written() == rows
    known = await start(ask, ada, encode("Movie", short), phone, durationSeconds=90)
    assert known["session"]["durationSeconds"] == 90


async def test_removing_a_device_ends_what_it_plays(ask: Asker, ada: str, phone: Device, movie: int) -> None:
    await start(ask, ada, encode("Movie", movie), phone)
    remove = "mutation ($input: RemoveDeviceInput!) { done: removeDevice(input: $input) { device { id } } }"

    await did(ask, remove, ada, deviceId=encode("Device", phone.id))

    assert (await ask.data(SESSIONS, ada, active=True))["viewer"]["playbackSessions"] == []


async def test_an_ended_session_says_so(ask: Asker, ada: str, phone: Device, movie: int) -> None:
    session = (await start(ask, ada, encode("Movie", movie), phone))["session"]["id"]
    ended = await did(ask, END, ada, sessionId=session, positionSeconds=100)
    rows = await ask.house.written()

    again = await did(ask, END, ada, sessionId=session, positionSeconds=300)
    late = await did(ask, REPORT, ada, sessionId=session, positionSeconds=300)

    assert again == ended
    assert (late["session"], refused(late)) == (None, [("CONFLICT", ["sessionId"])])
    assert await ask.house.written() == rows


async def test_what_is_anothers_behaves_as_if_it_did_not_exist(
    ask: Asker, ada: str, phone: Device, movie: int
) -> None:
    bob = await ask.house.account()
    session = (await start(ask, ada, encode("Movie", movie), phone))["session"]["id"]
    before = (await ask.data(SESSIONS, ada), await ask.house.written())

    answers = [
        answer
        for key in (session, encode("PlaybackSession", new_id()), encode("PlaybackSession", "\0"), "x")
        for answer in (
            await did(ask, REPORT, bob, sessionId=key, positionSeconds=9),
            await did(ask, END, bob, sessionId=key, positionSeconds=9),
        )
    ]
    nodes = [(await ask.data(NODE, account, id=session))["node"] for account in (bob, None)]

    assert answers == [answers[0]] * 8
    assert refused(answers[0]) == [("NOT_FOUND", ["sessionId"])]
    assert nodes == [None, None]
    assert (await ask.data(SESSIONS, bob))["viewer"]["playbackSessions"] == []
    assert (await ask.data(SESSIONS, ada), await ask.house.written()) == before
    assert (await ask.data(NODE, ada, id=session))["node"] == {"id": session, "state": "PLAYING"}


@pytest.mark.parametrize("document", [START, REPORT, END])
async def test_nobody_plays_anything(ask: Asker, phone: Device, movie: int, document: str) -> None:
    rows = await ask.house.written()
    inputs: dict[str, dict[str, Any]] = {
        START: {"contentId": encode("Movie", movie), "deviceId": encode("Device", phone.id)},
        REPORT: {"contentId": encode("Movie", movie), "positionSeconds": 1},
        END: {"sessionId": encode("PlaybackSession", new_id())},
    }

    assert await ask.code(document, input=inputs[document]) == "UNAUTHENTICATED"
    assert await ask.house.written() == rows


# Links


async def test_an_episode_is_played_by_the_offers_of_its_series(ask: Asker, ada: str, phone: Device) -> None:
    series = await add_series(ask.house.database, seasons=[1])
    await add_offer(ask.house.database, series, "hulu", link_id="dekalog")
    season = (await parts_of(ask.house.database, series))[0]
    episode = (await parts_of(ask.house.database, season))[0]

    started = await start(ask, ada, encode("Episode", episode), phone, platform="hulu")

    assert started["session"]["links"] == [
        {"kind": "DEEP_LINK", "url": "hulu://watch/dekalog"},
        {"kind": "UNIVERSAL_LINK", "url": "https://www.hulu.com/watch/dekalog"},
        {"kind": "WEB", "url": "https://www.hulu.com/watch/dekalog"},
    ]


async def test_links_go_on_where_the_session_stands_for_its_device(ask: Asker, ada: str, movie: int) -> None:
    await add_offer(ask.house.database, movie, "netflix", link_id="70136120")
    await ask.house.sync.record_progress(ada, movie, Position(300))
    browser = await ask.house.device(ada, "Browser", DeviceKind.WEB)
    tv = await ask.house.device(ada, "TV", DeviceKind.TV)
    with_it = await ask.house.device(ada, "Phone", missing_apps=("hulu",))
    without = await ask.house.device(ada, "Phone", missing_apps=("hulu", "netflix"))

    links = [
        (await start(ask, ada, encode("Movie", movie), device))["session"]["links"]
        for device in (browser, tv, with_it, without)
    ]

    web = "https://www.netflix.com/title/70136120?t=300"
    assert links == [
        [{"kind": "UNIVERSAL_LINK", "url": web}, {"kind": "WEB", "url": web}],
        [
            {"kind": "DEEP_LINK", "url": "nflx://www.netflix.com/title/70136120?t=300"},
            {"kind": "WEB", "url": web},
        ],
        [
            {"kind": "DEEP_LINK", "url": "nflx://www.netflix.com/title/70136120?t=300"},
            {"kind": "UNIVERSAL_LINK", "url": web},
            {"kind": "WEB", "url": web},
        ],
        [{"kind": "WEB", "url": web}],
    ]
    offered = """query ($d: ID!, $id: ID!) {
      node(id: $id) { ... on Movie { availability { links(device: $d) { kind } } } } }"""
    shown = await ask.data(offered, ada, d=encode("Device", without.id), id=encode("Movie", movie))
    assert shown["node"]["availability"] == [{"links": [{"kind": "WEB"}]}]


async def test_the_cheapest_way_is_taken_where_none_is_named(
    ask: Asker, ada: str, phone: Device, movie: int
) -> None:
    await add_offer(ask.house.database, movie, "prime_video", kind="rental", price="3.99", link_id="rent")
    await add_offer(ask.house.database, movie, "hulu", link_id="stream")
    await add_offer(ask.house.database, movie, "netflix", region="DE", kind="free", link_id="elsewhere")

    started = await start(ask, ada, encode("Movie", movie), phone)

    assert started["session"]["links"][-1]["url"] == "https://www.hulu.com/watch/stream"


async def test_a_track_offered_with_its_album_leads_to_the_album(ask: Asker, ada: str, phone: Device) -> None:
    album = await add_album(ask.house.database, tracks=["So What"])
    (track,) = await parts_of(ask.house.database, album)
    await add_offer(ask.house.database, album, "spotify", kind="free", link_id="album-id")

    started = await start(ask, ada, encode("Track", track), phone)

    assert started["session"]["links"][-1]["url"] == "https://open.spotify.com/album/album-id"


async def test_a_track_with_an_offer_of_its_own_leads_to_the_track(
    ask: Asker, ada: str, phone: Device
) -> None:
    album = await add_album(ask.house.database, tracks=["So What"])
    (track,) = await parts_of(ask.house.database, album)
    await add_offer(ask.house.database, track, "spotify", kind="free", link_id="track-id")

    started = await start(ask, ada, encode("Track", track), phone)

    assert started["session"]["links"][-1]["url"] == "https://open.spotify.com/track/track-id"


async def test_a_session_of_a_dropped_title_has_neither_title_nor_links(
    ask: Asker, ada: str, phone: Device, movie: int
) -> None:
    await add_offer(ask.house.database, movie, "netflix")
    session = (await start(ask, ada, encode("Movie", movie), phone))["session"]["id"]
    await retire(ask.house.database, movie)

    ended = await did(ask, END, ada, sessionId=session)

    assert (ended["session"]["content"], ended["session"]["links"]) == (None, [])
    assert ended["session"]["state"] == "STOPPED"


async def test_the_number_of_statements_does_not_grow_with_the_sessions(
    ask: Asker, ada: str, phone: Device, statements: StatementCounter
) -> None:
    document = """{ viewer { playbackSessions { state content { title myProgress { viewing } }
      device { name online } links { url } } } }"""
    counts = []
    for rows in (1, 19):
        for number in range(rows):
            movie = await add_movie(ask.house.database, f"Film {number}")
            await add_offer(ask.house.database, movie)
            await ask.house.playback.start(ada, movie, phone.id)
        statements.clear()
        listed = (await ask.data(document, ada))["viewer"]["playbackSessions"]
        counts.append(len(statements.seen))

    assert len(listed) == 20
    assert counts[0] == counts[1] <= 6


CONTINUE = """mutation ($input: ContinueOnInput!) { done: continueOn(input: $input) {
  session { state positionSeconds } command { action arguments device { name } }
  userErrors { code field message } } }"""


async def test_playback_goes_on_on_another_device(ask: Asker, ada: str, phone: Device, movie: int) -> None:
    tv = await ask.house.device(ada, "TV")
    session = await ask.house.playback.start(ada, movie, phone.id, Beginning(position_seconds=90))
    given = {"sessionId": encode("PlaybackSession", session.id), "deviceId": encode("Device", tv.id)}

    done = await did(ask, CONTINUE, ada, **given)
    again = await did(ask, CONTINUE, ada, **given)

    assert done == {
        "session": {"state": "STOPPED", "positionSeconds": 90},
        "command": {
            "action": "load",
            "arguments": {"contentId": encode("Movie", movie), "startSeconds": 90},
            "device": {"name": "TV"},
        },
        "userErrors": [],
    }
    assert refused(again) == [("CONFLICT", ["sessionId"])]


async def test_anothers_playback_goes_on_nowhere(ask: Asker, ada: str, phone: Device, movie: int) -> None:
    mallory = await ask.house.account()
    theirs = await ask.house.device(mallory, "TV")
    session = await ask.house.playback.start(ada, movie, phone.id)
    rows = await ask.house.written()

    answers = [
        await did(ask, CONTINUE, mallory, sessionId=key, deviceId=encode("Device", theirs.id))
        for key in (encode("PlaybackSession", session.id), encode("PlaybackSession", new_id()), "x")
    ]

    assert [refused(answer) for answer in answers] == [[("NOT_FOUND", ["sessionId"])]] * 3
    assert await ask.house.written() == rows


# Where a viewing profile may not watch (any more)


CLOSING = Hours(7 * 60, 20 * 60, "UTC")
ENDING = """mutation ($input: ReportProgressInput!) { done: reportProgress(input: $input) {
  session { state endReason endedAt } progress { positionSeconds } userErrors { code field message } } }"""
PUSH = """mutation ($input: PushChangesInput!) { done: pushChanges(input: $input) {
  results { fate } userErrors { code field } } }"""
ON = {"state": "PLAYING", "endReason": None, "endedAt": None}


@pytest.fixture
async def evening(ask: Asker, ada: str, phone: Device, movie: int) -> str:
    """A session that began an hour before the hours of its profile end."""
    ask.house.clock.at = datetime(2026, 3, 1, 19, tzinfo=UTC)
    ask.house.hours = CLOSING
    ask.house.restriction = Restriction()
    started = await start(ask, ada, encode("Movie", movie), phone)
    session: str = started["session"]["id"]
    return session


async def test_what_plays_ends_when_the_hours_do_and_what_was_watched_is_kept(
    ask: Asker, ada: str, phone: Device, movie: int, evening: str
) -> None:
    clock = ask.house.clock
    clock.turn(3599)
    within = await did(ask, ENDING, ada, sessionId=evening, positionSeconds=300)
    clock.turn(1)
    after = await did(ask, ENDING, ada, sessionId=evening, positionSeconds=301)
    again = await did(ask, ENDING, ada, sessionId=evening, positionSeconds=302)
    anew = await start(ask, ada, encode("Movie", movie), phone)

    assert within == {"session": ON, "progress": {"positionSeconds": 300}, "userErrors": []}
    assert after == {
        "session": {"state": "STOPPED", "endReason": "NOT_ALLOWED", "endedAt": clock.now().isoformat()},
        "progress": {"positionSeconds": 301},
        "userErrors": [],
    }
    assert refused(again) == [("CONFLICT", ["sessionId"])]
    assert "NOT_ALLOWED" in again["userErrors"][0]["message"]
    assert refused(anew) == [("UNAVAILABLE", [])]
    assert "from 07:00 to 20:00 (UTC)" in anew["userErrors"][0]["message"]
    assert (await ask.house.sync.store.progress(ada, [movie]))[movie].position_seconds == 301


async def test_what_pauses_is_not_watched_until_it_plays_on(ask: Asker, ada: str, evening: str) -> None:
    ask.house.clock.turn(3600)

    pausing = [
        (await did(ask, ENDING, ada, sessionId=evening, positionSeconds=300, **told))["session"]
        for told in ({"state": "PAUSED"}, {}, {"state": "PLAYING"})
    ]

    assert [session["state"] for session in pausing] == ["PAUSED", "PAUSED", "STOPPED"]
    assert [session["endReason"] for session in pausing] == [None, None, "NOT_ALLOWED"]


async def test_what_was_begun_after_hours_with_the_pin_goes_on(
    ask: Asker, ada: str, phone: Device, movie: int
) -> None:
    ask.house.clock.at = datetime(2026, 3, 1, 21, tzinfo=UTC)
    started = await start(ask, ada, encode("Movie", movie), phone)
    ask.house.hours, ask.house.restriction = CLOSING, Restriction()
    ask.house.clock.turn(3600)

    told = await did(ask, ENDING, ada, sessionId=started["session"]["id"], positionSeconds=300)

    assert told["session"] == ON


async def test_what_is_hidden_meanwhile_plays_no_longer(
    ask: Asker, ada: str, movie: int, evening: str
) -> None:
    ask.house.restriction = Restriction(max_rating=MaturityRating.PG)

    told = await did(ask, ENDING, ada, sessionId=evening, positionSeconds=300)

    assert told["session"]["endReason"] == "NOT_ALLOWED"
    assert (await ask.house.sync.store.progress(ada, [movie]))[movie].position_seconds == 300


async def test_what_plays_incognito_ends_with_the_hours_as_well(
    ask: Asker, ada: str, phone: Device, movie: int, evening: str
) -> None:
    await ask.house.playback.set_incognito(ada, phone.id, incognito=True)
    started = await start(ask, ada, encode("Movie", movie), phone)
    ask.house.clock.turn(3600)

    told = await did(ask, ENDING, ada, sessionId=started["session"]["id"], positionSeconds=300)

    assert (told["session"]["endReason"], told["progress"]) == ("NOT_ALLOWED", None)


async def test_what_was_watched_out_of_hours_without_a_session_is_history(
    ask: Asker, ada: str, phone: Device, movie: int
) -> None:
    ask.house.clock.at = datetime(2026, 3, 1, 21, tzinfo=UTC)
    ask.house.hours, ask.house.restriction = CLOSING, Restriction()
    title, told = encode("Movie", movie), ask.house.version(-3600)
    watched = {"contentId": title, "positionSeconds": 500, "viewing": 1}

    reported = await did(ask, ENDING, ada, contentId=title, positionSeconds=400)
    pushed = await did(
        ask, PUSH, ada, deviceId=encode("Device", phone.id),
        operations=[{"id": new_id(), "version": str(ask.house.version(1)), "change": {"watched": watched}}],
        settledThrough=str(told),
    )  # fmt: skip

    assert (reported["progress"], reported["userErrors"]) == ({"positionSeconds": 400}, [])
    assert pushed["results"] == [{"fate": "APPLIED"}]
    assert (await ask.house.sync.store.progress(ada, [movie]))[movie].position_seconds == 500
    assert await ask.house.playback.store.of_account(ada, active=None, limit=5) == []
