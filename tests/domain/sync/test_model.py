from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.sync.clock import Timestamp
from domain.sync.model import (
    CommandState,
    DeviceCommand,
    WatchProgress,
    mostly_watched,
    reaches_the_end,
)

AT = datetime(2026, 3, 1, tzinfo=UTC)


def progress(clock: int, device: str, position: int = 100, *, completed: bool = False) -> WatchProgress:
    return WatchProgress(1, 1, position, 1000, completed, Timestamp(clock, device), device, AT)


@st.composite
def states(draw: st.DrawFn) -> WatchProgress:
    """Few versions, so that two writes often share one, as those of a broken client do."""
    clock, device = draw(st.integers(0, 2)), draw(st.sampled_from(["phone", "tv"]))
    return progress(clock, device, position=draw(st.integers(0, 3)), completed=draw(st.booleans()))


@given(states(), states(), states())
def test_progress_merges_the_same_in_any_order(a: WatchProgress, b: WatchProgress, c: WatchProgress) -> None:
    merged = {first.merge(second).merge(third) for first, second, third in permutations((a, b, c))}

    assert merged == {a.merge(b.merge(c))}


@given(states(), states())
def test_merging_progress_again_changes_nothing(a: WatchProgress, b: WatchProgress) -> None:
    merged = a.merge(b)

    assert merged.merge(a) == merged
    assert merged.merge(b) == merged
    assert a.merge(a) == a


@given(states(), states())
def test_merged_progress_is_the_later_position_and_completion_of_either(
    a: WatchProgress, b: WatchProgress
) -> None:
    merged = a.merge(b)

    assert merged.version == max(a.version, b.version)
    assert merged.completed == (a.completed or b.completed)


def test_the_device_decides_between_equal_clocks() -> None:
    assert progress(5, "tv", 200).merge(progress(5, "phone", 100)).position_seconds == 200
    assert progress(5, "phone", 100).merge(progress(5, "tv", 200)).position_seconds == 200


@pytest.mark.parametrize(
    ("position", "duration", "ends"),
    [
        (949, 1000, False),
        (950, 1000, True),
        (95, 100, True),
        (94, 100, False),
        (0, 0, False),
        (1, 1, True),
        (6_839_999, 7_200_000, False),
        (6_840_000, 7_200_000, True),
    ],
)
def test_a_title_is_completed_at_95_percent(position: int, duration: int, *, ends: bool) -> None:
    assert reaches_the_end(position, duration) is ends


@pytest.mark.parametrize(
    ("position", "duration", "closing", "ends"),
    [
        (899, 1000, 100, False),
        (900, 1000, 100, True),
        (750, 1000, 250, True),
        (949, 1000, 251, False),  # those of another cut
        (950, 1000, 251, True),
        (949, 1000, 20, False),  # who comes to 95 % has seen enough all the same
        (950, 1000, 20, True),
        (100, 120, 600, False),
        (0, 0, 10, False),
    ],
)
def test_a_title_is_completed_where_its_closing_credits_begin(
    position: int, duration: int, closing: int, *, ends: bool
) -> None:
    assert reaches_the_end(position, duration, closing) is ends


@pytest.mark.parametrize(("position", "mostly"), [(899, False), (900, True), (1000, True)])
def test_most_of_a_title_is_90_percent(position: int, *, mostly: bool) -> None:
    assert mostly_watched(position, 1000) is mostly
    assert not mostly_watched(position, 0)


@given(st.integers(1, 7 * 86_400), st.none() | st.integers(0, 7 * 86_400))
def test_a_viewing_is_finished_at_95_percent_or_where_its_credits_begin(
    duration: int, closing: int | None
) -> None:
    last = -(-95 * duration // 100)
    if closing is not None and 4 * closing <= duration:
        last = min(last, duration - closing)

    assert reaches_the_end(last, duration, closing)
    assert not reaches_the_end(last - 1, duration, closing)


@pytest.mark.parametrize(("position", "resume"), [(0, 0), (29, 0), (30, 30), (949, 949)])
def test_what_is_hardly_begun_is_resumed_at_the_start(position: int, resume: int) -> None:
    assert progress(1, "tv", position).resume_seconds == resume


def test_what_is_finished_is_resumed_at_the_start() -> None:
    assert progress(1, "tv", 960, completed=True).resume_seconds == 0


def test_a_fraction_is_of_the_duration() -> None:
    assert progress(1, "tv", 250).fraction == 0.25
    assert replace(progress(1, "tv", 250), duration_seconds=0).fraction == 0.0


@pytest.mark.parametrize(
    ("state", "seconds", "shown"),
    [
        (CommandState.QUEUED, 4.999, CommandState.QUEUED),
        (CommandState.QUEUED, 5, CommandState.EXPIRED),
        (CommandState.DELIVERED, 5, CommandState.EXPIRED),
        (CommandState.ACKNOWLEDGED, 5, CommandState.EXPIRED),
        (CommandState.EXECUTED, 60, CommandState.EXECUTED),
        (CommandState.FAILED, 60, CommandState.FAILED),
    ],
)
def test_a_command_that_nobody_answered_expires(
    state: CommandState, seconds: float, shown: CommandState
) -> None:
    command = DeviceCommand("c", "d", "play", {}, state, AT, AT + timedelta(seconds=5))

    assert command.at(AT + timedelta(seconds=seconds)).state is shown
