"""Every way for one operation to reach the doors, and what they say to it."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import orjson
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from gateway.engine.documents import document_hash
from tests.gateway.serving import Shop

Carrier = Callable[[Shop, dict[str, Any]], Awaitable[dict[str, Any]]]
"""Sends a request (`query` and maybe `variables`); answers the response map.

Where a connection is closed instead, that is `errors` with the reason as the message.
"""


async def by_post(shop: Shop, request: dict[str, Any]) -> dict[str, Any]:
    return await _posted(shop, request, "application/json")


async def by_get(shop: Shop, request: dict[str, Any]) -> dict[str, Any]:
    parameters = {
        name: value if isinstance(value, str) else orjson.dumps(value).decode()
        for name, value in request.items()
    }
    async with httpx.AsyncClient(verify=False) as client:
        response = await client.get(shop.url, params=parameters)
    return _map(response.json())


async def in_a_batch(shop: Shop, request: dict[str, Any]) -> dict[str, Any]:
    """The last of two."""
    async with httpx.AsyncClient(verify=False) as client:
        response = await client.post(shop.url, json=[{"query": "{ caller }"}, request])
    answer = response.json()
    return _map(answer[1] if isinstance(answer, list) else answer)


async def as_events(shop: Shop, request: dict[str, Any]) -> dict[str, Any]:
    return await _posted(shop, request, "text/event-stream")


async def as_multipart(shop: Shop, request: dict[str, Any]) -> dict[str, Any]:
    return await _posted(shop, request, "multipart/mixed;subscriptionSpec=1.0")


async def by_websocket(shop: Shop, request: dict[str, Any]) -> dict[str, Any]:
    async with connect(shop.ws_url, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
        await socket.send('{"type":"connection_init"}')
        await socket.recv()
        await socket.send(orjson.dumps({"id": "1", "type": "subscribe", "payload": request}).decode())
        try:
            answer = orjson.loads(await socket.recv())
        except ConnectionClosed:
            return {"errors": [{"message": socket.close_reason, "extensions": {}}]}
    payload = answer["payload"]
    return {"errors": payload} if answer["type"] == "error" else _map(payload)


CARRIERS: dict[str, Carrier] = {
    "post": by_post,
    "get": by_get,
    "batch": in_a_batch,
    "events": as_events,
    "multipart": as_multipart,
    "websocket": by_websocket,
}


def _hashed(request: dict[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in request.items() if name != "query"}
    persisted = {"version": 1, "sha256Hash": document_hash(request["query"])}
    return rest | {"extensions": {"persistedQuery": persisted}}


def _named(request: dict[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in request.items() if name != "query"}
    return rest | {"documentId": f"sha256:{document_hash(request['query'])}"}


NAMES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "text": lambda request: request,
    "hash": _hashed,
    "id": _named,
}
"""How a request may name its document."""


async def _posted(shop: Shop, request: dict[str, Any], accept: str) -> dict[str, Any]:
    async with httpx.AsyncClient(verify=False) as client:
        response = await client.post(shop.url, json=request, headers={"accept": accept})
    if not response.headers["content-type"].startswith(("text/event-stream", "multipart/")):
        return _map(response.json())
    first = re.search(r"^(?:data: )?(\{.*\})\r?$", response.text, re.MULTILINE)
    assert first is not None
    answer = _map(orjson.loads(first[1]))
    return answer if answer.get("payload") is None else _map(answer["payload"])


def _map(value: Any) -> dict[str, Any]:
    assert isinstance(value, dict)
    return value
