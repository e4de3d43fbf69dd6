"""Sessions and the progress they bring about, over a real database."""

import asyncio
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from domain.platform.errors import UserErrorCode
from domain.platform.postgres import Database
from domain.playback.events import ACTIVITY, CREATED, ENDED, MOVED, STATE
from domain.playback.model import PlaybackEnd, PlaybackQuality, PlaybackSession, PlaybackState
from domain.playback.service import Beginning, Report
from domain.sync.clock import Timestamp
from domain.sync.model import Device, WatchProgress
from domain.sync.operations import Origin, Position
from tests.accounts import new_id
from tests.catalogue import add_album, add_movie, add_series, add_track, parts_of, retire
from tests.domain.playback.conftest import DURATION
from tests.states import viewings
from tests.viewers import Living, living, refusal

SIX_HOURS, FIVE_MINUTES, NINETY_SECONDS = 6 * 3600, 5 * 60, 90
"""How long a player may be silent: one that pauses, one whose device went, one whose device is there."""


async def report(
    house: Living,
    session: PlaybackSession,
    seconds: int,
    state: PlaybackState | None = None,
    version: Timestamp | None = None,
) -> tuple[PlaybackSession, WatchProgress]:
    told = Report(state, Position(seconds))
    moved, progress = await house.playback.report(
        session.account_id, session.id, told, Origin(version=version)
    )
    assert progress is not None
    return moved, progress


async def kept(house: Living, session: PlaybackSession) -> PlaybackSession:
    return (await house.playback.store.by_ids(session.account_id, [session.id]))[session.id]


async def topics(house: Living) -> list[str]:
    return [topic for topic, _, _ in await of_sessions(house)]


async def of_sessions(house: Living) -> list[tuple[str, str, dict[str, Any]]]:
    """What is told of sessions, without what it says of taste."""
    return [
        entry for entry in await house.outbox() if entry[0].startswith("playback") and entry[0] != ACTIVITY
    ]


# Starting


async def test_a_session_starts_at_the_beginning(house: Living, ada: str, tv: Device, movie: int) -> None:
    session = await house.playback.start(ada, movie, tv.id)

    assert (session.state, session.position_seconds, session.viewing) == (PlaybackState.PLAYING, 0, 1)
    assert (session.duration_seconds, session.device_id, session.active) == (DURATION, tv.id, True)
    assert await kept(house, session) == session
    assert await house.kinds(ada) == ["device", "playback"]
    assert await house.sync.store.progress(ada, [movie]) == {}


@pytest.mark.parametrize(
    ("stopped", "resumed", "viewing"), [(29, 0, 1), (30, 30, 1), (949, 949, 1), (950, 0, 2)]
)
async def test_a_session_starts_where_the_viewer_stopped(
    house: Living, ada: str, tv: Device, movie: int, stopped: int, resumed: int, viewing: int
) -> None:
    await house.sync.record_progress(ada, movie, Position(stopped))

    session = await house.playback.start(ada, movie, tv.id)

    assert (session.position_seconds, session.viewing) == (resumed, viewing)


async def test_a_session_starts_where_it_is_told(house: Living, ada: str, tv: Device, movie: int) -> None:
    await house.sync.record_progress(ada, movie, Position(100))

    begin = [
        Beginning(position_seconds=0),
        Beginning(position_seconds=5000),
        Beginning(duration_seconds=2000),
    ]
    sessions = [await house.playback.start(ada, movie, tv.id, where) for where in begin]

    assert [session.position_seconds for session in sessions] == [0, DURATION, 100]
    assert [session.duration_seconds for session in sessions] == [DURATION, DURATION, 2000]


async def test_the_player_may_know_the_length_that_the_catalogue_does_not(
    house: Living, ada: str, tv: Device
) -> None:
    short = await add_movie(house.database, runtime_seconds=None)
    assert await refusal(house.playback.start(ada, short, tv.id)) is UserErrorCode.INVALID

    session = await house.playback.start(ada, short, tv.id, Beginning(duration_seconds=90))

    assert session.duration_seconds == 90


