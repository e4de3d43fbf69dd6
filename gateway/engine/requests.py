"""One operation as a client asks for it, whichever way it came in."""

from collections.abc import Mapping
from typing import Any

import orjson

from domain.platform.errors import BadInput
from domain.platform.values import value
from gateway.engine.limits import Guard, Limit, Limits

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@value
class OperationRequest:
    """The parameters of https://graphql.github.io/graphql-over-http/draft/#sec-Request-Parameters."""

    query: str = ""
    """Empty where the document is named by its id or hash."""
    operation_name: str | None = None
    variables: dict[str, Any] | None = None
    extensions: dict[str, Any] | None = None
    document_id: str | None = None
    """Of https://graphql.github.io/graphql-over-http/draft/#sec-Persisted-Document-Request-Parameters."""


def read_json(raw: bytes, limits: Limits) -> Any:
    """The value in `raw`, or BadInput for what is not JSON in UTF-8 or is nested too deeply."""
    try:
        value = orjson.loads(raw.removeprefix(_BYTE_ORDER_MARK))
    except orjson.JSONDecodeError as error:
        raise BadInput(f"This is not JSON in UTF-8: {error}.") from None
    # Brackets in strings count too, so this only ever spares the walk.
    if raw.count(b"{") + raw.count(b"[") > limits.max_json_depth:
        _refuse_deep(value, limits.max_json_depth)
    return value


def read_operation(parameters: Any, guard: Guard) -> OperationRequest:
    """The request in a decoded JSON value; BadInput tells which part has the wrong type."""
    if not isinstance(parameters, dict):
        raise BadInput('The request must be a JSON object such as {"query": "{ __typename }"}.')
    document_id = _text(parameters, "documentId")
    query = _text(parameters, "query")
    extensions = _object(parameters, "extensions")
    if query and document_id:
        raise BadInput('Send either "query" or "documentId", not both.')
    if not (query or document_id or (extensions and "persistedQuery" in extensions)):
        raise BadInput('The parameter "query" is missing.')
    variables = _object(parameters, "variables")
    if variables:
        _check_variables(variables, guard)
    name = _text(parameters, "operationName")
    return OperationRequest(query or "", name, variables, extensions, document_id)


def _text(parameters: Mapping[str, Any], name: str) -> str | None:
    """An empty text is none."""
    value = parameters.get(name)
    if value is None or isinstance(value, str):
        return value or None
    raise BadInput(f'The parameter "{name}" must be a string or null.')


def _object(parameters: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    value = parameters.get(name)
    if value is None or isinstance(value, dict):
        return value
    raise BadInput(f'The parameter "{name}" must be an object or null.')


def _check_variables(variables: dict[str, Any], guard: Guard) -> None:
    raw = orjson.dumps(variables)
    guard.check(Limit.VARIABLES_BYTES, len(raw))
    # Commas in strings and objects count too, so this only ever spares the walk.
    if raw.count(b",") >= guard.limits.max_list_items:
        guard.check(Limit.LIST_ITEMS, _longest_list(variables))


def _longest_list(value: Any) -> int:
    longest = 0
    waiting = [value]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, list):
            longest = max(longest, len(inner))
        children = inner.values() if isinstance(inner, dict) else inner
        waiting.extend(child for child in children if isinstance(child, dict | list))
    return longest


def _refuse_deep(value: Any, maximum: int) -> None:
    level = [value]
    for _ in range(maximum):
        level = [
            child
            for parent in level
            if isinstance(parent, dict | list)
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
        if not level:
            return
    if any(isinstance(value, dict | list) for value in level):
        raise BadInput(f"The JSON is nested too deeply; {maximum} levels are allowed.")
