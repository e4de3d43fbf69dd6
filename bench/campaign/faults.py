"""What is broken, one after the other."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bench.campaign.house import House
from bench.campaign.household import Households
from bench.campaign.wires import State

QUIET_SECONDS = 10.0
"""After which a fault counts as forgotten."""


class Broken(NamedTuple):
    """A fault that was, from its beginning until what it broke was whole again."""

    name: str
    began: float
    ended: float


def storms(began: float, until: float, broken: Sequence[Broken]) -> list[Broken]:
    """What was broken meanwhile, or had been shortly before."""
    return [fault for fault in broken if fault.began <= until and began <= fault.ended + QUIET_SECONDS]


def whole_seconds(began: float, until: float, broken: Sequence[Broken]) -> float:
    """How much of this time nothing was broken; faults come one after the other."""
    lost = (min(until, fault.ended) - max(began, fault.began) for fault in broken)
    return until - began - sum(seconds for seconds in lost if seconds > 0)


def since(at: float, broken: Sequence[Broken]) -> str:
    """What was broken last at this moment, in words."""
    fault = max((fault for fault in broken if fault.began <= at), key=lambda fault: fault.began, default=None)
    return "before any fault" if fault is None else f"{at - fault.began:.1f} s after {fault.name}"


@dataclass(frozen=True)
class Fault:
    """Something that can be broken and mended."""

    name: str
    breaks: Callable[[], Awaitable[None]]
    mends: Callable[[], Awaitable[None]]

    async def happen(self, seconds: float) -> Broken:
        """Breaks it for so long."""
        began = time.monotonic()
        await self.breaks()
        await asyncio.sleep(seconds)
        await self.mends()
        return Broken(self.name, began, time.monotonic())


def faults_of(house: House, households: Households) -> Sequence[Fault]:
    """Each part killed, each way cut, each way gone silent; and those killed that obey."""
    killed = [Fault(f"{name} killed", part.kill, part.start) for name, part in house.parts.items()]
    broken = [
        Fault(f"{name} {state.value}", _setting(house, name, state), _setting(house, name, State.WHOLE))
        for state in (State.CUT, State.SILENT)
        for name in house.wires
    ]
    return [*killed, *broken, Fault("televisions killed", households.kill, households.start)]


def _setting(house: House, name: str, state: State) -> Callable[[], Awaitable[None]]:
    async def put() -> None:
        house.wires[name].set(state)

    return put
