"""A viewer for tests: an account with the services that follow it, on a clock the test turns."""

from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from strawberry.types import ExecutionResult

from domain.catalog.changes import LocalNotifier
from domain.catalog.links import DeviceKind
from domain.catalog.postgres import PostgresCatalog
from domain.catalog.restriction import Restriction
from domain.catalog.service import Catalog
from domain.identity.audit import Audit
from domain.identity.hours import Hours
from domain.identity.model import ANONYMOUS, Role
from domain.identity.policy import Policy
from domain.identity.postgres import PostgresAccounts
from domain.identity.postgres_audit import PostgresAudit
from domain.identity.postgres_viewing import PostgresViewing
from domain.identity.recent import RecentAccounts
from domain.identity.viewing import Viewing
from domain.interchange.exporting import Archives
from domain.interchange.postgres import PostgresImports
from domain.interchange.postgres_devices import PostgresFormerDevices
from domain.interchange.postgres_matching import PostgresShelf
from domain.interchange.postgres_state import PostgresState
from domain.interchange.service import Interchange
from domain.news.announcements import Announcements
from domain.news.feed import Feed
from domain.news.postgres import PostgresNews
from domain.news.postgres_announcements import PostgresAnnouncements
from domain.platform.errors import GatewayError, Refused, UserErrorCode
from domain.platform.postgres import Database
from domain.playback.forgetting import Forgetting
from domain.playback.inprocess import LocalPrivateSessions
from domain.playback.postgres import PostgresPlayback
from domain.playback.service import Playback
from domain.sync.attendance import Attendance
from domain.sync.capabilities import DeviceCapabilities
from domain.sync.clock import COUNTER_BITS, HybridClock, Timestamp
from domain.sync.commands import Commands
from domain.sync.devices import Description, Devices, Presence
from domain.sync.history import History
from domain.sync.inprocess import LocalFanout, LocalPresence
from domain.sync.journal import Journal
from domain.sync.listeners import Listeners
from domain.sync.model import Device
from domain.sync.postgres import PostgresSync
from domain.sync.postgres_devices import PostgresDevices
from domain.sync.postgres_history import PostgresHistoryLimits
from domain.sync.postgres_ledger import PostgresLedgers
from domain.sync.postgres_log import PostgresChangeLog
from domain.sync.postgres_snapshot import PostgresSnapshots
from domain.sync.push import Pushing
from domain.sync.service import Sync
from gateway.titles import titles_of
from resolvers.context import Context
from schema.graph import graph
from tests.accounts import Clock, new_id, sessions_on, somebody


@dataclass
class Living:
    """The services of one process."""

    database: Database
    clock: Clock
    fanout: LocalFanout
    presence: Presence
    journal: Journal
    catalog: Catalog
    sync: Sync
    devices: Devices
    commands: Commands
    playback: Playback
    pushing: Pushing
    interchange: Interchange
    attendance: Attendance
    feed: Feed
    accounts: list[str] = field(default_factory=list)
    administrators: set[str] = field(default_factory=set)
    restriction: Restriction | None = None
    """What is hidden from whoever asks from now on."""
    hours: Hours | None = None
    """When they may watch."""

    def milliseconds(self) -> int:
        return int(self.clock.seconds() * 1000)

    def version(self, seconds: float = 0.0, device: str = "phone", counter: int = 0) -> Timestamp:
        """The time so many seconds from now on a device's clock."""
        at = self.milliseconds() + int(seconds * 1000)
        return Timestamp((at << COUNTER_BITS) + counter, device)

    async def account(self) -> str:
        """A new account."""
        key = new_id()
        await self.database.execute("INSERT INTO account (id, display_name) VALUES ($1, 'Ada')", key)
        self.accounts.append(key)
        return key

    async def device(
        self, account: str, name: str = "Phone", kind: DeviceKind = DeviceKind.PHONE, **capabilities: Any
    ) -> Device:
        told = Description(name, kind, None, DeviceCapabilities(**capabilities))
        return await self.devices.register(account, told)

    def context(self, account: str | None = None) -> Context:
        """What a request of the account, or of nobody, carries."""
        recent = RecentAccounts(PostgresAccounts(self.database).accounts, self.clock.seconds)
        unused: Any = None  # no PIN is entered here
        viewing = Viewing(
            PostgresViewing(self.database),
            unused,
            recent,
            unused,
            unused,
            unused,
            self.clock.now,
            new_id,
        )
        services: Any = SimpleNamespace(
            viewing=viewing,
            sessions=sessions_on(self.database, self.clock, recent),
            now=self.clock.now,
            catalog=self.catalog,
            journal=self.journal,
            snapshots=PostgresSnapshots(self.database, PostgresPlayback(self.database).playing),
            sync=self.sync,
            pushing=self.pushing,
            interchange=self.interchange,
            archives=Archives(PostgresState(self.database), self.clock.now),
            devices=self.devices,
            attendance=self.attendance,
            commands=self.commands,
            playback=self.playback,
            forgetting=self.forgetting,
            history=self.history,
            feed=self.feed,
            announcements=self.announcements,
            policy=Policy(),
        )
        roles = {Role.ADMIN} if account in self.administrators else set()
        caller = ANONYMOUS if account is None else somebody(account, *roles)
        return Context(services, caller, "US", "r1", restriction=self.restriction, hours=self.hours)

    @property
    def forgetting(self) -> Forgetting:
        return Forgetting(PostgresPlayback(self.database), self.playback)

    @property
    def announcements(self) -> Announcements:
        audit = Audit(PostgresAudit(self.database), self.clock.now)
        return Announcements(PostgresAnnouncements(self.database), audit, LocalNotifier(), self.clock.now)

    @property
    def history(self) -> History:
        return History(PostgresHistoryLimits(self.database), self.sync, self.clock.now)

    def listeners(self, account: str | None) -> int:
        """How many streams of the account, and of everybody's news, are open here."""
        known = self.fanout._listeners.get(account or "")
        return self.feed.listeners + (0 if known is None else len(known.boxes))

    async def kinds(self, account: str) -> list[str]:
        """The kinds of the account's changes, in order."""
        rows = await self.database.rows("SELECT kind FROM change WHERE account_id = $1 ORDER BY seq", account)
        return [row[0] for row in rows]

    async def outbox(self) -> list[tuple[str, str, dict[str, Any]]]:
        rows = await self.database.rows("SELECT topic, key, payload FROM outbox ORDER BY id")
        return [(row[0], row[1], row[2]) for row in rows]

    async def written(self) -> int:
        """How many rows of state, log and outbox there are."""
        tables = (
            "progress",
            "watchlist_tag",
            "reaction",
            "title_mark",
            "sync_operation",
            "sync_conflict",
            "device_command",
            "playback_session",
            "forgotten_title",
            "history_limit",
            "incognito_time",
            "change",
            "outbox",
        )
        counts = [await self.database.value(f"SELECT count(*) FROM {table}") for table in tables]
        return sum(counts)