async def test_a_start_stops_what_the_device_played(house: Living, ada: str, tv: Device, movie: int) -> None:
    phone = await house.device(ada, "Phone")
    first = await house.playback.start(ada, movie, tv.id)
    elsewhere = await house.playback.start(ada, movie, phone.id)
    await report(house, first, 100)

    second = await house.playback.start(ada, movie, tv.id)

    stopped = await kept(house, first)
    assert (stopped.state, stopped.ended_at, stopped.position_seconds) == (
        PlaybackState.STOPPED,
        house.clock.now(),
        100,
    )
    assert await kept(house, elsewhere) == elsewhere
    assert await house.playback.store.active_on(ada, [tv.id, phone.id]) == {
        tv.id: second,
        phone.id: elsewhere,
    }


async def test_starts_at_once_leave_one_session(house: Living, ada: str, tv: Device, movie: int) -> None:
    await asyncio.gather(*(house.playback.start(ada, movie, tv.id) for _ in range(8)))

    active = await house.playback.store.of_account(ada, active=True, limit=50)
    ended = await house.playback.store.of_account(ada, active=False, limit=50)
    assert (len(active), len(ended)) == (1, 7)


async def test_a_foreign_device_plays_nothing(house: Living, ada: str, tv: Device, movie: int) -> None:
    other = await house.account()
    await house.devices.remove(ada, tv.id)
    rows = await house.written()

    codes = [await refusal(house.playback.start(other, movie, key)) for key in (tv.id, new_id(), "", "x")]
    codes.append(await refusal(house.playback.start(ada, movie, tv.id)))

    assert codes == [UserErrorCode.NOT_FOUND] * 5
    assert await house.written() == rows


async def test_only_films_episodes_and_tracks_play(house: Living, ada: str, tv: Device) -> None:
    series = await add_series(house.database, seasons=[1])
    season = (await parts_of(house.database, series))[0]
    episode = (await parts_of(house.database, season))[0]
    rows = await house.written()

    codes = [await refusal(house.playback.start(ada, key, tv.id)) for key in (series, season, 987_654)]

    assert codes == [UserErrorCode.INVALID, UserErrorCode.INVALID, UserErrorCode.NOT_FOUND]
    assert await house.written() == rows
    assert (await house.playback.start(ada, episode, tv.id)).content_id == episode


async def test_a_track_plays(house: Living, ada: str, tv: Device) -> None:
    album = await add_album(house.database)
    track = await add_track(house.database, album)

    assert (await house.playback.start(ada, track, tv.id)).duration_seconds == 240


async def test_an_impossible_start_writes_nothing(house: Living, ada: str, tv: Device, movie: int) -> None:
    playing = await house.playback.start(ada, movie, tv.id)
    rows = await house.written()

    codes = [
        await refusal(house.playback.start(ada, movie, tv.id, begin))
        for begin in (Beginning(position_seconds=-1), Beginning(duration_seconds=0))
    ]

    assert codes == [UserErrorCode.INVALID] * 2
    assert await house.written() == rows
    assert await kept(house, playing) == playing


# Reporting


async def test_a_report_moves_the_session_and_the_progress(
    house: Living, ada: str, tv: Device, movie: int
) -> None:
    session = await house.playback.start(ada, movie, tv.id)
    house.clock.turn(5)

    moved, progress = await report(house, session, 100, PlaybackState.PAUSED)

    assert await kept(house, session) == moved
    assert (moved.state, moved.position_seconds, moved.updated_at) == (
        PlaybackState.PAUSED,
        100,
        house.clock.now(),
    )
    assert (progress.position_seconds, progress.device_id) == (100, tv.id)
    assert await house.sync.store.progress(ada, [movie]) == {movie: progress}
    assert await house.kinds(ada) == ["device", "playback", "progress", "playback"]


async def test_a_state_that_is_not_told_stays(house: Living, ada: str, tv: Device, movie: int) -> None:
    session = await house.playback.start(ada, movie, tv.id)
    await report(house, session, 100, PlaybackState.BUFFERING)

    assert (await report(house, session, 101))[0].state is PlaybackState.BUFFERING


