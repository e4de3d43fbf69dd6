import json

import orjson
import pytest

from domain.platform.errors import BadInput
from gateway.engine.limits import Guard, Limit, Limits
from gateway.engine.requests import OperationRequest, read_json, read_operation


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b'"\xff"',
        b'{"query": "\\ud800"}',
        b"NaN",
        b"1e999",
        b"1" * 10_000,
        nested(65),
        nested(500),
        nested(100_000),
        b'{"a": [' * 40 + b"]}" * 40,
    ],
)
def test_what_is_no_sane_json_is_bad_input(raw: bytes) -> None:
    with pytest.raises(BadInput):
        read_json(raw, Limits())


def test_json_may_be_nested_as_deep_as_the_limit() -> None:
    assert read_json(nested(64), Limits()) == json.loads(nested(64))


def test_many_shallow_brackets_are_not_deep() -> None:
    assert read_json(b"[" + b"[[]]," * 200 + b"[]]", Limits()) == [[[]]] * 200 + [[]]


def test_a_byte_order_mark_is_ignored() -> None:
    assert read_json(b'\xef\xbb\xbf{"a": 1}', Limits()) == {"a": 1}


def test_a_request_is_read_with_all_its_parts() -> None:
    parameters = {
        "query": "{a}",
        "operationName": "A",
        "variables": {"x": 1},
        "extensions": {"y": 2},
        "id": 3,
    }

    assert read_operation(parameters, Guard()) == OperationRequest("{a}", "A", {"x": 1}, {"y": 2})


def test_an_empty_operation_name_is_none() -> None:
    assert read_operation({"query": "{a}", "operationName": ""}, Guard()).operation_name is None


@pytest.mark.parametrize(
    ("parameters", "word"),
    [
        ([], "object"),
        ({"documentId": 1}, "documentId"),
        ({"documentId": ""}, "query"),
        ({"query": "{a}", "documentId": "x"}, "not both"),
        ({"extensions": {"other": {}}}, "query"),
        ("{a}", "object"),
        (None, "object"),
        ({}, "query"),
        ({"query": None}, "query"),
        ({"query": ""}, "query"),
        ({"query": 1}, "query"),
        ({"query": ["{a}"]}, "query"),
        ({"query": "{a}", "variables": []}, "variables"),
        ({"query": "{a}", "variables": "{}"}, "variables"),
        ({"query": "{a}", "operationName": 1}, "operationName"),
        ({"query": "{a}", "extensions": []}, "extensions"),
        ({"query": "{a}", "extensions": 0}, "extensions"),
    ],
)
def test_a_part_of_the_wrong_type_is_named(parameters: object, word: str) -> None:
    with pytest.raises(BadInput, match=word):
        read_operation(parameters, Guard())


def test_large_variables_are_refused() -> None:
    limits = Limits(max_variables_bytes=100)
    parameters = {"query": "{a}", "variables": {"x": "y" * 100}}

    with pytest.raises(BadInput, match="variables bytes"):
        read_operation(orjson.loads(orjson.dumps(parameters)), Guard(limits))


@pytest.mark.parametrize(
    ("variables", "refused"),
    [
        ({"x": [0] * 5}, False),
        ({"x": [0] * 6}, True),
        ({"x": {"y": [[], [{"z": [0] * 6}]]}}, True),
        ({"x": [[0] * 5, [0] * 5]}, False),
        ({"x": ",,,,,,,,,,"}, False),
    ],
)
def test_a_long_list_anywhere_in_the_variables_is_refused(
    variables: dict[str, object], *, refused: bool
) -> None:
    guard = Guard(Limits(max_list_items=5))
    parameters = {"query": "{a}", "variables": variables}

    if not refused:
        assert read_operation(parameters, guard).variables == variables
        return
    with pytest.raises(BadInput) as refusal:
        read_operation(parameters, guard)
    assert refusal.value.extensions == {"limit": "list_items", "maximum": 5, "actual": 6}


def test_a_limit_that_warns_lets_variables_pass() -> None:
    guard = Guard(Limits(max_list_items=5, warn_only=frozenset({Limit.LIST_ITEMS})))

    assert read_operation({"query": "{a}", "variables": {"x": [0] * 6}}, guard).variables == {"x": [0] * 6}


@pytest.mark.parametrize("parameters", [{"documentId": "x"}, {"extensions": {"persistedQuery": {}}}])
def test_a_document_may_be_named_instead_of_sent(parameters: dict[str, object]) -> None:
    request = read_operation(parameters, Guard())

    assert (request.query, request.document_id) == ("", parameters.get("documentId"))
