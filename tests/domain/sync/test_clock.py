from collections.abc import Iterator
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.platform.errors import BadInput, Refused, UserErrorCode
from domain.sync.clock import (
    COUNTER_BITS,
    MAX_AHEAD_MILLISECONDS,
    MAX_COUNTER,
    MAX_MILLISECONDS,
    HybridClock,
    Timestamp,
)
from media_gateway_client.clock import tick

clocks = st.integers(0, (MAX_MILLISECONDS << COUNTER_BITS) + MAX_COUNTER)
devices = st.from_regex(r"[\w.:-]{1,64}", fullmatch=True)
timestamps = st.builds(Timestamp, clocks, devices)


class Wall:
    """A wall clock that says what it is told to."""

    def __init__(self, *times: int) -> None:
        self._times: Iterator[int] = iter(times)
        self.last = 0

    def __call__(self) -> int:
        self.last = next(self._times, self.last)
        return self.last


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=50))
def test_ticks_rise_whatever_the_wall_clock_does(times: list[int]) -> None:
    clock = HybridClock("server", Wall(*times))

    ticks = [clock.tick() for _ in times]

    assert ticks == sorted(set(ticks))
    assert all(tick.milliseconds >= max(times[: index + 1]) for index, tick in enumerate(ticks))


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=50))
def test_a_devices_clock_never_goes_back_whatever_its_wall_clock_does(times: list[int]) -> None:
    clocks = list(accumulate(times, tick, initial=0))

    assert clocks == sorted(set(clocks))
    assert all(clock >> COUNTER_BITS >= time for clock, time in zip(clocks[1:], times, strict=True))


@given(st.lists(st.integers(1000, 2000), min_size=1, max_size=20), st.lists(clocks, min_size=1, max_size=20))
def test_a_tick_is_after_what_was_seen(times: list[int], seen: list[int]) -> None:
    clock = HybridClock("server", Wall(*times))

    for other in seen:
        assert clock.tick(Timestamp(other, "phone")).clock > other


def test_what_one_device_claims_does_not_date_the_writes_of_others() -> None:
    clock = HybridClock("server", Wall(1000))
    ahead = clock.receive(Timestamp((1000 + MAX_AHEAD_MILLISECONDS) << COUNTER_BITS, "phone"))
    clock.tick(ahead)

    assert clock.tick().milliseconds == 1000


def test_a_full_counter_borrows_a_millisecond() -> None:
    clock = HybridClock("server", Wall(1000))
    full = Timestamp((1000 << COUNTER_BITS) + MAX_COUNTER, "phone")

    assert clock.tick(full) == Timestamp(1001 << COUNTER_BITS, "server")


def test_more_ticks_than_a_counter_holds_within_one_millisecond_still_rise() -> None:
    clock = HybridClock("server", Wall(1000))

    ticks = [clock.tick().clock for _ in range(MAX_COUNTER + 10)]

    assert ticks == list(range(1000 << COUNTER_BITS, (1000 << COUNTER_BITS) + MAX_COUNTER + 10))


@given(st.integers(-100_000, 100_000) | st.sampled_from([MAX_AHEAD_MILLISECONDS + n for n in (-1, 0, 1)]))
def test_a_clock_is_taken_up_to_a_minute_ahead_and_refused_beyond(ahead: int) -> None:
    clock = HybridClock("server", Wall(200_000))
    told = Timestamp((200_000 + ahead) << COUNTER_BITS, "phone")

    if ahead <= 60_000:
        assert clock.receive(told) is told
    else:
        with pytest.raises(Refused) as refusal:
            clock.receive(told)
        assert refusal.value.errors[0].code is UserErrorCode.CLOCK_AHEAD


@given(timestamps)
def test_a_timestamp_comes_back_from_its_text(timestamp: Timestamp) -> None:
    assert Timestamp.parse(str(timestamp)) == timestamp


@given(timestamps, timestamps)
def test_timestamps_are_in_the_order_of_clock_and_device(left: Timestamp, right: Timestamp) -> None:
    assert (left < right) == ((left.clock, left.device) < (right.clock, right.device))
    assert (left <= right) == (left < right or left == right)
    assert (max(left, right) == left) == (not left < right)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "phone",
        "019a000000000000",
        "019a000000000000@",
        "019A000000000000@phone",
        "019a000000000000@two words",
        "019a000000000000@phone\n",
        "019a00000000000@phone",
        "ffff000000000000@phone",
        "800000000000ffff@phone",
        "019a000000000000@" + "x" * 65,
        "019a000000000000@nul\0",
        5,
        None,
    ],
)
def test_what_is_no_version_is_refused(text: object) -> None:
    with pytest.raises(BadInput):
        Timestamp.parse(text)


def test_the_greatest_clock_fits_a_bigint() -> None:
    assert Timestamp.parse("7fffffffffffffff@phone").clock == (1 << 63) - 1