@pytest.mark.parametrize("seconds", [-2.0, -1.0])
async def test_an_older_or_repeated_report_changes_nothing(
    house: Living, ada: str, tv: Device, movie: int, seconds: float
) -> None:
    session = await house.playback.start(ada, movie, tv.id)
    known = await report(house, session, 100, None, house.version(-1))
    rows = await house.written()

    answer = await report(house, session, 100, PlaybackState.STOPPED, house.version(seconds))

    assert answer == known
    assert await house.written() == rows


async def test_a_clock_too_far_ahead_moves_nothing(house: Living, ada: str, tv: Device, movie: int) -> None:
    session = await house.playback.start(ada, movie, tv.id)
    rows = await house.written()

    assert await refusal(report(house, session, 100, None, house.version(61))) is UserErrorCode.CLOCK_AHEAD
    assert await house.written() == rows


async def test_the_end_of_the_title_ends_the_session(house: Living, ada: str, tv: Device, movie: int) -> None:
    session = await house.playback.start(ada, movie, tv.id)

    almost, _ = await report(house, session, DURATION - 1)
    ended, progress = await report(house, session, DURATION + 500, PlaybackState.PLAYING)

    assert almost.active is True
    assert (ended.state, ended.position_seconds, ended.ended_at) == (
        PlaybackState.ENDED,
        DURATION,
        house.clock.now(),
    )
    assert (progress.completed, progress.position_seconds) == (True, DURATION)


async def test_a_title_is_finished_where_its_closing_credits_begin(
    house: Living, ada: str, tv: Device
) -> None:
    film = await add_movie(house.database, runtime_seconds=DURATION, end_credits_seconds=200)
    session = await house.playback.start(ada, film, tv.id)
    before, unfinished = await report(house, session, 799)
    house.clock.turn(1)
    ended, finished = await report(house, session, 800, PlaybackState.ENDED)

    assert (before.state, unfinished.completed) == (PlaybackState.PLAYING, False)
    assert (ended.state, ended.end_reason) == (PlaybackState.ENDED, PlaybackEnd.FINISHED)
    assert finished.completed
    again = await house.playback.start(ada, film, tv.id)
    assert (again.viewing, again.position_seconds) == (2, 0)
    told = [payload["activity"] for topic, _, payload in await house.outbox() if topic == ACTIVITY]
    assert told == ["playback_start", "playback_complete", "playback_start"]
    without_session = await house.sync.record_progress(ada, film, Position(800), viewing=2)
    assert without_session is not None
    assert without_session.completed


async def test_an_ended_session_takes_no_report(house: Living, ada: str, tv: Device, movie: int) -> None:
    session = await house.playback.start(ada, movie, tv.id)
    await report(house, session, 100, PlaybackState.STOPPED)
    rows = await house.written()

    assert await refusal(report(house, session, 200)) is UserErrorCode.CONFLICT
    assert await house.written() == rows


@pytest.mark.parametrize("position", [Position(-1), Position(1, 0), Position(1, -1)])
async def test_an_impossible_report_writes_nothing(
    house: Living, ada: str, tv: Device, movie: int, position: Position
) -> None:
    session = await house.playback.start(ada, movie, tv.id)
    rows = await house.written()

    refused = house.playback.report(ada, session.id, Report(None, position), Origin())

    assert await refusal(refused) is UserErrorCode.INVALID
    assert await house.written() == rows


async def test_a_rewatch_by_session_leaves_the_finished_viewing(
    house: Living, ada: str, tv: Device, movie: int
) -> None:
    await house.sync.record_progress(ada, movie, Position(990))
    session = await house.playback.start(ada, movie, tv.id)

    _, progress = await report(house, session, 40)

    assert (progress.viewing, progress.completed) == (2, False)
    kept = await viewings(house.database, ada, movie)
    assert [(known.viewing, known.completed) for known in kept] == [(1, True), (2, False)]


