"""From a connection to its caller."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime
from typing import Final, NamedTuple

from domain.identity.api_keys import is_api_key
from domain.identity.model import ANONYMOUS, Caller
from domain.identity.revocations import REASONS, Revocations
from domain.platform.errors import Unauthenticated
from gateway.engine.lifetime import Lifetime
from gateway.routes.connection import Connection
from resolvers.context import Context

KEY_HEADER: Final = "x-api-key"
TOKEN_HEADER: Final = "authorization"  # noqa: S105 - its name
NAMING: Final = (TOKEN_HEADER, KEY_HEADER)
"""The headers that say who asks."""


class Presented(NamedTuple):
    """An access token as it was sent; `bound` says that its client claims to hold a key (RFC 9449)."""

    token: str
    bound: bool


Shown = tuple[str | None, str | None]
"""What a connection says of who asks, word for word, as `Authorization` and as `X-API-Key`."""
Check = Callable[[Connection, Presented, Caller], Awaitable[None]]


def shown_by(connection: Connection) -> Shown:
    """What `connection_init` says counts before the headers, as it is the application that says it; raises
    `Unauthenticated` where that is no text, or said twice.
    """
    if connection.parameters:
        shown = _parameter(connection, TOKEN_HEADER), _parameter(connection, KEY_HEADER)
        if shown != (None, None):
            return shown
    return connection.headers.get(TOKEN_HEADER) or None, connection.headers.get(KEY_HEADER) or None


async def caller_of(
    connection: Connection,
    identify: Callable[[str], Awaitable[Caller]],
    identify_key: Callable[[str], Awaitable[Caller]],
    check: Check | None = None,
) -> Caller:
    """Whom the connection's token or API key stands for, nobody without one; raises `Unauthenticated` for a
    bad one, and where it says both, and whatever `check` raises of a token.

    A key comes in `X-API-Key`, or where a token would stand.
    """
    authorization, key = shown_by(connection)
    if key is not None:
        if authorization is not None:
            raise Unauthenticated("Send an access token or an API key, not both.", error="invalid_request")
        return await identify_key(key.strip(" "))
    if authorization is None:
        return ANONYMOUS
    presented = _presented(authorization)
    if is_api_key(presented.token):
        return await identify_key(presented.token)
    caller = await identify(presented.token)
    if check is not None:
        await check(connection, presented, caller)
    return caller


def lifetime_of(
    now: Callable[[], datetime], revocations: Callable[[], Revocations]
) -> Callable[[Context], AbstractContextManager[Lifetime]]:
    """For how long a stream of a context may run: as long as its token holds and its session stands."""

    @contextmanager
    def lifetime(context: Context) -> Iterator[Lifetime]:
        caller = context.caller
        left = None if caller.expires_at is None else max(0.0, (caller.expires_at - now()).total_seconds())
        found = Lifetime(left)
        with ExitStack() as watching:
            for name in (caller.session_id, caller.key_id, caller.account_id, caller.token_id):
                if name is not None:
                    watch = revocations().watching(name, lambda end: found.end(REASONS[end]))
                    watching.enter_context(watch)
            yield found

    return lifetime


def _parameter(connection: Connection, wanted: str) -> str | None:
    found = [value for name, value in connection.parameters.items() if name.lower() == wanted]
    if len(found) > 1 or not all(value is None or isinstance(value, str) for value in found):
        raise _malformed(wanted)
    return (found[0] or None) if found else None


def _presented(authorization: str) -> Presented:
    """The token of `Bearer …` (RFC 6750, section 2.1) or `DPoP …`."""
    scheme, _, token = authorization.partition(" ")
    token = token.strip(" ")
    if scheme.lower() not in {"bearer", "dpop"} or not token or " " in token:
        raise _malformed(TOKEN_HEADER)
    return Presented(token, bound=scheme.lower() == "dpop")


def _malformed(name: str) -> Unauthenticated:
    how = (
        "the API key as `X-API-Key: mg_live_…`"
        if name == KEY_HEADER
        else "the access token as `Authorization: Bearer …`"
    )
    return Unauthenticated(f"Send {how}.", error="invalid_request")
