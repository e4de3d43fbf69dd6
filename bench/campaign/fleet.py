"""Simulated devices: the Python client with its queue on the disk, one for each; some share an account."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import httpx

from bench.account import REGISTER
from bench.client import Client
from media_gateway_client import (
    Change,
    Gateway,
    Offline,
    Operation,
    Store,
    Synchroniser,
    added,
    dropped,
    hidden,
    moved,
    noted,
    reacted,
    removed,
    watched,
)
from resolvers.sync import seq_of

PER_ACCOUNT = 4
DURATION_SECONDS = 6_000
ADDED, REMOVED, MOVED, SAID = 0.16, 0.10, 0.06, 0.32
"""The shares of changes that put a title on the watchlist, take one off, move one, and say something of one
(reactions, notes, dropped and hidden titles alike); the rest are positions.
"""
HALF = 0.5
PATIENCE_SECONDS = 10.0
FIRST_SECONDS = 60.0
TITLES = "{ contents(first: 40, filter: {kinds: [MOVIE]}) { nodes { id } } }"


class Delivery(NamedTuple):
    """An event as it came to a device: its number in the log, and when."""

    seq: int
    at: float


class Acknowledged(NamedTuple):
    """An operation that the server said it had done, and when."""

    operation: Operation
    at: float


@dataclass
class Account:
    """What the devices of one account share."""

    token: str
    titles: Sequence[str]
    viewings: "count[int]" = field(default_factory=lambda: count(1))
    """Every position is told of a viewing of its own, so that none takes the place of another in the log."""
    listed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The additions that hold a title on the watchlist, by title, as some device was told."""


@dataclass
class Device:
    """One device, and all it was told."""

    name: str
    account: Account
    store: Store
    gateway: Gateway
    began_behind: int | None = None
    """Where the stream of changes goes on from the snapshot; nothing until that was whole."""
    delivered: list[Delivery] = field(default_factory=list)
    acted: dict[str, float] = field(default_factory=dict)
    """When its user did something, by operation."""
    acknowledged: list[Acknowledged] = field(default_factory=list)
    refused: list[Mapping[str, Any]] = field(default_factory=list)
    following: asyncio.Event = field(default_factory=asyncio.Event)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _silent: bool = False

    @property
    def told_at(self) -> dict[int, float]:
        """When it was told of each row of the log first."""
        return dict(reversed(self.delivered))

    async def live(self) -> None:
        """Keeps in step until cancelled; raises what the client does not put up with."""
        synchroniser = Synchroniser(self.store, self)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(synchroniser.keep_pushing(self._wake))
            tasks.create_task(synchroniser.keep_following(self._heard))

    def act(self, chance: Random) -> None:
        """Does something to a title."""
        operation = self.store.do(self._change(chance))
        self.acted[operation.id] = time.monotonic()
        self._wake.set()

    def _change(self, chance: Random) -> Change:
        kind, title = chance.random(), chance.choice(self.account.titles)
        listed = self.account.listed
        if kind < ADDED:
            return added(title)
        if kind < ADDED + REMOVED and listed:
            gone = chance.choice(list(listed))
            return removed(gone, listed.pop(gone))
        if ADDED + REMOVED <= kind < ADDED + REMOVED + MOVED and listed:
            return moved(chance.choice(list(listed)), f"{chance.randrange(1000):03}V")
        if kind >= 1 - SAID:
            return self._said(chance, title)
        position = chance.randrange(1, DURATION_SECONDS // 2)
        return watched(title, next(self.account.viewings), position, DURATION_SECONDS)

    def _said(self, chance: Random, title: str) -> Change:
        match chance.randrange(4):
            case 0:
                return reacted(
                    title, chance.choice([None, "LIKE", "DISLIKE"]), chance.choice([None, 0.5, 5.0])
                )
            case 1:
                return noted(title, f"{self.name}, {chance.randrange(10**9)}")
            case 2:
                return dropped(title, dropped=chance.random() < HALF)
        return hidden(title, hidden=chance.random() < HALF)

    def hang_up(self) -> None:
        """Sends nothing any more; it still hears."""
        self._silent = True

    # As the way to the server, for its synchroniser.

    @property
    def milliseconds(self) -> int | None:
        return self.gateway.milliseconds

    async def push(
        self, device_id: str, operations: Sequence[Operation], settled_through: str | None
    ) -> Sequence[Mapping[str, Any]]:
        if self._silent:
            raise Offline("The campaign is over.")
        results = await self.gateway.push(device_id, operations, settled_through)
        if self._silent:
            raise Offline("The campaign was over before the answer came.")
        now, by_id = time.monotonic(), {operation.id: operation for operation in operations}
        for result in results:
            if result["fate"] == "REFUSED":
                self.refused.append(result)
            else:
                self.acknowledged.append(Acknowledged(by_id[result["operationId"]], now))
        return results

    async def changes(self, cursor: str | None) -> AsyncIterator[Mapping[str, Any]]:
        async for event in self.gateway.changes(cursor):
            yield event

    def _heard(self, event: Mapping[str, Any]) -> None:
        """Once the store has it, so that what is counted is what the device knows for good."""
        kind = event["__typename"]
        if kind == "SnapshotBegan":
            self.began_behind, self.delivered = None, []
        elif kind == "SnapshotEnded":
            self.began_behind = seq_of(event["cursor"])
            self.following.set()
        elif self.began_behind is not None:
            self.delivered.append(Delivery(seq_of(event["cursor"]) or 0, time.monotonic()))
            if kind == "WatchlistChanged":
                self._listed(event["content"]["id"], event["entry"])

    def _listed(self, title: str, entry: Mapping[str, Any] | None) -> None:
        if entry is None:
            self.account.listed.pop(title, None)
        else:
            self.account.listed[title] = tuple(entry["tags"])


@asynccontextmanager
async def open_fleet(port: int, folder: Path, size: int) -> AsyncIterator[list[Device]]:
    """Devices that follow their accounts; raises the failure of any that died."""
    folder.mkdir()  # noqa: ASYNC240 - nothing else runs yet
    async with AsyncExitStack() as stack:
        devices: list[Device] = []
        account: Account | None = None
        for number in range(size):
            if account is None or number % PER_ACCOUNT == 0:
                account = await open_account(port)
            http = await stack.enter_async_context(
                httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_SECONDS, verify=False)
            )
            store = Store(folder / f"{number}.sqlite", lambda: time.time_ns() // 1_000_000)
            stack.callback(store.close)
            gateway = Gateway(http, account.token)
            store.name(await gateway.register(f"Device {number}", "PHONE"))
            devices.append(Device(f"device {number}", account, store, gateway))
        async with asyncio.TaskGroup() as tasks:
            living = [tasks.create_task(device.live()) for device in devices]
            async with asyncio.timeout(FIRST_SECONDS):
                for device in devices:
                    await device.following.wait()
            yield devices
            for task in living:
                task.cancel()


async def open_account(port: int) -> Account:
    """A new one, and the titles that its devices write about."""
    async with Client.open(port) as client:
        email = f"campaign-{uuid.uuid4().hex}@example.com"
        payload = (await client.ask(REGISTER, email=email, password="A-good-Passw0rd"))["registerAccount"]
        nodes = (await client.ask(TITLES))["contents"]["nodes"]
    return Account(payload["accessToken"], [node["id"] for node in nodes])
