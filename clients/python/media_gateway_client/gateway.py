"""The server over HTTP: operations as POST, streams as server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from media_gateway_client.errors import Offline, Rejected, SignedOut
from media_gateway_client.replica import FRAGMENTS
from media_gateway_client.store import Operation

PUSH = """mutation Push($input: PushChangesInput!) { pushChanges(input: $input) {
  results { operationId fate userErrors { message code } } userErrors { message code } } }"""
REGISTER = """mutation Register($input: RegisterDeviceInput!) { registerDevice(input: $input) {
  device { id } userErrors { message code } } }"""
CHANGES = (
    """subscription Changes($after: String, $snapshot: Boolean!) {
  changes(after: $after, snapshot: $snapshot) {
  __typename
  ... on ProgressChanged { cursor progress { ...OfProgress } }
  ... on ViewingWithdrawn { cursor content { id } viewing }
  ... on WatchlistChanged { cursor content { id } entry { ...OfEntry } }
  ... on ReactionChanged { cursor reaction { ...OfReaction } }
  ... on TitleMarksChanged { cursor marks { ...OfMarks } }
  ... on DeviceChanged { cursor }
  ... on DeviceCommandChanged { cursor }
  ... on PlaybackChanged { cursor }
  ... on SnapshotBegan { cursor }
  ... on SnapshotEnded { cursor } } }"""
    + FRAGMENTS
)
SILENCE_SECONDS = 60.0
"""The server says that it is alive more often than this."""


@dataclass
class Gateway:
    """Fills `Server`. `http` has the server's address as its base."""

    http: httpx.AsyncClient
    token: str
    renew: Callable[[], Awaitable[str]] | None = None
    """Gets the next access token where one is not accepted any more; see `signin.refreshed`."""
    _renewing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def execute(self, document: str, **variables: Any) -> dict[str, Any]:
        """The data of one operation; `Offline`, `SignedOut` or `Rejected`."""
        token = self.token
        try:
            return await self._execute(document, variables)
        except SignedOut:
            await self._renew(token)
            return await self._execute(document, variables)

    async def _execute(self, document: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        body = {"query": document, "variables": variables}
        try:
            response = await self.http.post("/graphql", json=body, headers=self._headers("application/json"))
            answer = response.json()
        except (httpx.TransportError, ValueError) as error:
            raise Offline(f"The server cannot be reached: {error}") from error
        if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise Offline(f"The server answers {response.status_code}.")
        return _data(answer)

    async def register(self, name: str, kind: str, platform: str | None = None, **more: Any) -> str:
        """The id of this device; `deviceId` in `more` says that it was registered before."""
        given = {"name": name, "kind": kind, "platform": platform} | more
        payload = _payload(await self.execute(REGISTER, input=given))
        return str(payload["device"]["id"])

    async def push(
        self, device_id: str, operations: Sequence[Operation], settled_through: str | None
    ) -> Sequence[Mapping[str, Any]]:
        given = {
            "deviceId": device_id,
            "operations": [operation.input() for operation in operations],
            "settledThrough": settled_through,
        }
        results: Sequence[Mapping[str, Any]] = _payload(await self.execute(PUSH, input=given))["results"]
        return results

    async def changes(self, cursor: str | None) -> AsyncIterator[Mapping[str, Any]]:
        async for data in self.stream(CHANGES, after=cursor, snapshot=cursor is None):
            yield data["changes"]

    async def stream(self, document: str, **variables: Any) -> AsyncIterator[dict[str, Any]]:
        """The results of a subscription, until the server ends it; `Offline` where the way is cut."""
        token = self.token
        try:
            async for data in self._stream(document, variables):
                yield data
        except SignedOut:
            await self._renew(token)
            raise Offline("The token has lapsed; there is a fresh one.") from None

    async def _renew(self, lapsed: str) -> None:
        """The next token; whoever comes second finds it there. `SignedOut` where there is none."""
        async with self._renewing:
            if self.token != lapsed:
                return
            if self.renew is None:
                raise SignedOut("The token is not accepted any more.")
            self.token = await self.renew()

    async def _stream(self, document: str, variables: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        body = {"query": document, "variables": variables}
        try:
            async with self.http.stream(
                "POST",
                "/graphql",
                json=body,
                headers=self._headers("text/event-stream"),
                timeout=httpx.Timeout(10.0, read=SILENCE_SECONDS),
            ) as response:
                if not response.headers.get("content-type", "").startswith("text/event-stream"):
                    _data(json.loads(await response.aread()))
                    raise Offline(f"The server answers {response.status_code}.")
                async for event, data in _events(response.aiter_lines()):
                    if event == "complete":
                        return
                    yield _data(json.loads(data))
        except (httpx.TransportError, ValueError) as error:
            raise Offline(f"The stream broke off: {error}") from error

    def _headers(self, accept: str) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}", "accept": accept}


async def _events(lines: AsyncIterator[str]) -> AsyncIterator[tuple[str, str]]:
    """Name and data of each server-sent event; comments keep the connection alive."""
    name, data = "message", list[str]()
    async for line in lines:
        if not line:
            if data or name == "complete":
                yield name, "\n".join(data)
            name, data = "message", []
        elif line.startswith("event:"):
            name = line.removeprefix("event:").strip()
        elif line.startswith("data:"):
            data.append(line.removeprefix("data:").removeprefix(" "))


def _data(answer: Mapping[str, Any]) -> dict[str, Any]:
    for error in answer.get("errors") or ():
        code = error.get("extensions", {}).get("code")
        if code == "UNAUTHENTICATED":
            raise SignedOut(error["message"])
        if code in {"UNAVAILABLE", "TIMEOUT", "RATE_LIMITED", "INTERNAL"}:
            raise Offline(error["message"])
        raise Rejected(error["message"], code)
    data: dict[str, Any] = answer["data"]
    return data


def _payload(data: Mapping[str, Any]) -> dict[str, Any]:
    """The payload of the one mutation; `Rejected` where it was refused."""
    (payload,) = data.values()
    for error in payload["userErrors"]:
        raise Rejected(error["message"], error["code"])
    found: dict[str, Any] = payload
    return found
