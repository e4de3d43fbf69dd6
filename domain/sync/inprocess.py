"""Fan-out and presence within one process."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from domain.sync.devices import HEARTBEAT
from domain.sync.journal import Mailbox
from domain.sync.model import Change

INBOX_CAPACITY = 256


@dataclass(slots=True)
class _Listeners:
    """Of one account."""

    boxes: set[Mailbox] = field(default_factory=set)
    told: int = 0
    """The highest number that they were told."""


class LocalFanout:
    """Fills `Fanout` for the listeners of this process.

    `unsure` is set where messages may have been lost, for somebody to look into the log.
    """

    def __init__(
        self, capacity: int = INBOX_CAPACITY, delayed: Callable[[float], None] = lambda _: None
    ) -> None:
        """`capacity` is how many changes wait for one listener at most; `delayed` hears how many seconds
        after it was written a listener got each.
        """
        self._capacity = capacity
        self._delayed = delayed
        self._listeners: dict[str, _Listeners] = {}
        self.unsure = asyncio.Event()

    async def publish(self, changes: list[Change]) -> None:
        self.deliver(changes)

    def deliver(self, changes: list[Change]) -> None:
        for change in changes:
            listeners = self._listeners.get(change.account_id)
            if listeners is not None:
                listeners.told = max(listeners.told, change.seq)
                for box in listeners.boxes:
                    box.put(change)

    def point(self, account_id: str, seq: int) -> bool:
        """Says that the account's log has reached this number; whether that was news to its listeners."""
        listeners = self._listeners.get(account_id)
        if listeners is None or listeners.told >= seq:
            return False
        listeners.told = seq
        for box in listeners.boxes:
            box.point(seq)
        return True

    @property
    def accounts(self) -> list[str]:
        """Those with a listener."""
        return list(self._listeners)

    @property
    def count(self) -> int:
        """How many listen."""
        return sum(len(listeners.boxes) for listeners in self._listeners.values())

    def _taken(self, change: Change) -> None:
        if change.written_at is not None:
            # Another process may have another clock.
            self._delayed(max(0.0, time.time() - change.written_at))

    @asynccontextmanager
    async def listen(self, account_id: str) -> AsyncIterator[Mailbox]:
        box = Mailbox(self._capacity, taken=self._taken)
        listeners = self._listeners.setdefault(account_id, _Listeners())
        listeners.boxes.add(box)
        try:
            yield box
        finally:
            listeners.boxes.discard(box)
            if not listeners.boxes:
                del self._listeners[account_id]


class LocalPresence:
    """Fills `Presence` for the devices that talk to this process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._leases: dict[str, dict[str, float]] = {}
        """Until when each holder's lasts, by device; the device renewed longest ago comes first."""

    async def renew(self, device_id: str, seconds: float, holder: str = HEARTBEAT) -> None:
        held = self._leases.pop(device_id, {})
        self._leases[device_id] = held | {holder: self._clock() + seconds}
        while not self._stands(oldest := next(iter(self._leases))):
            del self._leases[oldest]

    async def renew_all(self, holders: Mapping[str, str], seconds: float) -> None:
        for device_id, holder in holders.items():
            await self.renew(device_id, seconds, holder)

    async def leave(self, device_id: str, *holders: str) -> None:
        held = self._leases.pop(device_id, {})
        left = {holder: until for holder, until in held.items() if holders and holder not in holders}
        if left:
            self._leases[device_id] = left

    async def online(self, device_ids: Sequence[str]) -> set[str]:
        return {device for device in device_ids if self._stands(device)}

    def _stands(self, device_id: str) -> bool:
        now = self._clock()
        return any(until > now for until in self._leases.get(device_id, {}).values())
