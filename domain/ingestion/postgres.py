"""The catalogue's shelf in PostgreSQL: each batch is streamed into temporary tables and merged as sets."""

import asyncio
from collections.abc import Mapping, Sequence

import asyncpg

from domain.catalog.words import text_search_configuration
from domain.ingestion import postgres_merge as merge
from domain.ingestion.model import Feedback, NotStored, Work
from domain.ingestion.postgres_feedback import put_feedback
from domain.ingestion.postgres_names import known_people, learn_words
from domain.ingestion.postgres_resolution import Place, place, resolve
from domain.ingestion.service import Written
from domain.ingestion.staging import (
    TABLES,
    Piece,
    Rows,
    levels,
    searchable,
    searchable_titles,
    staged,
    vocabulary,
)
from domain.platform.errors import BadInput
from domain.platform.locks import Lock
from domain.platform.postgres import Database
from domain.platform.sessions import Session

# One import merges at a time. Whether two works are one is decided by reading before writing, which row
# locks cannot guard; and who waits at one door cannot deadlock with others behind it.
TAKE_LOCK = f"SELECT pg_advisory_xact_lock({Lock.MERGE_IMPORT.value})"
# Losing the last moments of an import in a crash costs a repetition of them.
RELAX = "SET LOCAL synchronous_commit = off"

REFUSED = (
    BadInput,
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
)


GROWN = ("content", "search_word", "person", "credit", "external_id", "offer", "reaction")


class PostgresShelf:
    """Fills `Shelf`: while one batch merges the next is staged, and they merge in the order they came."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._latest = asyncio.Event()
        self._latest.set()

    async def put(self, works: Sequence[Work], *, fills_gaps: bool) -> Written:
        turn, self._latest = self._latest, asyncio.Event()
        done = self._latest
        written = Written()
        try:
            pending: Sequence[Work] = works
            while pending:
                group, rest = _distinct(pending)
                step, held = await self._put(group, turn, fills_gaps=fills_gaps)
                written = _sum(written, step)
                pending = [*held, *rest]
        except REFUSED as error:
            raise NotStored(f"the database refuses it: {error}") from error
        finally:
            done.set()
        return written

    async def settle(self) -> None:
        """Sorts what waits beside the inverted indexes into them, and refreshes the planner's figures."""
        for table in GROWN:
            await self._database.execute(f"VACUUM (ANALYZE) {table}")

    async def put_feedback(self, feedback: Sequence[Feedback]) -> Written:
        await self._latest.wait()  # the works it is about
        async with self._database.transaction() as session:
            await session.execute(RELAX)
            return await put_feedback(session, feedback)

    async def _put(
        self, works: Sequence[Work], turn: asyncio.Event, *, fills_gaps: bool
    ) -> tuple[Written, list[Work]]:
        """Merges the works; those whose row another one of them has are handed back."""
        pieces = levels(works)
        everything = [piece for level in pieces for piece in level]
        names = {credit.person for piece in everything for credit in piece.work.credits}
        words = await asyncio.to_thread(vocabulary, works)
        async with self._database.transaction() as session:
            await session.execute(RELAX)
            people = await known_people(session, names)
            await learn_words(session, words)
        rows = await asyncio.to_thread(staged, everything, people)
        async with self._database.transaction() as session:
            await session.execute(RELAX)
            for table, records in rows.items():
                await _stage(session, table, records)
            await session.execute(merge.STAGE_SEARCH)
            await turn.wait()
            await session.execute(TAKE_LOCK)
            found = _once(await resolve(session, works))
            places = await place(session, pieces, found)
            await _stage(session, "incoming_place", [(n, *row) for n, row in places.items()])
            changed = await _merge(session, rows, places, fills_gaps=fills_gaps)
        return _counted(pieces, places, changed), [works[n] for n in range(len(works)) if n not in places]


def _distinct(works: Sequence[Work]) -> tuple[list[Work], list[Work]]:
    """Those that cannot be one and the same, and the rest, which waits until these are stored."""
    taken: set[tuple[str, str]] = set()
    group: list[Work] = []
    rest: list[Work] = []
    for work in works:
        keys = {(i.source, i.value) for i in work.external_ids} | {(work.kind.value, work.title.casefold())}
        (rest if keys & taken else group).append(work)
        taken |= keys
    return group, rest


def _once(found: Sequence[int | None]) -> dict[int, int | None]:
    """The row of each work by its number, but for those whose row an earlier one has."""
    taken: set[int] = set()
    chosen: dict[int, int | None] = {}
    for n, row in enumerate(found):
        if row is None or row not in taken:
            chosen[n] = row
            taken |= {row} if row is not None else set()
    return chosen


def _counted(pieces: Sequence[Sequence[Piece]], places: Mapping[int, Place], changed: set[int]) -> Written:
    """A work counts as updated where it or a part of it changed."""
    roots = [piece.n for piece in pieces[0] if piece.n in places]
    old = {n for n in roots if not places[n].is_new}
    touched = {
        piece.root
        for level in pieces
        for piece in level
        if piece.n in places and (places[piece.n].is_new or places[piece.n].content_id in changed)
    }
    return Written(len(roots) - len(old), len(touched & old), len(old - touched))


def _sum(one: Written, other: Written) -> Written:
    return Written(one.created + other.created, one.updated + other.updated, one.unchanged + other.unchanged)


async def _merge(
    session: Session, rows: Mapping[str, Rows], places: Mapping[int, Place], *, fills_gaps: bool
) -> set[int]:
    """Answers the rows that were there before and changed."""
    new = [row for row in places.values() if row.is_new]
    if new:
        await session.execute(merge.INSERT_WORKS)
    if len(new) == len(places):
        for detail in merge.DETAILS:
            if rows[detail.incoming]:
                await session.execute(detail.insert)
        return set()
    await session.execute(merge.LOCK_WORKS)
    changed = await _ids(session, merge.update_works(fills_gaps=fills_gaps))
    touched = {
        row
        for detail in merge.DETAILS
        if rows[detail.incoming]
        for statement in detail.changes
        for row in await _ids(session, statement)
    }
    if rest := touched - changed:
        await session.execute(merge.TOUCH, sorted(rest))
    await _refresh_search(session, changed | touched)
    return changed | touched


async def _refresh_search(session: Session, changed: set[int]) -> None:
    if not changed:
        return
    rows = await session.fetch(merge.SEARCHED, sorted(changed))
    await session.execute(
        merge.REFRESH_SEARCH,
        [row["id"] for row in rows],
        [text_search_configuration(row["text_language"]) for row in rows],
        [searchable_titles(row["title"], row["original_title"]) for row in rows],
        [searchable(row["people"]) for row in rows],
    )


async def _stage(session: Session, table: str, records: Rows) -> None:
    if records:
        await session.execute(merge.CREATE[table])
        await session.copy_records_to_table(table, records=records, columns=list(TABLES[table]))


async def _ids(session: Session, statement: str) -> set[int]:
    return {row[0] for row in await session.fetch(statement)}
