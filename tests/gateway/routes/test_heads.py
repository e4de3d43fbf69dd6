"""Heads of requests: what they say, and which of them are kept."""

import pytest

from gateway.routes import heads
from gateway.routes.connection import arrival_of
from gateway.routes.heads import MOST_BYTES_OF_ONE, MOST_HEADS, head_of


def scope(*headers: tuple[str, str]) -> dict[str, object]:
    pairs = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    return {"type": "http", "scheme": "http", "method": "POST", "path": "/graphql", "headers": pairs}


def test_what_comes_again_is_not_read_again() -> None:
    agent = ("user-agent", "one that comes again")

    assert head_of(scope(agent)) is head_of(scope(agent))
    assert head_of(scope(agent)) is not head_of(scope(agent, ("accept", "application/json")))


@pytest.mark.parametrize(
    "name", ["x-request-id", "traceparent", "dpop", "sec-websocket-key", "last-event-id"]
)
def test_what_does_not_come_again_is_not_kept(name: str) -> None:
    asked = scope((name, "1"))

    assert head_of(asked) is not head_of(asked)
    assert head_of(asked).headers == {name: "1"}


def test_large_ones_are_not_kept_and_others_only_so_many() -> None:
    large = scope(("cookie", "a" * MOST_BYTES_OF_ONE))
    assert head_of(large) is not head_of(large)

    for number in range(2 * MOST_HEADS):
        head_of(scope(("user-agent", f"agent {number}")))
    assert len(heads._HEADS) <= MOST_HEADS


def test_repeated_headers_are_joined() -> None:
    told = head_of(scope(("accept", "text/html"), ("x", "1"), ("accept", "application/json"))).headers

    assert told == {"accept": "text/html, application/json", "x": "1"}


@pytest.mark.parametrize(
    ("stated", "read"),
    [
        ("12", 12),
        ("0" * 5_000 + "12", 12),
        ("9" * 5_000, 10**18),
        ("-1", 0),
        ("1e3", 0),
        ("", 0),
    ],
)
def test_the_length_of_a_body_is_what_is_stated_or_more_than_anybody_sends(stated: str, read: int) -> None:
    assert head_of(scope(("content-length", stated))).body_bytes == read


@pytest.mark.parametrize(
    ("content_type", "is_json"),
    [
        ("application/json", True),
        ("Application/JSON; Charset=UTF-8", True),
        ("application/json; charset=latin-1", False),
        ("text/plain", False),
        ("", False),
    ],
)
def test_a_body_is_json_only_where_it_says_so(content_type: str, is_json: bool) -> None:  # noqa: FBT001
    assert head_of(scope(("content-type", content_type))).is_json is is_json


@pytest.mark.parametrize(
    ("accept", "whole"),
    [
        ("application/json", True),
        ("application/graphql-response+json, application/json;q=0.9", True),
        ("multipart/mixed;deferSpec=20220824, application/json", False),
        ("text/event-stream", False),
    ],
)
def test_an_answer_in_one_piece_is_all_that_most_want(accept: str, whole: bool) -> None:  # noqa: FBT001
    assert head_of(scope(("accept", accept))).takes_whole is whole


def test_all_who_ask_for_an_arrival_are_given_the_same_and_each_request_its_own_id() -> None:
    first, second = scope(("accept", "application/json")), scope(("accept", "application/json"))

    assert arrival_of(first) is arrival_of(first)
    assert arrival_of(first).head is arrival_of(second).head
    assert arrival_of(first).connection.request_id != arrival_of(second).connection.request_id


@pytest.mark.parametrize(
    ("sent", "taken"), [("abc-1", True), ("a\nb", False), ("a" * 129, False), ("", False)]
)
def test_a_request_id_is_taken_over_where_it_can_be_logged(sent: str, taken: bool) -> None:  # noqa: FBT001
    assert (arrival_of(scope(("x-request-id", sent))).connection.request_id == sent) is taken
