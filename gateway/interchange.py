"""Imports and exports, joined to what they are about."""

import time

from domain.catalog.postgres import PostgresCatalog
from domain.catalog.service import Catalog
from domain.interchange.exporting import Archives
from domain.interchange.postgres import PostgresImports
from domain.interchange.postgres_devices import PostgresFormerDevices
from domain.interchange.postgres_matching import PostgresShelf
from domain.interchange.postgres_state import PostgresState
from domain.interchange.service import Interchange
from domain.platform.postgres import Database
from domain.sync.clock import HybridClock
from domain.sync.journal import Fanout, Journal
from domain.sync.postgres import PostgresSync
from domain.sync.postgres_ledger import PostgresLedgers
from domain.sync.postgres_log import PostgresChangeLog
from domain.sync.service import Sync
from gateway.time_and_ids import new_id, now
from gateway.titles import titles_of


def interchange_of(database: Database, sync: Sync) -> Interchange:
    return Interchange(
        sync, PostgresShelf(database), PostgresImports(database, new_id), PostgresFormerDevices(database)
    )


def archives_of(database: Database) -> Archives:
    return Archives(PostgresState(database), now)


def open_interchange(database: Database, fanout: Fanout) -> Interchange:
    """For a process that does nothing else; who follows the account elsewhere hears of it by `fanout`."""
    sync = Sync(
        PostgresSync(database),
        PostgresLedgers(database),
        Journal(PostgresChangeLog(database), fanout),
        titles_of(Catalog(PostgresCatalog(database), now)),
        HybridClock(f"server.{new_id()[:8]}", lambda: time.time_ns() // 1_000_000),
        now,
        new_id,
    )
    return interchange_of(database, sync)