async def nothing_kept() -> None:
    """There is no cache of the catalogue here."""


def living(database: Database, presence: Presence | None = None, clock: Clock | None = None) -> Living:
    """With the clock of another one, a second process of the same service."""
    clock = clock or Clock()
    fanout = LocalFanout()
    presence = presence or LocalPresence(clock.seconds)
    journal = Journal(PostgresChangeLog(database), fanout)
    catalog = Catalog(PostgresCatalog(database), clock.now)
    device_store = PostgresDevices(database)
    devices = Devices(device_store, presence, journal, clock.now, new_id)
    listeners = Listeners(device_store, new_id)
    commands = Commands(device_store, listeners, devices, journal, clock.now, new_id)
    ticks = HybridClock(f"server.{new_id()[:8]}", lambda: int(clock.seconds() * 1000))
    sync = Sync(
        PostgresSync(database),
        PostgresLedgers(database),
        journal,
        titles_of(catalog),
        ticks,
        clock.now,
        new_id,
    )
    playback = Playback(
        PostgresPlayback(database),
        LocalPrivateSessions(clock.seconds),
        sync,
        devices,
        commands,
        clock.now,
        new_id,
    )
    pushing = Pushing(sync, devices)
    interchange = Interchange(
        sync, PostgresShelf(database), PostgresImports(database, new_id), PostgresFormerDevices(database)
    )
    return Living(
        database,
        clock,
        fanout,
        presence,
        journal,
        catalog,
        sync,
        devices,
        commands,
        playback,
        pushing,
        interchange,
        Attendance(devices),
        Feed(PostgresNews(database), LocalNotifier(), nothing_kept),
    )


async def refusal(doing: Awaitable[object]) -> UserErrorCode:
    """The code of the first reason why it is refused; fails where it is done."""
    with pytest.raises(Refused) as caught:
        await doing
    return caught.value.errors[0].code


class Asker:
    """Asks the graph as an account, or as nobody."""

    def __init__(self, house: Living) -> None:
        self.house = house
        self._graph = graph()

    async def result(self, document: str, account: str | None = None, **variables: Any) -> ExecutionResult:
        found = await self._graph.execute(
            document, variable_values=variables, context_value=self.house.context(account)
        )
        assert isinstance(found, ExecutionResult)
        return found

    async def data(self, document: str, account: str | None = None, **variables: Any) -> Any:
        found = await self.result(document, account, **variables)
        assert found.errors is None, found.errors
        return found.data

    async def code(self, document: str, account: str | None = None, **variables: Any) -> str:
        """The code of the one error that the answer is."""
        found = await self.result(document, account, **variables)
        assert found.errors is not None
        (error,) = found.errors
        assert isinstance(error.original_error, GatewayError), error.original_error
        return error.original_error.code.value

    async def follow(
        self, document: str, account: str | None = None, **variables: Any
    ) -> AsyncGenerator[Any, None]:
        """The results of a subscription."""
        stream: Any = await self._graph.subscribe(
            document, variable_values=variables, context_value=self.house.context(account)
        )
        async with aclosing(stream):
            async for result in stream:
                yield result


async def did(ask: Asker, document: str, account: str | None, **given: Any) -> dict[str, Any]:
    """The payload of a document's one mutation, which it calls `done`."""
    done: dict[str, Any] = (await ask.data(document, account, input=given))["done"]
    return done


def refused(payload: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """The codes and fields of a payload's errors."""
    return [(error["code"], error["field"]) for error in payload["userErrors"]]
