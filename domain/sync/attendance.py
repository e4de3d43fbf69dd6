"""Devices are there for as long as any of their streams is open."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from domain.platform.errors import GatewayError, Refused
from domain.sync.devices import HEARTBEAT, Devices
from domain.sync.model import Device


@dataclass(eq=False)
class Stay:
    """A device from its first open stream in this process until its last.

    It has a lease of its own: the late end of a broken stream must not take a device offline that is back,
    here or at another process.
    """

    account_id: str
    device_id: str
    holder: str
    arrival: "asyncio.Task[Device]"
    streams: int = 0


class Attendance:
    """Of one process. All leases are renewed together, so that ten thousand cost a few statements."""

    def __init__(self, devices: Devices) -> None:
        self._devices = devices
        self._stays: dict[tuple[str, str], Stay] = {}
        self._renewing: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def of(self, account_id: str, device_id: str) -> AsyncIterator[None]:
        """A stream of the device is open for as long as the block runs; `Refused` where there is no such."""
        stay = self._stay(account_id, device_id)
        stay.streams += 1
        try:
            await asyncio.shield(stay.arrival)
            yield
        finally:
            stay.streams -= 1
            if not stay.streams:
                await self._end(stay)

    def _stay(self, account_id: str, device_id: str) -> Stay:
        stay = self._stays.get((account_id, device_id))
        if stay is None:
            holder = self._devices.new_id()
            arrival = asyncio.create_task(self._devices.heartbeat(account_id, device_id, holder))
            stay = self._stays[account_id, device_id] = Stay(account_id, device_id, holder, arrival)
            if self._renewing is None:
                self._renewing = asyncio.create_task(self._renew())
        return stay

    async def _end(self, stay: Stay) -> None:
        self._drop(stay)
        with suppress(GatewayError, Refused):
            await stay.arrival
            await self._devices.leave(stay.account_id, stay.device_id, stay.holder, HEARTBEAT)

    def _drop(self, stay: Stay) -> None:
        key = stay.account_id, stay.device_id
        if self._stays.get(key) is stay:
            del self._stays[key]
        if not self._stays and self._renewing is not None:
            self._renewing.cancel()
            self._renewing = None

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._devices.heartbeat_seconds)
            stays = {stay.device_id: stay for stay in self._stays.values() if stay.arrival.done()}
            holders = {device_id: stay.holder for device_id, stay in stays.items()}
            with suppress(GatewayError):  # the next time is soon enough
                for device_id in await self._devices.renew(holders):
                    self._drop(stays[device_id])