async def test_a_session_stays_in_its_viewing_when_another_device_finishes(
    house: Living, ada: str, tv: Device, movie: int
) -> None:
    session = await house.playback.start(ada, movie, tv.id)
    await house.sync.record_progress(ada, movie, Position(990))

    moved, progress = await report(house, session, 300)

    assert (moved.viewing, progress.viewing, progress.completed) == (1, 1, True)
    assert len(await viewings(house.database, ada, movie)) == 1


async def test_a_title_dropped_meanwhile_plays_to_its_end(
    house: Living, ada: str, tv: Device, movie: int
) -> None:
    session = await house.playback.start(ada, movie, tv.id)
    await retire(house.database, movie)

    assert (await report(house, session, 500))[0].position_seconds == 500
    assert (await house.playback.end(ada, session.id, None, Origin()))[0].active is False


# Ending


async def test_an_end_says_where(house: Living, ada: str, tv: Device, movie: int) -> None:
    session = await house.playback.start(ada, movie, tv.id)

    ended, progress = await house.playback.end(ada, session.id, Position(400), Origin())

    assert progress is not None
    assert (ended.state, ended.position_seconds, progress.position_seconds) == (
        PlaybackState.STOPPED,
        400,
        400,
    )
    assert await kept(house, session) == ended


async def test_ending_twice_changes_nothing(house: Living, ada: str, tv: Device, movie: int) -> None:
    session = await house.playback.start(ada, movie, tv.id)
    ended = await house.playback.end(ada, session.id, Position(400), Origin())
    rows = await house.written()

    assert await house.playback.end(ada, session.id, Position(600), Origin()) == ended
    assert await house.written() == rows


async def test_an_end_without_a_position_does_not_turn_back_what_another_device_reached(
    house: Living, ada: str, tv: Device, movie: int
) -> None:
    session = await house.playback.start(ada, movie, tv.id)
    await report(house, session, 100)
    await house.sync.record_progress(ada, movie, Position(700))

    ended, progress = await house.playback.end(ada, session.id, None, Origin())

    assert progress is not None
    assert (ended.active, ended.position_seconds, progress.position_seconds) == (False, 100, 700)
    assert await house.sync.store.progress(ada, [movie]) == {movie: progress}


async def test_a_session_ends_though_its_clock_is_behind_another_devices(
    house: Living, ada: str, tv: Device, movie: int
) -> None:
    session = await house.playback.start(ada, movie, tv.id)
    await house.sync.record_progress(ada, movie, Position(700), Origin(version=house.version(10)))

    moved, seen = await report(house, session, 100, PlaybackState.PAUSED, house.version(-10, "tv"))
    ended, progress = await house.playback.end(
        ada, session.id, Position(120), Origin(version=house.version(-5, "tv"))
    )

    assert (moved.state, moved.position_seconds) == (PlaybackState.PAUSED, 100)
    assert (ended.active, ended.position_seconds) == (False, 120)
    assert seen.position_seconds == 700
    assert progress is not None
    assert progress.position_seconds == 700


async def test_a_session_ends_though_the_devices_own_clock_went_back(
    house: Living, ada: str, tv: Device, movie: int
) -> None:
    session = await house.playback.start(ada, movie, tv.id)
    await report(house, session, 300, None, house.version(0, "tv"))

    ended, progress = await house.playback.end(
        ada, session.id, Position(250), Origin(version=house.version(-60, "tv"))
    )

    assert progress is not None
    assert (ended.active, ended.position_seconds, progress.position_seconds) == (False, 300, 300)


async def test_anothers_session_does_not_exist(house: Living, ada: str, tv: Device, movie: int) -> None:
    session = await house.playback.start(ada, movie, tv.id)
    other = await house.account()
    told = Report(None, Position(10))

    codes = [
        code
        for key in (session.id, new_id(), "x", "\0")
        for code in (
            await refusal(house.playback.report(other, key, told, Origin())),
            await refusal(house.playback.end(other, key, None, Origin())),
        )
    ]

    assert codes == [UserErrorCode.NOT_FOUND] * 8
    assert await kept(house, session) == session
    assert await house.playback.store.by_ids(other, [session.id]) == {}
    assert await house.playback.store.active_on(other, [tv.id]) == {}


