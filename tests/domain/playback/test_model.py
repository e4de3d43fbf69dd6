"""What a session makes of what its player says: every state, followed by every other."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.platform.errors import Refused, UserErrorCode
from domain.playback.model import (
    TRANSITIONS,
    PlaybackEnd,
    PlaybackQuality,
    PlaybackSession,
    PlaybackState,
    of_session,
    to_session,
)
from domain.sync.clock import Timestamp
from domain.sync.model import WatchProgress, reaches_the_end

DURATION = 1000
BEGAN = datetime(2026, 3, 1, 20, tzinfo=UTC)
LATER = BEGAN + timedelta(minutes=9)
PLAYING, PAUSED, BUFFERING, STOPPED, ENDED = PlaybackState
MIDDLE, CREDITS, LAST = 500, 950, DURATION
FINISHED, BY_PLAYER = PlaybackEnd.FINISHED, PlaybackEnd.STOPPED

EXPECTED = {
    # what it says: what it is then, in the middle, in the credits and at the last second
    None: (None, None, ENDED),
    PLAYING: (PLAYING, PLAYING, ENDED),
    PAUSED: (PAUSED, PAUSED, ENDED),
    BUFFERING: (BUFFERING, BUFFERING, ENDED),
    STOPPED: (STOPPED, STOPPED, ENDED),
    ENDED: (STOPPED, ENDED, ENDED),
}
"""Of a session that goes on; nothing stands for the state that it had."""


def session(state: PlaybackState, reason: PlaybackEnd | None = None) -> PlaybackSession:
    return PlaybackSession(
        id="s",
        account_id="a",
        device_id="d",
        content_id=1,
        viewing=1,
        state=state,
        platform_id=None,
        position_seconds=10,
        duration_seconds=DURATION,
        started_at=BEGAN,
        updated_at=BEGAN,
        ended_at=BEGAN if reason else None,
        end_reason=reason,
        quality=PlaybackQuality.ULTRA,
    )


def at(seconds: int) -> WatchProgress:
    return WatchProgress(
        content_id=1,
        viewing=1,
        position_seconds=seconds,
        duration_seconds=DURATION,
        completed=reaches_the_end(seconds, DURATION),
        version=Timestamp(1, "d"),
        device_id="d",
        updated_at=LATER,
    )


def test_the_table_knows_every_state() -> None:
    assert set(TRANSITIONS) == set(PlaybackState)
    assert [state for state in PlaybackState if state.final] == [STOPPED, ENDED]


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("told", [None, *PlaybackState])
@pytest.mark.parametrize("state", [PLAYING, PAUSED, BUFFERING])
def test_a_session_that_goes_on_takes_every_state(
    state: PlaybackState, told: PlaybackState | None, place: int
) -> None:
    seconds = (MIDDLE, CREDITS, LAST)[place]
    expected = EXPECTED[told][place] or state

    moved = session(state).moved(at(seconds), told)

    assert moved.state is expected
    assert (moved.position_seconds, moved.updated_at) == (seconds, LATER)
    assert moved.ended_at == (LATER if expected in {STOPPED, ENDED} else None)
    assert moved.end_reason is {STOPPED: BY_PLAYER, ENDED: FINISHED}.get(expected)


@pytest.mark.parametrize("seconds", [MIDDLE, CREDITS, LAST])
@pytest.mark.parametrize("told", [None, *PlaybackState])
@pytest.mark.parametrize("reason", [reason for reason in PlaybackEnd if reason is not PlaybackEnd.SILENT])
def test_a_session_that_has_ended_takes_none(
    reason: PlaybackEnd, told: PlaybackState | None, seconds: int
) -> None:
    over = session(ENDED if reason is FINISHED else STOPPED, reason)

    with pytest.raises(Refused) as caught:
        over.moved(at(seconds), told)

    assert not over.takes_more
    assert caught.value.errors[0].code is UserErrorCode.CONFLICT
    assert reason.value.upper() in caught.value.errors[0].message


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("told", [None, *PlaybackState])
def test_a_session_that_silence_has_ended_goes_on_as_if_it_had_played(
    told: PlaybackState | None, place: int
) -> None:
    silent = session(STOPPED, PlaybackEnd.SILENT)

    moved = silent.moved(at((MIDDLE, CREDITS, LAST)[place]), told)

    assert silent.takes_more
    assert moved.state is (EXPECTED[told][place] or PLAYING)
    assert moved.active is (moved.state in {PLAYING, PAUSED, BUFFERING})


@pytest.mark.parametrize("reason", PlaybackEnd)
def test_an_end_says_when_and_why_and_where_it_stood(reason: PlaybackEnd) -> None:
    ended = session(PAUSED).ended(LATER, reason)

    assert ended.state is (ENDED if reason is FINISHED else STOPPED)
    assert (ended.ended_at, ended.end_reason, ended.position_seconds) == (LATER, reason, 10)


@pytest.mark.parametrize("reason", [None, *PlaybackEnd])
def test_a_session_is_the_same_once_it_was_read_from_the_log(reason: PlaybackEnd | None) -> None:
    there = session(PAUSED) if reason is None else session(PAUSED).ended(LATER, reason)

    assert to_session("a", of_session(there)) == there


@pytest.mark.parametrize(("state", "reason"), [(PAUSED, None), (STOPPED, BY_PLAYER), (ENDED, FINISHED)])
def test_entries_of_before_there_were_reasons_are_read(
    state: PlaybackState, reason: PlaybackEnd | None
) -> None:
    there = replace(session(state, reason), quality=PlaybackQuality.AUTO)
    old = of_session(there)
    del old["endReason"], old["quality"]

    assert to_session("a", old) == there
