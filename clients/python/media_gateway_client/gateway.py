"""The server over HTTP: operations as POST, streams as server-sent events."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, cast

import httpx

from media_gateway_client.errors import Offline, Rejected, SignedOut
from media_gateway_client.operations import (
    DeviceKind,
    Operations,
    PushChangesInput,
    Refusal,
    RegisterDeviceInput,
)
from media_gateway_client.store import Operation

SILENCE_SECONDS = 30.0
"""A stream that says nothing for so long has broken; the server says every 12 seconds that it is alive."""


@dataclass
class Gateway(Operations):
    """Fills `Server`. `http` has the server's address as its base."""

    http: httpx.AsyncClient
    token: str
    renew: Callable[[], Awaitable[str]] | None = None
    """Gets the next access token where one is not accepted any more; see `signin.refreshed`."""
    milliseconds: int | None = None
    """By the server's clock, when it last answered."""
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
            self.milliseconds = _milliseconds(response.headers.get("date"))
        except (httpx.TransportError, ValueError) as error:
            raise Offline(f"The server cannot be reached: {error}") from error
        if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise Offline(f"The server answers {response.status_code}.")
        return _data(answer)

    async def register(self, name: str, kind: DeviceKind, platform: str | None = None, **more: Any) -> str:
        """The id of this device; `deviceId` in `more` says that it was registered before."""
        given = cast("RegisterDeviceInput", {"name": name, "kind": kind, "platform": platform} | more)
        payload = (await self.register_device(input=given))["registerDevice"]
        _accepted(payload["userErrors"])
        assert payload["device"] is not None  # noqa: S101 - there is one, or the reason why not
        return payload["device"]["id"]

    async def push(
        self, device_id: str, operations: Sequence[Operation], settled_through: str | None
    ) -> Sequence[Mapping[str, Any]]:
        given = cast(
            "PushChangesInput",
            {
                "deviceId": device_id,
                "operations": [operation.input() for operation in operations],
                "settledThrough": settled_through,
            },
        )
        payload = (await self.push_changes(input=given))["pushChanges"]
        _accepted(payload["userErrors"])
        return payload["results"]

    async def changes(self, cursor: str | None) -> AsyncIterator[Mapping[str, Any]]:
        async with aclosing(self.follow_changes(after=cursor, snapshot=cursor is None)) as events:
            async for data in events:
                yield data["changes"]

    async def stream(self, document: str, **variables: Any) -> AsyncGenerator[dict[str, Any], None]:
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
        extensions = error.get("extensions", {})
        code = extensions.get("code")
        if code == "UNAUTHENTICATED":
            raise SignedOut(error["message"])
        if code in {"UNAVAILABLE", "TIMEOUT", "RATE_LIMITED", "INTERNAL"}:
            raise Offline(error["message"], extensions.get("retryAfter", 0.0))
        raise Rejected(error["message"], code)
    data: dict[str, Any] = answer["data"]
    return data


def _milliseconds(date: str | None) -> int | None:
    """Of the `Date` of an answer."""
    try:
        return None if date is None else int(parsedate_to_datetime(date).timestamp() * 1000)
    except ValueError:
        return None


def _accepted(user_errors: Sequence[Refusal]) -> None:
    """Raises `Rejected` where a mutation was refused."""
    for error in user_errors:
        raise Rejected(error["message"], error["code"])
