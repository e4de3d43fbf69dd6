"""What is broken, one after the other."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bench.campaign.house import House
from bench.campaign.wires import State


class Broken(NamedTuple):
    """A fault that was, from its beginning until what it broke was whole again."""

    name: str
    began: float
    ended: float


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


def faults_of(house: House) -> Sequence[Fault]:
    """Each part killed, each way cut, each way gone silent."""
    killed = [Fault(f"{name} killed", part.kill, part.start) for name, part in house.parts.items()]
    broken = [
        Fault(f"{name} {state.value}", _setting(house, name, state), _setting(house, name, State.WHOLE))
        for state in (State.CUT, State.SILENT)
        for name in house.wires
    ]
    return [*killed, *broken]


def _setting(house: House, name: str, state: State) -> Callable[[], Awaitable[None]]:
    async def put() -> None:
        house.wires[name].set(state)

    return put
