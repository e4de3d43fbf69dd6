"""Which sessions ended before the access tokens of them lapse, as every process knows it within a second.

Whoever ends a session writes it into one record. Each process looks there several times a second and keeps
what it found in memory, so that a request asks nobody, and open streams are told at once.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from domain.identity.model import SessionEnd
from domain.platform.errors import GatewayError

log = structlog.get_logger(__name__)

LOOK_EVERY_SECONDS = 0.3
ANSWER_SECONDS = 0.5
"""With `LOOK_EVERY_SECONDS` less than a second: so late may a process learn of an end."""
FORGET_EVERY_SECONDS = 60.0

REASONS: Final = {
    SessionEnd.SIGNED_OUT: "You have signed out of this session.",
    SessionEnd.REVOKED: "This session was ended from another one of yours.",
    SessionEnd.PASSWORD_CHANGED: "The password was changed: sign in with the new one.",
    SessionEnd.EMAIL_CHANGED: "The e-mail address was changed: sign in with the new one.",
    SessionEnd.DEVICE_REMOVED: "This device was removed from the account: sign in again.",
    SessionEnd.SUSPENDED: "This account is suspended.",
    SessionEnd.CLOSED: "This account was closed.",
    SessionEnd.ADMINISTRATOR: "An administrator has ended this session.",
    SessionEnd.REPLAYED: "A token of this session was used twice, so it was ended: sign in again.",
}
"""In words for whoever held the session."""

Told = Callable[[SessionEnd], None]


@dataclass(frozen=True, slots=True)
class Revocation:
    """Access tokens that name `id` (a session, a token) count no more; the last lapses at `until`."""

    id: str
    end: SessionEnd
    until: datetime


class RevocationRecord(Protocol):
    """What was revoked, by whichever process."""

    async def news(self) -> Sequence[Revocation]:
        """What was written since the last call, some of it again; on the first, all that still counts."""
        ...


class Revocations:
    """What one process knows of the record, and who wants to be told."""

    def __init__(self, record: RevocationRecord, now: Callable[[], datetime]) -> None:
        self._record = record
        self._now = now
        self._known: dict[str, Revocation] = {}
        self._watchers: defaultdict[str, list[Told]] = defaultdict(list)
        self._forget_at = now()
        self.version = 0
        """Another one whenever more is known."""

    def end_of(self, *ids: str | None) -> SessionEnd | None:
        """Why one of these does not count any more; nothing while all do."""
        for id_ in ids:
            if id_ in self._known:
                return self._known[id_].end
        return None

    def add(self, revocations: Sequence[Revocation]) -> None:
        """Takes note, and tells who watches."""
        for revocation in revocations:
            if revocation.id not in self._known:
                self._known[revocation.id] = revocation
                self.version += 1
                for told in list(self._watchers.get(revocation.id, ())):
                    told(revocation.end)

    @contextmanager
    def watching(self, id_: str, told: Told) -> Iterator[None]:
        """Calls `told` once if `id_` is revoked meanwhile, or was so before."""
        self._watchers[id_].append(told)
        try:
            if id_ in self._known:
                told(self._known[id_].end)
            yield
        finally:
            self._watchers[id_].remove(told)
            if not self._watchers[id_]:
                del self._watchers[id_]

    async def look(self) -> None:
        """Reads the record's news; raises `GatewayError` or `TimeoutError` where it does not answer."""
        async with asyncio.timeout(ANSWER_SECONDS):
            self.add(await self._record.news())
        self._forget()

    async def run(self) -> None:
        """Looks until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_SECONDS)
            try:
                await self.look()
            except (GatewayError, TimeoutError) as error:
                log.warning("revocations.unknown", error=str(error))
            except Exception:
                # As where the table is missing while migrations go down and up.
                log.exception("revocations.unreadable")

    def _forget(self) -> None:
        now = self._now()
        if now < self._forget_at:
            return
        self._forget_at = now + timedelta(seconds=FORGET_EVERY_SECONDS)
        self._known = {id_: known for id_, known in self._known.items() if now < known.until}