# What the outside hears


async def test_events_tell_the_life_of_a_session(house: Living, ada: str, tv: Device, movie: int) -> None:
    begin = Beginning(quality=PlaybackQuality.HIGH)
    session = await house.playback.start(ada, movie, tv.id, begin)
    house.clock.turn(10)
    await report(house, session, 250)
    await house.playback.end(ada, session.id, Position(500), Origin())

    told = await of_sessions(house)

    assert [(topic, key) for topic, key, _ in told] == [
        (CREATED, session.id),
        (MOVED, session.id),
        (ENDED, session.id),
    ]
    created, moved, ended = (payload for _, _, payload in told)
    assert (created["account"], created["device"], created["content"]) == (ada, tv.id, movie)
    assert (created["duration"], created["quality"]) == (DURATION, "high")
    assert (moved["position"], moved["state"], "completion" in moved) == (250, "playing", False)
    assert (ended["position"], ended["duration"], ended["completion"]) == (500, DURATION, 0.5)
    assert (created["endReason"], ended["endReason"]) == (None, "stopped")


async def test_positions_are_told_outside_once_in_ten_seconds(
    house: Living, ada: str, tv: Device, movie: int
) -> None:
    session = await house.playback.start(ada, movie, tv.id)
    for second in range(1, 31):
        house.clock.turn(1)
        await report(house, session, second)

    told = [payload["position"] for topic, _, payload in await house.outbox() if topic == MOVED]

    assert told == [10, 20, 30]
    assert len(await house.kinds(ada)) == 2 + 2 * 30


@pytest.mark.parametrize("offset", [0.0, 0.1, 3.7, 9.9])
async def test_two_positions_are_ten_seconds_apart_wherever_they_fall_and_whoever_is_told(
    database: Database, house: Living, ada: str, tv: Device, movie: int, offset: float
) -> None:
    other = living(database)
    house.clock.turn(offset)
    session = await house.playback.start(ada, movie, tv.id)
    moments = []
    for number in range(120):
        house.clock.turn(0.7)
        other.clock.at = house.clock.at + timedelta(seconds=0.3 if number % 2 else -0.3)
        before = len(await topics(house))
        state = PlaybackState.PAUSED if number % 5 == 0 else PlaybackState.PLAYING
        await report(other if number % 3 else house, session, number, state)
        told = await of_sessions(house)
        moments += [payload["at"] for topic, _, payload in told[before:] if topic == MOVED]

    parsed = [session.started_at, *map(datetime.fromisoformat, moments)]
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(parsed)]
    assert min(gaps) >= 10
    assert max(gaps) < 12
    assert len(gaps) >= 7


async def test_a_change_of_state_is_told_outside_at_once(
    house: Living, ada: str, tv: Device, movie: int
) -> None:
    session = await house.playback.start(ada, movie, tv.id)
    house.clock.turn(0.1)
    await report(house, session, 1, PlaybackState.PAUSED)
    house.clock.turn(0.1)
    await report(house, session, 1, PlaybackState.PLAYING)

    assert await topics(house) == [CREATED, STATE, STATE]


@pytest.mark.parametrize(
    ("last", "activity"),
    [(899, "playback_abandon"), (900, "playback_complete"), (DURATION, "playback_complete")],
)
async def test_what_a_session_says_of_taste_is_told_for_recommendations(
    house: Living, ada: str, tv: Device, movie: int, last: int, activity: str
) -> None:
    session = await house.playback.start(ada, movie, tv.id)
    house.clock.turn(60)
    await house.playback.end(ada, session.id, Position(last), Origin())

    told = [(key, payload) for topic, key, payload in await house.outbox() if topic == ACTIVITY]

    assert [key for key, _ in told] == [ada, ada]
    assert [(payload["activity"], payload["content"]) for _, payload in told] == [
        ("playback_start", movie),
        (activity, movie),
    ]
    assert (told[1][1]["position"], told[1][1]["session"]) == (last, session.id)


