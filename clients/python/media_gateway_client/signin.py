"""Signing in on a device without a keyboard: a code that its user types in elsewhere (RFC 8628)."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from media_gateway_client.errors import Offline, Rejected, SignedOut

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
SCOPES = (
    "read:content read:watchlist read:progress read:ratings read:devices "
    "write:watchlist write:progress write:ratings write:devices playback:control"
)
"""What `Gateway` and `Synchroniser` need; the client has to be registered with as much."""
SLOWER_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Code:
    """What the user is shown."""

    user_code: str
    address: str
    """Where to type it."""
    complete: str
    """The address with the code, for a QR code."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What lets the device in, and what gets the next of it where the server gives that."""

    access: str = field(repr=False)
    refresh: str | None = field(default=None, repr=False)


async def sign_in(
    http: httpx.AsyncClient,
    client_id: str,
    show: Callable[[Code], None],
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Tokens:
    """Tokens, once the user has let the device in; `Rejected` where they did not, or too late."""
    begun = await _post(http, "/oauth/device_authorization", {"client_id": client_id, "scope": SCOPES})
    if "device_code" not in begun:
        raise Rejected(begun.get("error_description", "The server lets no devices in."), begun.get("error"))
    address = begun["verification_uri"]
    show(Code(begun["user_code"], address, begun.get("verification_uri_complete", address)))
    seconds = float(begun.get("interval", SLOWER_SECONDS))
    told = {"grant_type": GRANT, "device_code": begun["device_code"], "client_id": client_id}
    while True:
        await pause(seconds)
        answer = await _post(http, "/oauth/token", told)
        match answer.get("error"):
            case None:
                return _tokens(answer)
            case "authorization_pending":
                continue
            case "slow_down":
                seconds += SLOWER_SECONDS
            case code:
                raise Rejected(answer.get("error_description", "The device was not let in."), code)


async def refreshed(http: httpx.AsyncClient, client_id: str, tokens: Tokens) -> Tokens:
    """The next tokens; `SignedOut` where there are none, as the user has ended the sign-in."""
    if tokens.refresh is None:
        raise SignedOut("The sign-in has ended.")
    told = {"grant_type": "refresh_token", "refresh_token": tokens.refresh, "client_id": client_id}
    answer = await _post(http, "/oauth/token", told)
    if "access_token" not in answer:
        raise SignedOut(answer.get("error_description", "The sign-in has ended."))
    return _tokens(answer)


def _tokens(answer: dict[str, Any]) -> Tokens:
    return Tokens(str(answer["access_token"]), answer.get("refresh_token"))


async def _post(http: httpx.AsyncClient, path: str, form: dict[str, str]) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = (await http.post(path, data=form)).json()
    except (httpx.TransportError, ValueError) as error:
        raise Offline(f"The server cannot be reached: {error}") from error
    return answer
