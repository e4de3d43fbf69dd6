"""Rotation of the keys that tokens are signed with.

A new key is published, signs once every verifier can know it, and the key before it goes when the last of its
tokens has lapsed. Several processes may try at once: they take turns, and who comes second finds it done.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from domain.identity.audit import SYSTEM, Action, Actor, Audit
from domain.identity.keys import SigningKeys, cleared, extended


class KeyRing(Protocol):
    """Where the keys lie, as the text of a JWK Set, the latest first."""

    async def read(self) -> str: ...

    async def write(self, text: str) -> None: ...


class Schedule(NamedTuple):
    """When keys come and go, in seconds."""

    every: int
    """For how long a key signs; 0 for as long as nobody rotates by hand."""
    ahead: int
    """For how long it is published before."""
    overlap: int
    """For how long it verifies after; longer than any token holds."""


@dataclass(frozen=True)
class KeyRotation:
    """Adds keys and drops them, on record."""

    ring: KeyRing
    take_turn: Callable[[], Awaitable[object]]
    """Waits until no other process rotates, until the end of the transaction."""
    schedule: Schedule
    audit: Audit
    now: Callable[[], datetime]

    async def run(self) -> int:
        """Does what is due; answers how many keys came and went. Raises `OSError` where a file cannot be
        written, and `KeyMaterialError`.
        """
        if not self._due(await self.ring.read()):
            return 0
        async with self.audit.writing():
            await self.take_turn()
            text = await self.ring.read()
            added = 0
            if self._outdated(text):
                text, _ = await self._add(
                    text, SigningKeys.of(text).keys[0].algorithm, self.schedule.ahead, SYSTEM
                )
                added = 1
            text, gone = await self._clear(text, self.schedule.overlap, SYSTEM)
            if added or gone:
                await self.ring.write(text)
        return added + gone

    async def rotate(self, algorithm: str, ahead: int, overlap: int, by: Actor) -> str:
        """A new key now, whatever the schedule says; answers its id."""
        async with self.audit.writing():
            await self.take_turn()
            text, kid = await self._add(await self.ring.read(), algorithm, ahead, by)
            text, _ = await self._clear(text, overlap, by)
            await self.ring.write(text)
        return kid

    def _due(self, text: str) -> bool:
        return self._outdated(text) or bool(cleared(text, self._seconds(), self.schedule.overlap)[1])

    def _outdated(self, text: str) -> bool:
        every, ahead, _ = self.schedule
        return every > 0 and self._seconds() + ahead >= SigningKeys.of(text).keys[0].signs_from + every

    async def _add(self, text: str, algorithm: str, ahead: int, by: Actor) -> tuple[str, str]:
        text, kid = extended(text, algorithm, self._seconds() + ahead)
        signs_from = datetime.fromtimestamp(self._seconds() + ahead, self.now().tzinfo).isoformat()
        told = {"algorithm": algorithm, "signs_from": signs_from}
        await self.audit.record(by, Action.SIGNING_KEY_ADDED, kid, after=told)
        return text, kid

    async def _clear(self, text: str, overlap: int, by: Actor) -> tuple[str, int]:
        text, gone = cleared(text, self._seconds(), overlap)
        for kid in gone:
            await self.audit.record(by, Action.SIGNING_KEY_RETIRED, kid)
        return text, len(gone)

    def _seconds(self) -> int:
        return int(self.now().timestamp())
