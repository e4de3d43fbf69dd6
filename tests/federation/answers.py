"""Answers as bytes that can be compared, whichever server wrote them."""

import re
from typing import Any

import httpx
import orjson

from resolvers.ids import decode
from tests.e2e.server import ANSWER_SECONDS, Client

OWN = {"Account", "Device", "DeviceCommand", "PlaybackSession"}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MEASURED = {"tookMs"}
"""How long it took; no two answers are alike in it."""


def canonical(answer: Any) -> bytes:
    """Keys in order, and numbers as JavaScript writes them (RFC 8785), where 1.0 is 1; what was measured is
    left out.
    """
    return orjson.dumps(_plain(answer), option=orjson.OPT_SORT_KEYS)


def refusals(answer: dict[str, Any]) -> list[tuple[str, str, list[str | int] | None]]:
    """The codes, messages and paths of the errors."""
    return [
        (error["extensions"]["code"], error["message"], error.get("path"))
        for error in answer.get("errors", ())
    ]


class Numbered:
    """Takes out of answers what is new in every run, by the order in which it is met: an account's own ids,
    its times, tokens and cursors.
    """

    def __init__(self) -> None:
        self._met: dict[str, int] = {}

    def __call__(self, value: Any, key: str = "") -> Any:
        match value:
            case dict():
                return {name: self(inner, name) for name, inner in value.items()}
            case list():
                return [self(inner, key) for inner in value]
            case str() if key.endswith("At"):
                return "a time"
            case str() if key in {"accessToken", "version"} or key.lower().endswith("cursor"):
                return f"a {key}"
            case str() if UUID.fullmatch(value) or ((found := decode(value)) and found.type in OWN):
                return f"{key} {self._met.setdefault(value, len(self._met))}"
        return value


async def events(client: Client, document: str, count: int, **variables: Any) -> list[Any]:
    """The first events of a subscription, over SSE."""
    found: list[Any] = []
    headers = {"accept": "text/event-stream", "authorization": f"Bearer {client.token}"}
    body = {"query": document, "variables": variables}
    async with (
        httpx.AsyncClient(timeout=ANSWER_SECONDS, verify=False) as http,
        http.stream("POST", f"{client.server.url}/graphql", json=body, headers=headers) as response,
    ):
        assert response.headers["content-type"].startswith("text/event-stream"), await response.aread()
        async for line in response.aiter_lines():
            if line.startswith("data: "):
                found.append(orjson.loads(line.removeprefix("data: ")))
            if len(found) == count:
                break
    return found


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {name: _plain(inner) for name, inner in value.items() if name not in MEASURED}
        case list():
            return [_plain(inner) for inner in value]
        case float() if value.is_integer():
            return int(value)
    return value
