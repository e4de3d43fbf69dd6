"""Whole HTTP answers, and the exceptions that end a request with one."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, Final

from domain.platform.errors import ErrorCode, GatewayError
from domain.platform.values import value
from gateway.engine.results import OperationResult
from gateway.routes.negotiation import JSON
from gateway.routes.origins import Headers

NO_CONTENT: Final = 204
NOT_MODIFIED: Final = 304
CLOSE: Final = (b"connection", b"close")
NO_STORE: Final = (b"cache-control", b"no-store")

STATUSES: Final = {
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.STEP_UP_REQUIRED: 403,
    ErrorCode.DOCUMENT_NOT_TRUSTED: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.TIMEOUT: 504,
    ErrorCode.UNAVAILABLE: 503,
    ErrorCode.INTERNAL: 500,
}


@value
class Reply:
    status: int
    body: bytes = b""
    content_type: str | None = None
    """Without charset; UTF-8 is added."""
    headers: Headers = field(default_factory=list)
    caching: tuple[tuple[bytes, bytes], ...] = (NO_STORE,)
    """The headers for caches."""


class ClientLeft(Exception):
    """The client closed its connection before the answer."""


class HttpRefused(GatewayError):
    """The request breaks HTTP's or the door's own rules."""

    code = ErrorCode.BAD_USER_INPUT

    def __init__(
        self,
        status: int,
        message: str,
        headers: Sequence[tuple[bytes, bytes]] = (),
        *,
        close: bool = False,
        **extensions: Any,
    ) -> None:
        super().__init__(message, **extensions)
        self.status = status
        self.headers = [*headers, CLOSE] if close else list(headers)


def status_of(result: OperationResult, content_type: str) -> int:
    """Of https://graphql.github.io/graphql-over-http/draft/#sec-Status-Codes.

    With application/json a client looks into the body for what is wrong with its document, so that is 200.
    """
    code = result.code
    if code is None:
        return 200
    return STATUSES.get(code, 200 if content_type == JSON else 400)


def result_headers(result: OperationResult) -> Headers:
    """What a client is to know of a result that was not executed, beside its status."""
    if result.code is not ErrorCode.RATE_LIMITED:
        return []
    return rate_headers(result.errors[0]["extensions"])


def rate_headers(told: Mapping[str, Any]) -> Headers:
    """What the extensions of RATE_LIMITED tell, as headers: those of draft-ietf-httpapi-ratelimit-headers
    where a rate was exceeded and not a budget.
    """
    seconds = told.get("retryAfter")
    if seconds is None:
        return []
    headers = [(b"retry-after", str(seconds).encode())]
    if (limit := told.get("limit")) is not None and (window := told.get("windowSeconds")) is not None:
        headers.append((b"ratelimit-policy", f'"requests";q={limit};w={window}'.encode()))
        headers.append((b"ratelimit", f'"requests";r=0;t={seconds}'.encode()))
    return headers


def refusal_headers(error: GatewayError, challenge: str) -> Headers:
    if isinstance(error, HttpRefused):
        return error.headers
    if error.code is ErrorCode.UNAUTHENTICATED:
        headers = [(b"www-authenticate", _challenge(error, challenge).encode("latin-1"))]
        nonce = error.extensions.get("dpopNonce")
        return headers if nonce is None else [*headers, (b"dpop-nonce", str(nonce).encode())]
    return rate_headers(error.extensions)


def _challenge(error: GatewayError, challenge: str) -> str:
    """With the kind of error where a token was sent (RFC 6750, section 3.1)."""
    kind = error.extensions.get("error")
    if kind is None:
        return challenge
    if "dpop" in kind:  # RFC 9449, section 7.1
        return f'{challenge}, DPoP error="{kind}"'
    separator = ", " if "=" in challenge else " "
    return f'{challenge}{separator}error="{kind}"'
