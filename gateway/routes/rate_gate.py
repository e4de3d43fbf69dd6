"""Routes that may only be asked so often: counted before anything else is done, and told in every answer.

The headers are those of draft-ietf-httpapi-ratelimit-headers, beside `Retry-After` (RFC 9110).
"""

import base64
import binascii
import math
from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import unquote_plus

import orjson
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.identity.limits import RateLimits
from domain.platform.rates import Verdict
from gateway.routes.forms import message

PREFIX: Final = "/oauth/"
NAMES: Final = {"device_authorization": "device", "device": "device_page"}
"""Of endpoints that are not called what their path is."""
_TOO_MANY: Final = 429
_MAX_CLIENT: Final = 200


def limited(routes: Iterable[BaseRoute], limits: Callable[[], RateLimits]) -> list[BaseRoute]:
    """The same routes, those below `/oauth/` behind a gate; `limits` answers those that are open."""
    found = []
    for route in routes:
        if isinstance(route, Route) and route.path.startswith(PREFIX):
            route.app = RateGate(route.app, endpoint_of(route.path), limits)
        found.append(route)
    return found


def endpoint_of(path: str) -> str:
    """`oauth.token` for `/oauth/token`."""
    name = path.removeprefix(PREFIX).replace("/", "-")
    return f"oauth.{NAMES.get(name, name)}"


class RateGate:
    """Counts each request, by the address it comes from and the client it says it is."""

    def __init__(self, app: ASGIApp, endpoint: str, limits: Callable[[], RateLimits]) -> None:
        self._app = app
        self._endpoint = endpoint
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS":  # asks what may be asked, and does nothing
            await self._app(scope, receive, send)
            return
        peer = scope.get("client")
        found = await self._limits().take(
            self._endpoint, peer[0] if peer else None, who=client_in(Headers(scope=scope))
        )
        if not found.allowed:
            await self._refusal(Request(scope), found)(scope, receive, send)
            return

        async def told(sent: Message) -> None:
            if sent["type"] == "http.response.start":
                MutableHeaders(scope=sent).update(rate_headers(found))
            await send(sent)

        await self._app(scope, receive, told)

    def _refusal(self, request: Request, found: Verdict) -> Response:
        seconds = max(1, math.ceil(found.retry_seconds))
        headers = {**rate_headers(found), "retry-after": str(seconds), "cache-control": "no-store"}
        if "text/html" in request.headers.get("accept", ""):
            page = message(request, "page.too_often", _TOO_MANY, seconds=seconds)
            page.headers.update(headers)
            return page
        body = {
            "error": "rate_limit_exceeded",
            "error_description": f"Too many requests: try again in {seconds} seconds.",
            "retry_after": seconds,
        }
        return Response(orjson.dumps(body), _TOO_MANY, headers, "application/json")


def rate_headers(found: Verdict) -> dict[str, str]:
    """What is left of the rate that is nearest to its end, and when all of it is back."""
    rate, reset = found.rate, math.ceil(found.reset_seconds)
    return {
        "ratelimit-policy": f'"requests";q={rate.burst};w={math.ceil(rate.tolerance)}',
        "ratelimit": f'"requests";r={found.remaining};t={reset}',
    }


def client_in(headers: Headers) -> str | None:
    """The client id that a request claims by Basic authentication (RFC 6749, section 2.3.1)."""
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name = base64.b64decode(encoded, validate=True).decode().partition(":")[0]
    except (binascii.Error, ValueError):
        return None
    return unquote_plus(name)[:_MAX_CLIENT] or None
