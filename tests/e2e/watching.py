"""A device as a process of its own: `watching.py URL TOKEN FILE CONTENT FIRST`.

Until it is killed it watches one viewing after the other, prints DID and the viewing once its user could see
that it was done, and SENDING before each request. With 0 as FIRST it only sends what is left.
"""

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from media_gateway_client import Gateway, Operation, Store, Synchroniser, watched

VIEWINGS = 400


def say(*words: object) -> None:
    sys.stdout.write(f"{' '.join(map(str, words))}\n")
    sys.stdout.flush()


@dataclass
class Telling:
    """The way to the server, which says before each request that it sends one."""

    gateway: Gateway

    @property
    def milliseconds(self) -> int | None:
        return self.gateway.milliseconds

    async def push(
        self, device_id: str, operations: Sequence[Operation], settled_through: str | None
    ) -> Sequence[Mapping[str, Any]]:
        say("SENDING", len(operations))
        return await self.gateway.push(device_id, operations, settled_through)

    def changes(self, cursor: str | None) -> Any:
        return self.gateway.changes(cursor)


async def live(url: str, token: str, file: Path, content: str, first: int) -> None:
    async with httpx.AsyncClient(base_url=url) as http:
        gateway = Gateway(http, token)
        store = Store(file, lambda: time.time_ns() // 1_000_000)
        if store.device_id is None:
            store.name(await gateway.register("TV", "TV"))
        synchroniser = Synchroniser(store, Telling(gateway))
        for viewing in range(first, first + VIEWINGS if first else 0):
            store.do(watched(content, viewing, 40, 1000))
            say("DID", viewing)
            if viewing % 20 == 0:
                await synchroniser.push()
        await synchroniser.push()
        say("EMPTY", len(store))


if __name__ == "__main__":
    asyncio.run(live(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4], int(sys.argv[5])))
