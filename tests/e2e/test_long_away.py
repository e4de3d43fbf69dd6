"""A device that was away for longer than the log is kept: it has the state, and what it did is kept."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from media_gateway_client import (
    Gateway,
    Offline,
    Operation,
    Store,
    Synchroniser,
    added,
    hidden,
    noted,
    reacted,
    removed,
    watched,
)
from tests.conftest import fresh_database
from tests.e2e.server import Client, Server, register, running

AWAY_DAYS = 91
DAY = 86_400_000
DURATION = 6_000
MOVIES = "{ contents(first: 8, filter: {kinds: [MOVIE]}) { nodes { id } } }"
PATIENCE_SECONDS = 30.0
REMEMBERED = "SELECT (SELECT count(*) FROM change) + (SELECT count(*) FROM sync_operation)"
DATED = {
    "change": ["created_at"],
    "sync_operation": ["done_at"],
    "sync_conflict": ["noted_at"],
    "forgotten_title": ["forgotten_at"],
    "watchlist_tag": ["added_at", "removed_at"],
    "progress": ["updated_at"],
}
"""What the database dates."""


@dataclass
class Away:
    """A way whose answers can be lost; `Server` for a synchroniser."""

    gateway: Gateway
    mute: bool = False
    told: list[str] = field(default_factory=list)
    """The kinds of events that came."""

    @property
    def milliseconds(self) -> int | None:
        return self.gateway.milliseconds

    async def push(
        self, device_id: str, operations: Sequence[Operation], settled_through: str | None
    ) -> Sequence[Mapping[str, Any]]:
        results = await self.gateway.push(device_id, operations, settled_through)
        if self.mute:
            raise Offline("The answer was lost.")
        return results

    async def changes(self, cursor: str | None) -> Any:
        async for event in self.gateway.changes(cursor):
            self.told.append(event["__typename"])
            yield event


@dataclass
class Device:
    """A device of the client package, whose clock can be some days back."""

    store: Store
    way: Away

    async def push(self) -> None:
        await Synchroniser(self.store, self.way).push()

    async def follow(self, until: Callable[[], bool]) -> None:
        """Takes in what changes until that holds."""
        following = asyncio.create_task(Synchroniser(self.store, self.way).follow())
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not until():
                    assert not following.done(), following
                    await asyncio.sleep(0.02)
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    @property
    def shown(self) -> Any:
        store = self.store
        progress = {(p.content_id, p.viewing, p.position_seconds, p.completed) for p in store.progress()}
        entries = {(entry.content_id, entry.tags, entry.place) for entry in store.watchlist()}
        opinions = {(r.content_id, r.verdict, r.stars) for r in store.reactions()}
        marks = {(m.content_id, m.note, m.dropped, m.hidden) for m in store.marks()}
        return progress, entries, opinions, marks

    @property
    def listed(self) -> set[str]:
        return {entry.content_id for entry in self.store.watchlist()}


async def device(
    stack: AsyncExitStack, server: Server, client: Client, file: Path, days_back: int = 0
) -> Device:
    """The same file is the same device."""
    http = await stack.enter_async_context(httpx.AsyncClient(base_url=server.url))
    gateway = Gateway(http, client.token or "")
    store = Store(file, lambda: time.time_ns() // 1_000_000 - days_back * DAY)
    stack.callback(store.close)
    if store.device_id is None:
        store.name(await gateway.register(file.stem, "TV"))
    return Device(store, Away(gateway))


@pytest.mark.timeout(180)
async def test_a_device_comes_back_after_three_months(  # noqa: PLR0915 - one story
    scratch: Path, postgres_url: str, tmp_path: Path
) -> None:
    url = await fresh_database(postgres_url, "media_gateway_long_away")
    settings = {"database_url": url, "background_work": "false"}
    async with running(scratch / "away", **settings) as server, AsyncExitStack() as stack:
        client = await register(server, "away@example.com")
        films = [node["id"] for node in (await client.ask(MOVIES))["contents"]["nodes"]]
        left, off, new, doubtful, forgotten, seen, noticed, rewatched = films
        tv = await device(stack, server, client, tmp_path / "tv.sqlite", AWAY_DAYS)
        phone = await device(stack, server, client, tmp_path / "phone.sqlite", AWAY_DAYS)
        for change in (added(left), added(off), watched(forgotten, 1, 600, DURATION), reacted(seen, "LIKE")):
            phone.store.do(change)
        phone.store.do(watched(rewatched, 1, DURATION, DURATION))
        await phone.push()
        await tv.follow(lambda: "SnapshotEnded" in tv.way.told)
        old = tv.store.cursor

        # The television sends one thing more, hears no answer, and goes.
        tv.store.do(added(doubtful))
        tv.way.mute = True
        with pytest.raises(Offline):
            await tv.push()
        offline = [
            watched(left, 1, 900, DURATION),
            watched(forgotten, 1, 700, DURATION),
            watched(rewatched, 1, 30, DURATION),
            watched(rewatched, 2, 300, DURATION),
            added(new),
            removed(off, tv.store.tags(off)),
            noted(noticed, "With Ada."),
            hidden(noticed),
            reacted(seen, None, 4.5),
        ]
        for change in offline:
            tv.store.do(change)
        await phone.follow(lambda: doubtful in phone.listed)
        for gone in (left, doubtful):
            phone.store.do(removed(gone, phone.store.tags(gone)))
        await phone.push()

    await date_back(url)
    connection = await asyncpg.connect(url)
    settings["background_work"] = "true"
    async with running(scratch / "away", **settings) as server, AsyncExitStack() as stack:
        client.server = server

        async with asyncio.timeout(PATIENCE_SECONDS):
            while await connection.fetchval(REMEMBERED):  # noqa: ASYNC110 - the worker tells nobody
                await asyncio.sleep(0.1)
        phone = await device(stack, server, client, tmp_path / "phone.sqlite")
        await phone.way.gateway.forget_title(input={"contentId": forgotten})
        phone.store.do(reacted(noticed, "LIKE"))
        await phone.push()
        tv = await device(stack, server, client, tmp_path / "tv.sqlite")
        assert (tv.store.cursor, len(tv.store)) == (old, 1 + len(offline))

        await tv.push()
        await tv.follow(lambda: "SnapshotEnded" in tv.way.told)

        assert (len(tv.store), tv.store.dead_letters()) == (0, [])
        assert tv.way.told[0] == "SnapshotBegan"
        assert tv.listed == {new}
        progress, _, opinions, marks = tv.shown
        assert progress == {
            (left, 1, 900, False),
            (rewatched, 1, 30, True),
            (rewatched, 2, 300, False),
        }
        assert opinions == {(seen, None, 4.5), (noticed, "LIKE", None)}
        assert marks == {(noticed, "With Ada.", False, True)}

        # And the tail: what happens from then on reaches both.
        phone.store.do(reacted(left, "DISLIKE"))
        await phone.push()
        await tv.follow(lambda: "ReactionChanged" in tv.way.told[tv.way.told.index("SnapshotEnded") :])
        await phone.follow(lambda: phone.shown == tv.shown)
        assert tv.way.told.count("SnapshotBegan") == 1
    await connection.close()


async def date_back(url: str) -> None:
    """As if all of it had been three months ago."""
    connection = await asyncpg.connect(url)
    for table, columns in DATED.items():
        moved = ", ".join(f"{column} = {column} - interval '{AWAY_DAYS} days'" for column in columns)
        await connection.execute(f"UPDATE {table} SET {moved}")
    await connection.close()
