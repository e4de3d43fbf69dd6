"""Places of a list that is sorted by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.platform.errors import Refused
from domain.sync.ordering import DIGITS, MAX_PLACE, between, checked, place_of

places = st.text(DIGITS, min_size=1, max_size=12).filter(lambda text: not text.endswith("0"))


@given(st.lists(places, min_size=2, max_size=2, unique=True))
def test_there_is_a_place_between_any_two(pair: list[str]) -> None:
    low, high = sorted(pair)

    middle = between(low, high)

    assert low < middle < high
    assert checked(middle) == middle


@given(places)
def test_there_is_a_place_before_the_first_and_behind_the_last(place: str) -> None:
    assert checked(between(None, place)) < place < checked(between(place, None))


def test_an_empty_list_has_a_place() -> None:
    assert checked(between(None, None))


@given(places, places)
def test_neighbours_in_the_wrong_order_have_none_between(one: str, other: str) -> None:
    with pytest.raises(ValueError, match="ahead"):
        between(max(one, other), min(one, other))


@given(st.lists(st.integers(0, 100), max_size=60))
def test_titles_inserted_one_after_another_keep_the_order_they_were_given(indices: list[int]) -> None:
    kept: list[str] = []
    for index in indices:
        at = min(index, len(kept))
        new = between(kept[at - 1] if at else None, kept[at] if at < len(kept) else None)
        kept.insert(at, new)

    assert kept == sorted(set(kept))


@pytest.mark.parametrize("first", [True, False])
def test_a_thousand_titles_fit_between_the_same_two(*, first: bool) -> None:
    low, high = "1", "2"
    for _ in range(1000):
        middle = between(low, high)
        low, high = (low, middle) if first else (middle, high)

    assert len(middle) <= MAX_PLACE


@given(st.integers(0, (1 << 47) - 1), st.integers(0, (1 << 47) - 1))
def test_what_nobody_moved_stands_in_the_order_of_addition(one: int, other: int) -> None:
    assert (place_of(one) < place_of(other)) == (one < other)
    assert checked(place_of(one))


@pytest.mark.parametrize("text", ["", "0", "a0", "a b", "é", "a" * (MAX_PLACE + 1), "a\n"])
def test_other_texts_are_no_places(text: str) -> None:
    with pytest.raises(Refused):
        checked(text)
