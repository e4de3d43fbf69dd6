"""Fan-out and presence within one process."""

import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from domain.sync.devices import HEARTBEAT
from domain.sync.journal import Mailbox
from domain.sync.model import Change

INBOX_CAPACITY = 256


class LocalFanout:
    """Fills `Fanout` for the listeners of this process."""

    def __init__(self) -> None:
        self._boxes: defaultdict[str, set[Mailbox]] = defaultdict(set)

    async def publish(self, changes: list[Change]) -> None:
        self.deliver(changes)

    def deliver(self, changes: list[Change]) -> None:
        for change in changes:
            for box in self._boxes.get(change.account_id, ()):
                box.put(change)

    def nudge(self, account_ids: Sequence[str]) -> None:
        """Sends the listeners of these accounts to the log."""
        for account_id in account_ids:
            for box in self._boxes.get(account_id, ()):
                box.put(None)

    @property
    def accounts(self) -> list[str]:
        """Those with a listener."""
        return list(self._boxes)

    @asynccontextmanager
    async def listen(self, account_id: str) -> AsyncIterator[Mailbox]:
        box = Mailbox(INBOX_CAPACITY)
        self._boxes[account_id].add(box)
        try:
            yield box
        finally:
            self._boxes[account_id].discard(box)
            if not self._boxes[account_id]:
                del self._boxes[account_id]


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
