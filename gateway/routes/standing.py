"""By which sign-in a WebSocket and its streams go on, and for how long."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import Any, Final, NamedTuple

from domain.platform.errors import Forbidden
from gateway.engine.lifetime import Lifetime
from gateway.routes.connection import PROOF, Connection, ContextOf, DoorOptions
from gateway.routes.cursors import Reached

RENEW_AHEAD_SECONDS: Final = 60.0
"""Before an access token lapses, for its client to bring the next."""
_NAMING: Final = frozenset({"authorization", "x-api-key", PROOF.lower()})

Say = Callable[[dict[str, Any]], Awaitable[None]]


class _Stream(NamedTuple):
    context: Any
    lifetime: Lifetime
    reached: Reached


class Standing:
    """Of one socket."""

    def __init__(self, context_of: ContextOf, options: DoorOptions, say: Say) -> None:
        """`say` sends the client a message."""
        self._context_of = context_of
        self._options = options
        self._say = say
        self._kept = ExitStack()
        self._streams: dict[str, _Stream] = {}
        self._asking: asyncio.Task[None] | None = None

    def begin(self, context: Any, over: Callable[[str], None]) -> None:
        """The socket is let in; `over` is called with the reason where its sign-in is ended."""
        self._context = context
        self._lifetime = self._kept.enter_context(self._options.lifetime_of(context))
        self._lifetime.tell(over)
        if self._lifetime.seconds_left is not None:
            self._asking = asyncio.create_task(self._ask_for_tokens(self._lifetime))

    def close(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
        self._kept.close()

    @contextmanager
    def stream(self, id_: str, context: Any) -> Iterator[tuple[Lifetime, Reached]]:
        """For how long a stream of the socket may run, and how far it has come; held while it runs."""
        with self._options.lifetime_of(context) as lifetime:
            reached = Reached(self._options.course_of(context))
            self._streams[id_] = stream = _Stream(context, lifetime, reached)
            try:
                yield lifetime, reached
            finally:
                if self._streams.get(id_) is stream:
                    del self._streams[id_]

    def reached(self) -> dict[str, Reached]:
        """How far each stream has come, by its id."""
        return {id_: stream.reached for id_, stream in self._streams.items()}

    async def renewed(self, connection: Connection, payload: dict[str, Any] | None) -> Connection | None:
        """The connection with the fresh access token in a payload, by which all that runs goes on; nothing
        where there is none. A GatewayError where the token is no good, or somebody else's. A token that is
        bound to a key comes with a proof.
        """
        token, proof = (payload or {}).get("accessToken"), (payload or {}).get(PROOF)
        if token is None:
            return None
        kept = {name: value for name, value in connection.parameters.items() if name.lower() not in _NAMING}
        named = {"Authorization": f"Bearer {token}"}
        if proof is not None:
            named = {"Authorization": f"DPoP {token}", PROOF: proof}
        connection = replace(connection, parameters={**kept, **named})
        context = await self._context_of(connection)
        with self._options.lifetime_of(context) as fresh:
            seconds = fresh.seconds_left
        streams = ((stream.context, stream.lifetime) for stream in self._streams.values())
        for known, lifetime in [(self._context, self._lifetime), *streams]:
            if not self._options.renew(known, context):
                raise Forbidden("The access token is of another sign-in")
            lifetime.renew(seconds)
        return connection

    async def _ask_for_tokens(self, lifetime: Lifetime) -> None:
        """Asks for the next access token shortly before the one at hand lapses."""
        with suppress(Exception):  # a socket that cannot be written to has ended
            while left := lifetime.seconds_left:
                ahead = min(RENEW_AHEAD_SECONDS, left / 2)
                await asyncio.sleep(left - ahead)
                left = lifetime.seconds_left or 0.0
                if left <= ahead:  # else another has come meanwhile
                    payload = {"needs": "accessToken", "secondsLeft": round(left)}
                    await self._say({"type": "ping", "payload": payload})
                    await asyncio.sleep(left)
