"""Callers as they were recognised a moment ago: most requests show the token or key of the one before."""

import time
from collections.abc import Callable
from typing import Final, NamedTuple

from domain.identity.api_keys import ApiKeys
from domain.identity.model import ANONYMOUS, Caller
from domain.identity.sessions import Sessions
from gateway.authentication import KEY_HEADER, TOKEN_HEADER, Check, Shown, caller_of, shown_by
from gateway.routes.connection import Connection

REMEMBERED_SECONDS: Final = 1.0
"""With `FRESH_SECONDS` of accounts no more than the five seconds in which each change counts."""
MOST: Final = 4_096
NOBODY: Final[Shown] = (None, None)


class _Known(NamedTuple):
    caller: Caller
    version: int
    until: float


class Recognition:
    """Finds the callers of connections.

    Who was found is remembered for a second, but for no longer than nothing is known to have changed: nothing
    revoked, nothing written here, no other signing key. Who proves something for each request (DPoP) is not.
    """

    def __init__(
        self, sessions: Sessions, keys: ApiKeys, check: Check, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._sessions = sessions
        self._keys = keys
        self._check = check
        self._clock = clock
        self._known: dict[Shown, _Known] = {}

    async def caller_of(self, connection: Connection) -> Caller:
        """Whom the connection's token or API key stands for; raises `Unauthenticated`."""
        if connection.parameters:
            shown = shown_by(connection)
        else:  # the same with less around it, as most say who they are by a header, or not at all
            found = connection.headers.get
            shown = found(TOKEN_HEADER), found(KEY_HEADER)
        if shown == NOBODY:
            return ANONYMOUS
        sessions, now = self._sessions, self._clock()
        # Another one whenever something became known by which a caller may be another, or nobody.
        version = (
            sessions.revocations.version
            + sessions.recent.version
            + sessions.clients.version
            + sessions.tokens.keys.generation
        )
        known = self._known.get(shown)
        if known is not None and known.version == version and now < known.until:
            return known.caller
        caller = await caller_of(connection, self._sessions.identify, self._keys.identify, self._check)
        if caller.key_thumbprint is None and not caller.anonymous:
            self._remember(shown, _Known(caller, version, now + self._seconds(caller)))
        return caller

    def _remember(self, shown: Shown, known: _Known) -> None:
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[shown] = known

    def _seconds(self, caller: Caller) -> float:
        if caller.expires_at is None:
            return REMEMBERED_SECONDS
        return min(REMEMBERED_SECONDS, (caller.expires_at - self._sessions.now()).total_seconds())
