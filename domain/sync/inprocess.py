"""Fan-out and presence within one process."""

import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

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
        self._until: dict[str, float] = {}

    async def renew(self, device_id: str, seconds: float) -> None:
        self._until[device_id] = self._clock() + seconds

    async def leave(self, device_id: str) -> None:
        self._until.pop(device_id, None)

    async def online(self, device_ids: Sequence[str]) -> set[str]:
        now = self._clock()
        lapsed = [device for device, until in self._until.items() if until <= now]
        for device in lapsed:
            del self._until[device]
        return {device for device in device_ids if device in self._until}
