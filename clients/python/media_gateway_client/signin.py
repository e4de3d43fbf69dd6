"""Signing in on a device without a keyboard: a code that its user types in elsewhere (RFC 8628)."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx

from media_gateway_client.errors import Offline, Rejected

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
SCOPES = "read:content write:watchlist write:progress write:ratings write:devices playback:control"
SLOWER_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Code:
    """What the user is shown."""

    user_code: str
    address: str
    """Where to type it."""


async def sign_in(
    http: httpx.AsyncClient,
    client_id: str,
    show: Callable[[Code], None],
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> str:
    """An access token, once the user has let the device in; `Rejected` where they did not, or too late."""
    begun = await _post(http, "/oauth/device_authorization", {"client_id": client_id, "scope": SCOPES})
    if "device_code" not in begun:
        raise Rejected(begun.get("error_description", "The server lets no devices in."), begun.get("error"))
    show(Code(begun["user_code"], begun["verification_uri"]))
    seconds = float(begun.get("interval", SLOWER_SECONDS))
    told = {"grant_type": GRANT, "device_code": begun["device_code"], "client_id": client_id}
    while True:
        await pause(seconds)
        answer = await _post(http, "/oauth/token", told)
        match answer.get("error"):
            case None:
                return str(answer["access_token"])
            case "authorization_pending":
                continue
            case "slow_down":
                seconds += SLOWER_SECONDS
            case code:
                raise Rejected(answer.get("error_description", "The device was not let in."), code)


async def _post(http: httpx.AsyncClient, path: str, form: dict[str, str]) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = (await http.post(path, data=form)).json()
    except (httpx.TransportError, ValueError) as error:
        raise Offline(f"The server cannot be reached: {error}") from error
    return answer
