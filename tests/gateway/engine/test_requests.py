import json

import orjson
import pytest

from domain.platform.errors import BadInput
from gateway.engine.limits import Limits
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

    assert read_operation(parameters, Limits()) == OperationRequest("{a}", "A", {"x": 1}, {"y": 2})


def test_an_empty_operation_name_is_none() -> None:
    assert read_operation({"query": "{a}", "operationName": ""}, Limits()).operation_name is None


@pytest.mark.parametrize(
    ("parameters", "word"),
    [
        ([], "Batches"),
        ([{"query": "{a}"}], "Batches"),
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
        read_operation(parameters, Limits())


def test_large_variables_are_refused() -> None:
    limits = Limits(max_variables_bytes=100)
    parameters = {"query": "{a}", "variables": {"x": "y" * 100}}

    with pytest.raises(BadInput, match="100 bytes"):
        read_operation(orjson.loads(orjson.dumps(parameters)), limits)
