"""A process that dies of SIGKILL right after the statement it is told: `dying.py URL ACCOUNT CONTENT LIFE`.

It writes progress, and prints ACKNOWLEDGED where it lived to see the write return.
"""

import asyncio
import os
import signal
import sys
import time
from datetime import UTC, datetime
from uuid import uuid4

from domain.catalog.postgres import PostgresCatalog
from domain.catalog.service import Catalog
from domain.platform.postgres import Database
from domain.sync.clock import HybridClock
from domain.sync.inprocess import LocalFanout
from domain.sync.journal import Journal
from domain.sync.operations import Position
from domain.sync.postgres import PostgresSync
from domain.sync.postgres_ledger import PostgresLedgers
from domain.sync.postgres_log import PostgresChangeLog
from domain.sync.service import Sync
from gateway.titles import titles_of


class Life:
    """Ends the process once the given number of statements has run."""

    def __init__(self, statements: int) -> None:
        self.left = statements
        self.counting = False

    def __call__(self, _query: str, _seconds: float, _failure: BaseException | None) -> None:
        if not self.counting:
            return
        self.left -= 1
        if self.left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


def now() -> datetime:
    return datetime.now(UTC)


async def write(url: str, account: str, content: int, statements: int) -> None:
    life = Life(statements)
    async with Database.open(url, min_connections=1, max_connections=1, observe=life) as database:
        journal = Journal(PostgresChangeLog(database), LocalFanout())
        clock = HybridClock("dying", lambda: time.time_ns() // 1_000_000)
        titles = titles_of(Catalog(PostgresCatalog(database), now))
        sync = Sync(
            PostgresSync(database),
            PostgresLedgers(database),
            journal,
            titles,
            clock,
            now,
            lambda: str(uuid4()),
        )
        await database.value("SELECT 1")
        await asyncio.sleep(0)  # statements are told one turn of the loop later
        life.counting = True
        await sync.record_progress(account, content, Position(600, 6000))
        sys.stdout.write("ACKNOWLEDGED\n")
        sys.stdout.flush()
        life.counting = False


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
