"""One operation as a client asks for it, whichever way it came in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from domain.platform.errors import BadInput
from gateway.engine.limits import Limits

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class OperationRequest:
    """The parameters of https://graphql.github.io/graphql-over-http/draft/#sec-Request-Parameters."""

    query: str
    operation_name: str | None = None
    variables: dict[str, Any] | None = None
    extensions: dict[str, Any] | None = None


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


def read_operation(parameters: Any, limits: Limits) -> OperationRequest:
    """The request in a decoded JSON value; BadInput tells which part has the wrong type."""
    if isinstance(parameters, list):
        raise BadInput("Batches are not supported: send one operation per request.")
    if not isinstance(parameters, dict):
        raise BadInput('The request must be a JSON object such as {"query": "{ __typename }"}.')
    query = parameters.get("query")
    if query is None or query == "":
        raise BadInput('The parameter "query" is missing.')
    if not isinstance(query, str):
        raise BadInput('The parameter "query" must be a string.')
    name = parameters.get("operationName")
    if name is not None and not isinstance(name, str):
        raise BadInput('The parameter "operationName" must be a string or null.')
    variables = _object(parameters, "variables")
    _refuse_large(variables, limits)
    return OperationRequest(query, name or None, variables, _object(parameters, "extensions"))


def _object(parameters: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    value = parameters.get(name)
    if value is None or isinstance(value, dict):
        return value
    raise BadInput(f'The parameter "{name}" must be an object or null.')


def _refuse_large(variables: dict[str, Any] | None, limits: Limits) -> None:
    if variables and len(orjson.dumps(variables)) > limits.max_variables_bytes:
        raise BadInput(f"The variables are too large; {limits.max_variables_bytes:,} bytes are allowed.")


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
