"""What the doors know of a client, and what they are told about how to serve it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from random import getrandbits
from typing import Any, Final, NamedTuple

from starlette.types import Scope

from domain.platform.values import value
from gateway.engine.lifetime import Lifetime
from gateway.routes.cursors import Course
from gateway.routes.heads import Head, head_of
from gateway.routes.origins import Headers, Origins

PROOF: Final = "DPoP"
"""The parameter of `connection_init` that has a proof for the token beside it."""


@value
class Connection:
    """Where an operation comes from. Made once per HTTP request or WebSocket."""

    scheme: str
    """http, https, ws or wss."""
    headers: Mapping[str, str]
    """By lower-case name; repeated ones joined by commas."""
    client: str | None
    """The peer's address, as the server in front of us states it."""
    request_id: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """The payload of a WebSocket's `connection_init`."""
    method: str = "GET"
    """Of the HTTP request, or of the handshake."""
    path: str = ""
    proven: dict[str, str] = field(default_factory=dict)
    """The keys that the client has proven to hold, by the access token that each is bound to: a proof is good
    once, and one connection may carry many operations.
    """


ContextOf = Callable[[Connection], Awaitable[Any]]
"""Makes what one operation carries. A GatewayError refuses the caller."""


@dataclass(frozen=True, slots=True)
class DoorOptions:
    path: str = "/graphql"
    origins: Origins = field(default_factory=Origins)
    page: Callable[[], bytes] | None = None
    """The HTML that a browser gets at `path`; None where there is none."""
    page_policy: str = (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    """The Content-Security-Policy of that page."""
    lifetime_of: Callable[[Any], AbstractContextManager[Lifetime]] = lambda _: nullcontext(Lifetime())
    """For how long a subscription may run with this context; held while it runs."""
    caller_of: Callable[[Any], str | None] = lambda _: None
    """Whose operations these are, by the context; None for one known by its address alone."""
    course_of: Callable[[Any], Course | None] = lambda _: None
    """Where the stream of a context is, for its client to go on from elsewhere."""
    allowance_of: Callable[[Any], Headers] = lambda _: []
    """What an answer tells of what its caller may still ask, by the context that it was executed with."""
    renew: Callable[[Any, Any], bool] = lambda _context, _by: False
    """Lets a context go on as what a fresh token of its caller says; False where the token is another's."""
    naming: Sequence[str] = ("authorization",)
    """The headers of a request, in lower case, that say who asks."""
    varying: Sequence[str] = ()
    """Others that an answer depends on, beside those that the doors read themselves."""
    challenge: str = "Bearer"
    """What a client that is not let in is told of how to ask (RFC 9110, section 11.6.1)."""
    keep_alive_seconds: float = 12.0
    init_seconds: float = 10.0
    """For `connection_init` to arrive on a WebSocket."""
    send_seconds: float = 30.0
    """For a client to take one message of a stream; whoever stops reading for longer is let go."""
    disconnect_seconds: float = 0.1
    """After which a running query starts to look whether its client is still there."""
    compress_from_bytes: int = 1_024


class Arrival(NamedTuple):
    """What is known of a request or handshake before its body is read."""

    head: Head
    connection: Connection


def arrival_of(scope: Scope) -> Arrival:
    """The same for all who ask."""
    state: dict[str, Any] | None = scope.get("state")
    if state is None:  # some servers leave it to us to begin it
        state = scope["state"] = {}
    found: Arrival | None = state.get("arrival")
    if found is None:
        head, client = head_of(scope), scope.get("client")
        connection = Connection(
            scope["scheme"],
            head.headers,
            client[0] if client else None,
            # Nobody is trusted for knowing one, so it need not be unguessable.
            head.request_id or f"{getrandbits(128):032x}",
            method=scope.get("method", "GET"),
            path=scope["path"],
        )
        found = state["arrival"] = Arrival(head, connection)
    return found


def connection_of(scope: Scope) -> Connection:
    return arrival_of(scope).connection
