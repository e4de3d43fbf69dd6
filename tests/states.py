"""Writes the state of an account as plain rows, without a change in the log."""

from datetime import UTC, datetime

from domain.platform.postgres import Database
from domain.sync.ledger import Known, Ledger
from domain.sync.model import Addition, Mark, Reaction, WatchProgress
from domain.sync.postgres_ledger import PostgresLedgers
from domain.sync.service import Wanted


async def keep(database: Database, account: str, *states: WatchProgress | Reaction | Addition | Mark) -> None:
    ledger = Ledger(Known(), datetime.now(UTC))
    for state in states:
        match state:
            case WatchProgress():
                ledger.watched(state)
            case Reaction():
                ledger.reacted(state)
            case Addition():
                ledger.added(state)
            case Mark():
                ledger.marked(state)
    await PostgresLedgers(database).save(account, ledger)


async def viewings(database: Database, account: str, content_id: int) -> list[WatchProgress]:
    """Every viewing of a title, the first one first."""
    known = await PostgresLedgers(database).load(account, Wanted(progress={content_id}))
    found = known.viewings.get(content_id, {})
    return [found[key] for key in sorted(found)]