async def test_who_goes_on_elsewhere_has_not_abandoned_the_title(
    house: Living, ada: str, tv: Device, movie: int
) -> None:
    phone = await house.device(ada)
    session = await house.playback.start(ada, movie, phone.id)
    await house.playback.hand_over(ada, session.id, tv.id, "the film")

    told = [payload["activity"] for topic, _, payload in await house.outbox() if topic == ACTIVITY]

    assert told == ["playback_start"]


async def test_sessions_are_listed_latest_first(house: Living, ada: str, tv: Device, movie: int) -> None:
    sessions = []
    for _ in range(3):
        sessions.append(await house.playback.start(ada, movie, tv.id))
        house.clock.at += timedelta(seconds=1)

    listed = await house.playback.store.of_account(ada, active=None, limit=2)

    assert [session.id for session in listed] == [sessions[2].id, sessions[1].id]


async def test_what_a_removed_device_plays_is_stopped_with_it(
    house: Living, ada: str, tv: Device, movie: int
) -> None:
    session = await house.playback.start(ada, movie, tv.id)
    phone = await house.device(ada)
    other = await house.playback.start(ada, movie, phone.id)

    await house.playback.remove_device(ada, tv.id)

    stopped = await kept(house, session)
    assert (stopped.state, stopped.active) == (PlaybackState.STOPPED, False)
    assert await house.playback.store.of_account(ada, active=True, limit=9) == [other]
    assert (await house.kinds(ada))[-2:] == ["playback", "device"]


async def test_a_device_of_another_account_plays_on_when_its_removal_is_refused(
    house: Living, ada: str, tv: Device, movie: int
) -> None:
    session = await house.playback.start(ada, movie, tv.id)
    eve = await house.account()

    code = await refusal(house.playback.remove_device(eve, tv.id))

    assert code is UserErrorCode.NOT_FOUND
    assert await kept(house, session) == session


async def test_a_session_answers_to_its_id_as_it_is_written(
    house: Living, ada: str, tv: Device, movie: int
) -> None:
    session = await house.playback.start(ada, movie, tv.id)
    others = [f"{{{session.id}}}", f"urn:uuid:{session.id}", session.id.replace("-", ""), "", "\0"]

    found = await house.playback.store.by_ids(ada, [session.id, *others])

    assert found == {session.id: session}


# Going on elsewhere


async def test_another_device_goes_on_where_playback_stands(
    house: Living, ada: str, tv: Device, movie: int
) -> None:
    phone = await house.device(ada)
    session = await house.playback.start(ada, movie, phone.id)
    await report(house, session, 300)
    house.clock.turn(7)

    stopped, command = await house.playback.hand_over(ada, session.id, tv.id, "the film")

    assert (stopped.state, stopped.position_seconds) == (PlaybackState.STOPPED, 307)
    assert (command.device_id, command.action) == (tv.id, "load")
    assert command.arguments == {"contentId": "the film", "startSeconds": 307}
    assert (await house.kinds(ada))[-3:] == ["playback", "command", "command"]
    last = (await house.journal.log.since(ada, await house.journal.log.latest(ada) - 1, 1))[0]
    assert (last.payload["device"], last.payload["action"]) == (phone.id, "stop")
    assert await refusal(report(house, session, 310)) is UserErrorCode.CONFLICT


@pytest.mark.parametrize(
    ("state", "silent", "position"),
    [
        (PlaybackState.PAUSED, 7, 300),
        (PlaybackState.PLAYING, 500, 330),
        (PlaybackState.PLAYING, 0, 300),
    ],
)
async def test_a_position_is_carried_on_while_the_player_may_be_playing(
    house: Living, ada: str, tv: Device, movie: int, state: PlaybackState, silent: int, position: int
) -> None:
    session = await house.playback.start(ada, movie, tv.id)
    moved, _ = await report(house, session, 300, state)

    house.clock.turn(silent)

    assert moved.seconds_at(house.clock.now()) == position


