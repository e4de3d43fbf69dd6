"""Ships the outbox: in order per key, at least once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

BATCH = 500
VERSION = 1


@dataclass(frozen=True, slots=True)
class Parcel:
    """An event on its way out; consumers drop the ids they have seen."""

    id: str
    topic: str
    key: str
    at: datetime
    payload: dict[str, Any]

    def envelope(self) -> dict[str, Any]:
        """How every event of this system looks from outside."""
        return {
            "id": self.id,
            "type": self.topic,
            "version": VERSION,
            "time": self.at.isoformat(),
            "key": self.key,
            "data": self.payload,
        }


class Carrier(Protocol):
    """Brings parcels out; returns once all have arrived, raises where one did not."""

    async def __call__(self, parcels: Sequence[Parcel]) -> None: ...


class Outbox(Protocol):
    """The events that wait."""

    async def ship(self, limit: int, carrier: Carrier) -> int:
        """Hands the oldest to `carrier` and marks them, one process at a time; how many there were.

        What the carrier raises leaves them waiting.
        """
        ...

    async def forget(self, shipped_before: datetime, waiting_before: datetime | None) -> int:
        """Drops what was shipped long ago, and, without a carrier, what waited for long."""
        ...


KEEP_SHIPPED = timedelta(days=1)
KEEP_WAITING = timedelta(days=30)


@dataclass(frozen=True)
class Relay:
    """Empties the outbox; without a carrier it only keeps it from growing for ever."""

    outbox: Outbox
    carrier: Carrier | None

    async def run(self) -> int:
        """Ships all that waits; how many events left."""
        shipped = 0
        while self.carrier is not None:
            moved = await self.outbox.ship(BATCH, self.carrier)
            shipped += moved
            if moved < BATCH:
                break
        return shipped

    async def tidy(self, now: datetime) -> int:
        waiting = None if self.carrier is not None else now - KEEP_WAITING
        return await self.outbox.forget(now - KEEP_SHIPPED, waiting)
