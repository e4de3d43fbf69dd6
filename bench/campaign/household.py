"""Households of the campaign: two televisions and a remote control that share an account."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import httpx

from bench.campaign.fleet import open_account
from bench.campaign.remote import Remote
from bench.campaign.television import Television
from media_gateway_client import Gateway

TELEVISIONS = 2
CAPABILITIES = {"remoteControllable": True, "canCast": True}
PATIENCE_SECONDS = 10.0
FIRST_SECONDS = 60.0


@dataclass
class Households:
    """All of them; the death of any task within is that of `tasks`."""

    tasks: asyncio.TaskGroup
    remotes: list[Remote] = field(default_factory=list)
    _living: list["asyncio.Task[None]"] = field(default_factory=list)
    _watching: list["asyncio.Task[None]"] = field(default_factory=list)

    async def start(self) -> None:
        """The televisions, on what lies on their disks."""
        self._living = [
            self.tasks.create_task(television.live())
            for remote in self.remotes
            for television in remote.televisions
        ]

    async def kill(self) -> None:
        """The televisions: what they were about is not finished."""
        await _end(self._living)

    def watch(self) -> None:
        self._watching = [self.tasks.create_task(remote.watch()) for remote in self.remotes]

    async def press(self, rate: float, seed: int) -> None:
        """So many buttons a second, of all remote controls, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for number, remote in enumerate(self.remotes):
                pause = len(self.remotes) / rate
                tasks.create_task(_press(remote, pause, Random(f"{seed}, household {number}")))

    async def end(self) -> None:
        await _end([*self._living, *self._watching])


@asynccontextmanager
async def open_households(port: int, folder: Path, size: int) -> AsyncIterator[Households]:
    """Televisions that listen, and remote controls that watch; raises the failure of any that died."""
    folder.mkdir()  # noqa: ASYNC240 - nothing else runs yet
    async with AsyncExitStack() as stack:
        remotes = [await _remote(stack, port, folder, number) for number in range(size)]
        async with asyncio.TaskGroup() as tasks:
            households = Households(tasks, remotes)
            households.watch()
            await households.start()
            async with asyncio.timeout(FIRST_SECONDS):
                while not all(tv.listens for remote in remotes for tv in remote.televisions):  # noqa: ASYNC110 - they tell nobody
                    await asyncio.sleep(0.05)
            yield households
            await households.end()


async def _remote(stack: AsyncExitStack, port: int, folder: Path, number: int) -> Remote:
    account = await open_account(port)

    async def gateway() -> Gateway:
        http = await stack.enter_async_context(
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_SECONDS, verify=False)
        )
        return Gateway(http, account.token)

    televisions: list[Television] = []
    for place in range(TELEVISIONS):
        name, way = f"television {number}.{place}", await gateway()
        device_id = await way.register(name, "TV", capabilities=CAPABILITIES)
        televisions.append(Television(name, device_id, folder / f"{number}.{place}.sqlite", way))
    way = await gateway()
    viewer = (await way.sync_cursor())["viewer"]
    assert viewer is not None
    return Remote(f"remote {number}", way, televisions, account.titles, viewer["syncCursor"])


async def _press(remote: Remote, pause: float, chance: Random) -> None:
    while True:
        await asyncio.sleep(2 * pause * chance.random())
        await remote.press(chance)


async def _end(tasks: Sequence["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