async def test_what_cannot_go_on_elsewhere_plays_on(house: Living, ada: str, tv: Device, movie: int) -> None:
    deaf = await house.device(ada, "Deaf", remote_controllable=False)
    away = await house.device(ada, "Away")
    await house.devices.leave(ada, away.id)
    foreign = await house.device(await house.account(), "Foreign")
    session = await house.playback.start(ada, movie, tv.id)
    rows = await house.written()

    codes = [
        await refusal(house.playback.hand_over(ada, session.id, device.id, "the film"))
        for device in (deaf, away, foreign, tv)
    ]

    assert codes == [
        UserErrorCode.UNAVAILABLE,
        UserErrorCode.UNAVAILABLE,
        UserErrorCode.NOT_FOUND,
        UserErrorCode.CONFLICT,
    ]
    assert await house.written() == rows
    assert (await kept(house, session)).active


async def test_a_session_whose_player_fell_silent_is_stopped_where_it_stood(
    house: Living, ada: str, tv: Device, movie: int
) -> None:
    session = await house.playback.start(ada, movie, tv.id)
    await report(house, session, 300, PlaybackState.PAUSED)
    house.clock.turn(SIX_HOURS - 1)
    assert await house.playback.end_silent() == 0
    house.clock.turn(1)

    assert await house.playback.end_silent() == 1

    ended = await kept(house, session)
    assert (ended.state, ended.position_seconds) == (PlaybackState.STOPPED, 300)
    assert ended.end_reason is PlaybackEnd.SILENT
    assert (await topics(house))[-1] == ENDED
    assert await house.playback.end_silent() == 0


async def test_a_player_that_plays_and_whose_device_is_gone_is_not_waited_for_as_long(
    house: Living, ada: str, tv: Device, movie: int
) -> None:
    devices = [tv, *[await house.device(ada, name) for name in ("Paused", "Telling")]]
    gone, paused, telling = [await house.playback.start(ada, movie, device.id) for device in devices]
    await report(house, paused, 40, PlaybackState.PAUSED)
    house.clock.turn(FIVE_MINUTES - 1)
    assert await house.playback.end_silent() == 0
    await report(house, telling, 299)
    house.clock.turn(1)

    assert await house.playback.end_silent() == 1

    assert (await kept(house, gone)).end_reason is PlaybackEnd.SILENT
    assert all([(await kept(house, session)).active for session in (paused, telling)])


async def test_a_player_that_is_silent_on_a_device_that_is_there_has_crashed(
    house: Living, ada: str, tv: Device, movie: int
) -> None:
    devices = [tv, *[await house.device(ada, name) for name in ("Paused", "Telling", "Gone")]]
    crashed, paused, telling, gone = [await house.playback.start(ada, movie, each.id) for each in devices]
    await report(house, paused, 40, PlaybackState.PAUSED)
    house.clock.turn(NINETY_SECONDS - 1)
    for each in (crashed, paused, telling):
        await house.devices.heartbeat(ada, each.device_id)
    assert await house.playback.end_silent() == 0
    await report(house, telling, 89)
    house.clock.turn(1)

    assert await house.playback.end_silent() == 1

    ended = await kept(house, crashed)
    assert (ended.end_reason, ended.active) == (PlaybackEnd.SILENT, False)
    assert all([(await kept(house, session)).active for session in (paused, telling, gone)])
    moved, _ = await report(house, crashed, 91)
    assert moved.active


async def test_a_player_that_speaks_again_was_alive(house: Living, ada: str, tv: Device, movie: int) -> None:
    session = await house.playback.start(ada, movie, tv.id)
    house.clock.turn(FIVE_MINUTES)
    assert await house.playback.end_silent() == 1

    moved, progress = await report(house, session, 310)

    assert (moved.state, moved.active, moved.end_reason) == (PlaybackState.PLAYING, True, None)
    assert (await house.playback.store.active_on(ada, [tv.id]))[tv.id] == await kept(house, session)
    assert progress.position_seconds == 310


