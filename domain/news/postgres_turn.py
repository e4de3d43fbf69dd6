"""Whose turn it is to write news: whoever has it numbers entries, so they come in the order of commits."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import NamedTuple

from domain.platform.postgres import Database, Row

STATE = "SELECT seen, looked_at FROM news_state WHERE id = 1"
FIRST = "INSERT INTO news_state (id) VALUES (1) ON CONFLICT DO NOTHING"


class Turn(NamedTuple):
    """How far whoever had the turn before has looked: at the record of changes, and at the clock."""

    seen: str | None = None
    looked_at: datetime | None = None


async def last_turn(database: Database) -> Turn:
    return _turn_of(await database.row(STATE))


@asynccontextmanager
async def turn_in(database: Database, *, wait: bool = True) -> AsyncIterator[Turn | None]:
    """A transaction that has the turn; None where another has it and is not waited for."""
    statement = f"{STATE} FOR UPDATE" if wait else f"{STATE} FOR UPDATE SKIP LOCKED"
    async with database.transaction():
        row = await database.row(statement)
        if row is None:
            await database.execute(FIRST)
            row = await database.row(statement)
        yield None if row is None else _turn_of(row)


def _turn_of(row: Row | None) -> Turn:
    return Turn() if row is None else Turn(row["seen"], row["looked_at"])
