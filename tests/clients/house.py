"""Devices with the client's own queue and copy, their ways to two servers, and what can happen to them."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from domain.platform.postgres import Database
from domain.sync.journal import Writing
from media_gateway_client import Offline, Operation, Store, Synchroniser
from media_gateway_client.operations import FOLLOW_CHANGES, PUSH_CHANGES
from tests.accounts import new_id
from tests.catalogue import add_movie, add_series
from tests.viewers import Asker, Living, living

DURATION = 1000
STEPS = int(os.environ.get("MEDIA_GATEWAY_TEST_STEPS", "10000"))
"""How many a test takes."""
STEPS_OF_A_RUN = 100

servers = st.integers(0, 1)
# After how many statements the process is killed; None: it lives on.
deaths = st.none() | st.integers(0, 15)

T = TypeVar("T")
Request = dict[str, Any]
Results = Sequence[Mapping[str, Any]]


class Killed(BaseException):
    """The process of the device is no more."""


@dataclass
class World:
    """Two servers on one database for all runs; each run has an account of its own."""

    runner: asyncio.Runner
    database: Database
    servers: Sequence[Asker]
    movies: Sequence[int]
    closing: Sequence[int]
    """For how many seconds the closing credits of each movie last, as the catalogue and devices know."""
    series: int
    folder: Path
    steps: int = 0
    seen: set[str] = field(default_factory=set)
    """What happened: kinds of operations that were applied, fates, and faults."""

    @property
    def milliseconds(self) -> int:
        return self.servers[0].house.milliseconds()


@contextmanager
def open_world(database_url: str, folder: Path, closing: Sequence[int] = ()) -> Iterator[World]:
    """With a movie of 1000 seconds for each of the lengths of closing credits, and a series."""
    with asyncio.Runner() as runner:
        opening = Database.open(database_url, min_connections=1, max_connections=4)
        database = runner.run(opening.__aenter__())
        try:
            movies = [
                runner.run(
                    add_movie(
                        database, f"Film {new_id()}", runtime_seconds=DURATION, end_credits_seconds=seconds
                    )
                )
                for seconds in closing
            ]
            series = runner.run(add_series(database, f"Series {new_id()}"))
            first = living(database)
            servers = [Asker(first), Asker(living(database, clock=first.clock))]
            yield World(runner, database, servers, movies, closing, series, folder)
        finally:
            runner.run(opening.__aexit__(None, None, None))


def take_steps(
    machine: type[RuleBasedStateMachine], world: World, steps: int, of_a_run: int = STEPS_OF_A_RUN
) -> None:
    """Runs until the world has seen so many; a run may end early."""
    running = type("Run", (machine,), {"world": world})
    while world.steps < steps:
        run_state_machine_as_test(
            running,
            settings=settings(
                max_examples=-(-(steps - world.steps) // of_a_run),
                stateful_step_count=of_a_run,
                deadline=None,
                phases=[Phase.generate],  # shrinking takes longer than finding
                suppress_health_check=list(HealthCheck),
            ),
        )


@dataclass
class Way:
    """The way of one device to the servers; `Server` for its synchroniser."""

    world: World
    account: str
    told: list[tuple[Request, Results]] = field(default_factory=list)
    """What arrived and what was answered, until somebody looked at it."""
    answers: list[Results] = field(default_factory=list)
    """Those of the answers that came back."""
    late: list[Request] = field(default_factory=list)
    """What is still on its way."""
    server: int = 0
    failing: str | None = None
    """What happens to the next request: `request`, `late`, `commit`, `answer`, or nothing."""
    after_events: int | None = None
    """How many events arrive before the stream breaks off."""

    @property
    def milliseconds(self) -> int:
        return self.world.milliseconds

    async def push(
        self, device_id: str, operations: Sequence[Operation], settled_through: str | None
    ) -> Results:
        given = {
            "deviceId": device_id,
            "operations": [operation.input() for operation in operations],
            "settledThrough": settled_through,
        }
        if self.failing == "late":
            self.late.append(given)
        if self.failing in {"request", "late"}:
            raise Offline("Gone.")
        results = await (self._dies_before_it_commits if self.failing == "commit" else self.deliver)(given)
        if self.failing in {"commit", "answer"}:
            raise Offline("Gone.")
        self.answers.append(results)
        return results

    async def deliver(self, given: Request) -> Results:
        asked = self.world.servers[self.server]
        payload = (await asked.data(PUSH_CHANGES, self.account, input=given))["pushChanges"]
        assert payload["userErrors"] == [], payload
        self.told.append((given, payload["results"]))
        results: Results = payload["results"]
        return results

    async def _dies_before_it_commits(self, given: Request) -> Results:
        """All was written to the database, and nothing of it stays; where nothing changed, that stays."""
        asked = self.world.servers[self.server]
        log: Any = asked.house.journal.log
        append = log.append

        async def die(writing: Writing) -> None:
            await append(writing)
            raise Killed

        log.append = die
        try:
            return await self.deliver(given)
        except Killed:
            raise Offline("Gone.") from None
        finally:
            del log.append

    async def changes(self, cursor: str | None) -> AsyncIterator[Mapping[str, Any]]:
        """Until nothing is left to tell, or the way is cut."""
        asked = self.world.servers[self.server]
        document = "{ viewer { syncCursor } }"
        latest = (await asked.data(document, self.account))["viewer"]["syncCursor"]
        if cursor == latest:
            return
        following = asked.follow(FOLLOW_CHANGES, self.account, after=cursor, snapshot=cursor is None)
        left = self.after_events
        async with aclosing(following):
            async for result in following:
                assert result.errors is None, result.errors
                if left is not None:
                    if left == 0:
                        raise Offline("Gone.")
                    left -= 1
                event = result.data["changes"]
                yield event
                if event["cursor"] == latest and event["__typename"] != "SnapshotBegan":
                    return


class Disk:
    """Runs the statements of a device, until it is killed between two of them."""

    def __init__(self, connection: sqlite3.Connection, left: int | None = None) -> None:
        self._connection = connection
        self.left = left

    def execute(self, *statement: Any) -> sqlite3.Cursor:
        if self.left is not None:
            if self.left == 0:
                raise Killed
            self.left -= 1
        return self._connection.execute(*statement)

    def close(self) -> None:
        self._connection.close()


@dataclass
class Device:
    """One device with its disk."""

    world: World
    folder: Path
    name: str
    key: str
    way: Way
    skew: int = 0
    """Milliseconds that its clock is wrong."""
    store: Store = field(init=False)
    queue: list[Operation] = field(default_factory=list)
    """What should wait, as it was made."""
    lives: int = 0

    def __post_init__(self) -> None:
        self._open()

    def now(self) -> int:
        return self.world.milliseconds + self.skew

    def killed_after(self, statements: int | None, act: Callable[[], T]) -> T | None:
        """What the act returns; nothing where the process was killed behind so many statements of it.

        It starts again with the files as they lay there: nobody closed them, and what was not committed was
        not undone either.
        """
        self._disk.left = statements
        try:
            return act()
        except Killed:
            self._start_on_what_is_left()
            return None
        finally:
            self._disk.left = None

    def restart(self) -> None:
        self.store.close()
        self._open()

    @property
    def synchroniser(self) -> Synchroniser:
        return Synchroniser(self.store, self.way)

    @property
    def _path(self) -> Path:
        return self.folder / f"{self.name}-{self.lives}.sqlite"

    def _open(self) -> None:
        self.store = Store(self._path, self.now)
        self._disk = Disk(self.store._database)
        self.store._database = self._disk  # type: ignore[assignment]

    def _start_on_what_is_left(self) -> None:
        old, self.lives = self._path, self.lives + 1
        for ending in ("", "-wal"):
            if (left := old.with_name(old.name + ending)).exists():
                shutil.copy(left, self._path.with_name(self._path.name + ending))
        self._disk.close()
        self._open()


def house_of(world: World) -> Living:
    return world.servers[0].house
