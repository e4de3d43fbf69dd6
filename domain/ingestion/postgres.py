"""The catalogue's shelf in PostgreSQL: each batch is streamed into temporary tables and merged as sets."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import asyncpg

from domain.catalog.words import text_search_configuration, trigrams
from domain.ingestion import postgres_merge as merge
from domain.ingestion.model import Feedback, NotStored, Work
from domain.ingestion.postgres_feedback import put_feedback
from domain.ingestion.postgres_resolution import existing_parts, free_slugs, new_ids, resolve
from domain.ingestion.service import Written
from domain.ingestion.staging import TABLES, Placed, Rows, searchable, searchable_titles, staged, vocabulary
from domain.platform.postgres import Database, Session

# One import merges at a time. Whether two works are one is decided by reading before writing, which row
# locks cannot guard; and who waits at one door cannot deadlock with others behind it.
LOCK = 7_203_412
TAKE_LOCK = f"SELECT pg_advisory_xact_lock({LOCK})"
# Losing the last moments of an import in a crash costs a repetition of them.
RELAX = "SET LOCAL synchronous_commit = off"


class PostgresShelf:
    """Fills `Shelf`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, works: Sequence[Work], *, fills_gaps: bool) -> Written:
        written = Written()
        pending: Sequence[Work] = works
        try:
            while pending:
                group, pending = _distinct(pending)
                async with self._database.transaction() as session:
                    await session.execute(RELAX)
                    await session.execute(TAKE_LOCK)
                    done, held = await _put(session, group, fills_gaps=fills_gaps)
                written = Written(
                    written.created + done.created,
                    written.updated + done.updated,
                    written.unchanged + done.unchanged,
                )
                pending = [*held, *pending]
        except (
            asyncpg.DataError,
            asyncpg.IntegrityConstraintViolationError,
            asyncpg.ProgramLimitExceededError,
        ) as error:
            raise NotStored(f"the database refuses it: {error}") from error
        return written

    async def put_feedback(self, feedback: Sequence[Feedback]) -> Written:
        async with self._database.transaction() as session:
            await session.execute(RELAX)
            return await put_feedback(session, feedback)


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


async def _put(session: Session, works: Sequence[Work], *, fills_gaps: bool) -> tuple[Written, list[Work]]:
    """Merges the works; those whose row another one of them has are handed back."""
    found = await resolve(session, works)
    chosen: list[Work] = []
    rows: list[int | None] = []
    held: list[Work] = []
    taken: set[int] = set()
    for work, row in zip(works, found, strict=True):
        if row is not None and row in taken:
            held.append(work)
            continue
        chosen.append(work)
        rows.append(row)
        if row is not None:
            taken.add(row)
    placed = await _place(session, chosen, rows)
    changed = await _merge(session, placed, fills_gaps=fills_gaps)
    await _learn_words(session, chosen)
    created = sum(row is None for row in rows)
    old = {row for row in rows if row is not None}
    updated = len({item.root for item in placed if item.content_id in changed} & old)
    return Written(created, updated, len(old) - updated), held


async def _place(session: Session, works: Sequence[Work], rows: Sequence[int | None]) -> list[Placed]:
    """Every work and part with its row: known ones keep theirs, new ones get the next ids."""
    slugs = await free_slugs(session, [work for work, row in zip(works, rows, strict=True) if row is None])
    ids = await new_ids(session, len(slugs))
    news = zip(ids, slugs, strict=True)
    placed = []
    for work, row in zip(works, rows, strict=True):
        identity, slug = (row, None) if row is not None else next(news)
        placed.append(Placed(work, identity, row is None, identity, slug=slug))
    level = placed
    while level := await _place_parts(session, level):
        placed = [*placed, *level]
    return placed


async def _place_parts(session: Session, wholes: Iterable[Placed]) -> list[Placed]:
    wholes = [whole for whole in wholes if whole.work.parts]
    if not wholes:
        return []
    known = await existing_parts(session, [whole.content_id for whole in wholes if not whole.is_new])
    wanted: dict[tuple[int, int, int | None], tuple[Placed, Work]] = {}
    for whole in wholes:
        for part in whole.work.parts:  # where a number comes twice the first stands
            wanted.setdefault((whole.content_id, part.disc, part.number), (whole, part))
    ids = await new_ids(session, len(wanted.keys() - known.keys()))
    return [
        Placed(part, known.get(key) or next(ids), key not in known, whole.root, whole.content_id)
        for key, (whole, part) in wanted.items()
    ]


async def _merge(session: Session, placed: Sequence[Placed], *, fills_gaps: bool) -> set[int]:
    """Answers the rows that were there before and changed."""
    rows = staged(placed)
    await session.execute(merge.CREATE)
    for table, records in rows.items():
        await _copy(session, table, records)
    changed: set[int] = set()
    new = {item.content_id for item in placed if item.is_new}
    if len(new) < len(placed):
        await session.execute(merge.LOCK_WORKS)
        changed = await _ids(session, merge.update_works(fills_gaps=fills_gaps))
    if new:
        await session.execute(merge.INSERT_WORKS)
    touched = await _merge_details(session, rows) - new
    if rest := touched - changed:
        await session.execute(merge.TOUCH, sorted(rest))
    await _refresh_search(session, changed | touched)
    return changed | touched


async def _merge_details(session: Session, rows: Mapping[str, Rows]) -> set[int]:
    touched: set[int] = set()
    if rows["incoming_credit"]:
        await session.execute(merge.INSERT_PEOPLE)
        for statement in merge.CREDITS:
            touched |= await _ids(session, statement)
    for table, statements in merge.DETAILS.items():
        for statement in statements if rows[table] else ():
            touched |= await _ids(session, statement)
    return touched


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


async def _learn_words(session: Session, works: Sequence[Work]) -> None:
    known = vocabulary(works)
    rows = await session.fetch("SELECT word FROM search_word WHERE word = ANY($1::text[])", list(known))
    missing = sorted(known - {row[0] for row in rows})
    if missing:
        await _copy(session, "incoming_word", [(word, trigrams(word)) for word in missing])
        await session.execute(merge.INSERT_WORDS)


async def _copy(session: Session, table: str, records: Rows) -> None:
    if records:
        await session.copy_records_to_table(table, records=records, columns=list(TABLES[table]))


async def _ids(session: Session, statement: str, *arguments: Any) -> set[int]:
    return {row[0] for row in await session.fetch(statement, *arguments)}