async def test_a_player_that_was_given_up_says_no_more_once_its_device_plays_something_else(
    house: Living, ada: str, tv: Device, movie: int
) -> None:
    session = await house.playback.start(ada, movie, tv.id)
    house.clock.turn(FIVE_MINUTES)
    await house.playback.end_silent()
    following = await house.playback.start(ada, movie, tv.id)

    assert await refusal(report(house, session, 310)) is UserErrorCode.CONFLICT
    assert await house.playback.store.active_on(ada, [tv.id]) == {tv.id: following}


# Why sessions end


async def test_a_session_tells_why_it_ended(house: Living, ada: str, movie: int) -> None:
    phone = await house.device(ada)
    ended = []
    for _ in range(8):
        device = await house.device(ada)
        ended.append(await house.playback.start(ada, movie, device.id))
    finished, stopped, replaced, handed, incognito, removed, refused, forgotten = ended
    await report(house, finished, DURATION)
    await house.playback.end(ada, stopped.id, None, Origin())
    await house.playback.start(ada, movie, replaced.device_id)
    await house.playback.hand_over(ada, handed.id, phone.id, "the film")
    await house.playback.set_incognito(ada, incognito.device_id, incognito=True)
    await house.playback.remove_device(ada, removed.device_id)
    told = Report(None, Position(20))
    await house.playback.report(ada, refused.id, told, Origin(), allowed=False)

    reasons = [(await kept(house, session)).end_reason for session in ended]
    with_reason = [payload for topic, _, payload in await house.outbox() if topic == ENDED]
    await house.forgetting.forget(ada, movie)
    last = [payload["endReason"] for topic, _, payload in await house.outbox() if topic == ENDED][-2:]

    assert reasons == [
        PlaybackEnd.FINISHED,
        PlaybackEnd.STOPPED,
        PlaybackEnd.REPLACED,
        PlaybackEnd.HANDED_OVER,
        PlaybackEnd.INCOGNITO,
        PlaybackEnd.DEVICE_REMOVED,
        PlaybackEnd.NOT_ALLOWED,
        None,
    ]
    assert [payload["endReason"] for payload in with_reason] == [reason for reason in reasons if reason]
    assert last == ["forgotten", "forgotten"]  # that, and what replaced another
    assert forgotten.active


@pytest.mark.parametrize(
    ("told", "goes_on"),
    [
        (None, False),
        (PlaybackState.PLAYING, False),
        (PlaybackState.BUFFERING, False),
        (PlaybackState.PAUSED, True),
    ],
)
async def test_who_may_not_watch_any_more_keeps_what_they_watched(
    house: Living, ada: str, tv: Device, movie: int, told: PlaybackState | None, *, goes_on: bool
) -> None:
    session = await house.playback.start(ada, movie, tv.id)
    house.clock.turn(60)

    moved, progress = await house.playback.report(
        ada, session.id, Report(told, Position(60)), Origin(), allowed=False
    )

    assert moved.active is goes_on
    assert progress is not None
    assert progress.position_seconds == 60
    assert (await house.sync.store.progress(ada, [movie]))[movie].position_seconds == 60
    assert await kept(house, session) == moved


async def test_sessions_that_ended_half_a_year_ago_are_forgotten_and_the_history_stays(
    house: Living, ada: str, tv: Device, movie: int
) -> None:
    for _ in range(2):
        session = await house.playback.start(ada, movie, tv.id)
        await report(house, session, DURATION)
        house.clock.turn(100 * 86_400)
    going = await house.playback.start(ada, movie, tv.id)
    await house.database.execute("UPDATE playback_session SET started_at = started_at - interval '1 year'")

    assert await house.playback.forget_ended() == 1
    left = await house.playback.store.of_account(ada, active=None, limit=10)
    assert len(left) == 2
    assert going.id in {session.id for session in left}
    assert len(await viewings(house.database, ada, movie)) == 2
