"""What a write must know of its titles, read and stored in bulk: so many statements, however many writes."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from domain.platform.postgres import Database, Row
from domain.sync.clock import Timestamp
from domain.sync.ledger import Known, Ledger, Span, marks_of
from domain.sync.model import (
    Addition,
    Conflict,
    Mark,
    MarkKind,
    Marks,
    Reaction,
    Verdict,
    WatchProgress,
)
from domain.sync.ordering import place_of
from domain.sync.service import Wanted

PROGRESS = """p.content_id, p.viewing, p.position_seconds, p.duration_seconds, p.completed, p.hlc,
    p.hlc_device, p.device_id, p.updated_at, p.completed_at"""
VIEWINGS = f"""SELECT {PROGRESS} FROM progress p WHERE account_id = $1 AND content_id = ANY($2::bigint[])
     UNION ALL
    SELECT content_id, NULL, NULL, NULL, NULL, hlc, hlc_device, NULL, NULL, NULL FROM forgotten_title
     WHERE account_id = $1 AND content_id = ANY($2::bigint[])"""
"""The viewings of titles, and without a viewing which of them were forgotten up to when."""
DEVICES = """SELECT id, settled_hlc, incognito_since, NULL FROM device
     WHERE account_id = $1 AND id = ANY($2::uuid[])
     UNION ALL
    SELECT device_id, NULL, began_at, ended_at FROM incognito_time
     WHERE account_id = $1 AND device_id = ANY($2::uuid[])"""
"""What devices have settled, and when they are and were incognito."""
REACTION = "content_id, verdict, stars, hlc, hlc_device, updated_at"
MARK = "content_id, kind, value, hlc, hlc_device, updated_at"


class PostgresLedgers:
    """Fills `Ledgers`; everything runs within the account's turn."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, account_id: str, wanted: Wanted) -> Known:
        known = Known()
        if wanted.progress:
            for row in await self._database.rows(VIEWINGS, account_id, list(wanted.progress)):
                if row["viewing"] is None:
                    known.forgotten[row["content_id"]] = Timestamp(row["hlc"], row["hlc_device"])
                else:
                    progress = to_progress(row)
                    known.viewings.setdefault(progress.content_id, {})[progress.viewing] = progress
        if wanted.watchlist:
            for addition in await self._additions(account_id, wanted):
                known.owners[addition.tag] = addition.content_id
                known.additions.setdefault(addition.content_id, {})[addition.tag] = addition
        if wanted.reactions:
            rows = await self._of_titles(f"SELECT {REACTION} FROM reaction", account_id, wanted.reactions)
            known.reactions = {row[0]: to_reaction(row) for row in rows}
        marked = wanted.marks | wanted.watchlist
        if marked:
            rows = await self._of_titles(f"SELECT {MARK} FROM title_mark", account_id, marked)
            known.marks = {(mark.content_id, mark.kind): mark for mark in map(to_mark, rows)}
        if wanted.devices:
            rows = await self._database.rows(DEVICES, account_id, list(wanted.devices))
            known.settled = {row[0]: row[1] for row in rows if row[1] is not None}
            known.incognito = _spans(rows)
        return known

    async def save(self, account_id: str, ledger: Ledger) -> None:
        known, changed = ledger.known, ledger.changed
        await self._withdraw(account_id, list(changed.withdrawn))
        await self._forget(
            account_id, {title: known.forgotten[title] for title in changed.forgotten}, ledger.now
        )
        await self._save_progress(account_id, [known.viewings[title][key] for title, key in changed.viewings])
        await self._save_additions(
            account_id, [known.additions[title][tag] for title, tag in changed.additions], ledger.now
        )
        await self._save_reactions(account_id, [known.reactions[title] for title in changed.reactions])
        await self._save_marks(account_id, [known.marks[key] for key in changed.marks])
        await self._save_conflicts(account_id, ledger.conflicts)

    async def done(self, account_id: str, operation_ids: Sequence[str]) -> set[str]:
        rows = await self._database.rows(
            "SELECT id FROM sync_operation WHERE account_id = $1 AND id = ANY($2::uuid[])",
            account_id,
            operation_ids,
        )
        return {row[0] for row in rows}

    async def remember(self, account_id: str, operation_ids: Sequence[str], at: datetime) -> None:
        await self._database.execute(
            """INSERT INTO sync_operation (account_id, id, done_at)
               SELECT $1, id, $3 FROM unnest($2::uuid[]) id ON CONFLICT DO NOTHING""",
            account_id,
            operation_ids,
            at,
        )

    async def settle(self, account_id: str, device_id: str, clock: int) -> None:
        await self._database.execute(
            "UPDATE device SET settled_hlc = greatest(settled_hlc, $3) WHERE account_id = $1 AND id = $2",
            account_id,
            device_id,
            clock,
        )
        await self._database.execute(
            """DELETE FROM watchlist_tag
                WHERE account_id = $1 AND removed
                  AND ((added_by = $2 AND added_hlc <= $3)
                       OR (added_at IS NULL AND removed_by = $2 AND removed_hlc <= $3))""",
            account_id,
            device_id,
            clock,
        )

    async def _of_titles(self, select: str, account_id: str, content_ids: Iterable[int]) -> list[Row]:
        return await self._database.rows(
            f"{select} WHERE account_id = $1 AND content_id = ANY($2::bigint[])",
            account_id,
            list(content_ids),
        )

    async def _additions(self, account_id: str, wanted: Wanted) -> list[Addition]:
        rows = await self._database.rows(
            """SELECT content_id, tag, added_at, added_hlc, added_by, given, removed, removed_hlc, removed_by
                 FROM watchlist_tag
                WHERE account_id = $1 AND (content_id = ANY($2::bigint[]) OR tag = ANY($3::uuid[]))""",
            account_id,
            list(wanted.watchlist),
            list(wanted.tags),
        )
        return [
            Addition(
                row[0], row[1], row[2], to_version(row[3], row[4]), row[5], row[6], to_version(row[7], row[8])
            )
            for row in rows
        ]

    async def _withdraw(self, account_id: str, viewings: Sequence[tuple[int, int]]) -> None:
        if viewings:
            await self._database.execute(
                """DELETE FROM progress
                    WHERE account_id = $1
                      AND (content_id, viewing) IN (SELECT * FROM unnest($2::bigint[], $3::int[]))""",
                account_id,
                *_columns(viewings),
            )

    async def _forget(self, account_id: str, titles: Mapping[int, Timestamp], now: datetime) -> None:
        """What was lost to what is forgotten now is forgotten as well."""
        if titles:
            await self._database.execute(
                """INSERT INTO forgotten_title (account_id, content_id, hlc, hlc_device, forgotten_at)
                   SELECT $1, *, $5 FROM unnest($2::bigint[], $3::bigint[], $4::text[])
                   ON CONFLICT (account_id, content_id) DO UPDATE
                      SET (hlc, hlc_device, forgotten_at)
                        = (EXCLUDED.hlc, EXCLUDED.hlc_device, EXCLUDED.forgotten_at)""",
                account_id,
                *_columns((title, version.clock, version.device) for title, version in titles.items()),
                now,
            )
            await self._database.execute(
                """DELETE FROM sync_conflict
                    WHERE account_id = $1 AND content_id = ANY($2::bigint[]) AND kind = 'progress'""",
                account_id,
                list(titles),
            )

    async def _save_progress(self, account_id: str, states: Sequence[WatchProgress]) -> None:
        if states:
            await self._database.execute(
                """INSERT INTO progress (account_id, content_id, viewing, position_seconds, duration_seconds,
                                         completed, hlc, hlc_device, device_id, updated_at, completed_at)
                   SELECT $1, * FROM unnest($2::bigint[], $3::int[], $4::int[], $5::int[], $6::bool[],
                                            $7::bigint[], $8::text[], $9::uuid[], $10::timestamptz[],
                                            $11::timestamptz[])
                   ON CONFLICT (account_id, content_id, viewing) DO UPDATE
                      SET (position_seconds, duration_seconds, completed, hlc, hlc_device, device_id,
                           updated_at, completed_at)
                        = (EXCLUDED.position_seconds, EXCLUDED.duration_seconds, EXCLUDED.completed,
                           EXCLUDED.hlc, EXCLUDED.hlc_device, EXCLUDED.device_id, EXCLUDED.updated_at,
                           EXCLUDED.completed_at)""",
                account_id,
                *_columns(
                    (
                        state.content_id,
                        state.viewing,
                        state.position_seconds,
                        state.duration_seconds,
                        state.completed,
                        state.version.clock,
                        state.version.device,
                        state.device_id,
                        state.updated_at,
                        state.completed_at,
                    )
                    for state in states
                ),
            )

    async def _save_additions(self, account_id: str, additions: Sequence[Addition], now: datetime) -> None:
        """A tag that we made ourselves comes from nobody again, so its removal need not be remembered."""
        gone = [addition.tag for addition in additions if addition.removed and not addition.given]
        kept = [addition for addition in additions if addition.given or not addition.removed]
        if gone:
            await self._database.execute(
                "DELETE FROM watchlist_tag WHERE account_id = $1 AND tag = ANY($2::uuid[])", account_id, gone
            )
        if kept:
            await self._database.execute(
                """INSERT INTO watchlist_tag (account_id, content_id, tag, added_at, added_hlc, added_by,
                                              place, given, removed, removed_hlc, removed_by, removed_at)
                   SELECT $1, *, CASE WHEN removed THEN $2::timestamptz END
                     FROM unnest($3::bigint[], $4::uuid[], $5::timestamptz[], $6::bigint[], $7::text[],
                                 $8::text[], $9::bool[], $10::bool[], $11::bigint[], $12::text[])
                       AS addition (content_id, tag, added_at, added_hlc, added_by, place, given, removed,
                                    removed_hlc, removed_by)
                   ON CONFLICT (account_id, tag) DO UPDATE
                      SET (added_at, added_hlc, added_by, place, removed, removed_hlc, removed_by,
                           removed_at)
                        = (EXCLUDED.added_at, EXCLUDED.added_hlc, EXCLUDED.added_by, EXCLUDED.place,
                           EXCLUDED.removed, EXCLUDED.removed_hlc, EXCLUDED.removed_by,
                           EXCLUDED.removed_at)""",
                account_id,
                now,
                *_columns(
                    (
                        addition.content_id,
                        addition.tag,
                        addition.at,
                        *_parts(addition.version),
                        None if addition.version is None else place_of(addition.version.milliseconds),
                        addition.given,
                        addition.removed,
                        *_parts(addition.removal),
                    )
                    for addition in kept
                ),
            )

    async def _save_reactions(self, account_id: str, reactions: Sequence[Reaction]) -> None:
        if reactions:
            await self._database.execute(
                f"""INSERT INTO reaction (account_id, {REACTION})
                    SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::float8[], $5::bigint[], $6::text[],
                                             $7::timestamptz[])
                    ON CONFLICT (account_id, content_id) DO UPDATE
                       SET (verdict, stars, hlc, hlc_device, updated_at)
                         = (EXCLUDED.verdict, EXCLUDED.stars, EXCLUDED.hlc, EXCLUDED.hlc_device,
                            EXCLUDED.updated_at)""",
                account_id,
                *_columns(
                    (
                        reaction.content_id,
                        reaction.verdict,
                        reaction.stars,
                        reaction.version.clock,
                        reaction.version.device,
                        reaction.updated_at,
                    )
                    for reaction in reactions
                ),
            )

    async def _save_marks(self, account_id: str, marks: Sequence[Mark]) -> None:
        if marks:
            await self._database.execute(
                f"""INSERT INTO title_mark (account_id, {MARK})
                    SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::jsonb[], $5::bigint[], $6::text[],
                                             $7::timestamptz[])
                    ON CONFLICT (account_id, content_id, kind) DO UPDATE
                       SET (value, hlc, hlc_device, updated_at)
                         = (EXCLUDED.value, EXCLUDED.hlc, EXCLUDED.hlc_device, EXCLUDED.updated_at)""",
                account_id,
                *_columns(
                    (
                        mark.content_id,
                        mark.kind,
                        {"is": mark.value},
                        mark.version.clock,
                        mark.version.device,
                        mark.updated_at,
                    )
                    for mark in marks
                ),
            )

    async def _save_conflicts(self, account_id: str, conflicts: Sequence[Conflict]) -> None:
        if conflicts:
            await self._database.execute(
                """INSERT INTO sync_conflict (account_id, content_id, kind, lost, lost_hlc, lost_device, won,
                                              won_hlc, won_device, noted_at)
                   SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::jsonb[], $5::bigint[], $6::text[],
                                            $7::jsonb[], $8::bigint[], $9::text[], $10::timestamptz[])
                   ON CONFLICT DO NOTHING""",
                account_id,
                *_columns(
                    (
                        conflict.content_id,
                        conflict.kind,
                        conflict.lost.value,
                        *_parts(conflict.lost.version),
                        conflict.won.value,
                        *_parts(conflict.won.version),
                        conflict.noted_at,
                    )
                    for conflict in conflicts
                ),
            )


def to_progress(row: Row) -> WatchProgress:
    # By place: there are many of these, and names make it a third slower.
    return WatchProgress(
        row[0], row[1], row[2], row[3], row[4], Timestamp(row[5], row[6]), row[7], row[8], row[9]
    )


def to_reaction(row: Row) -> Reaction:
    verdict = None if row[1] is None else Verdict(row[1])
    return Reaction(row[0], verdict, row[2], Timestamp(row[3], row[4]), row[5])


def to_mark(row: Row) -> Mark:
    return Mark(row[0], MarkKind(row[1]), row[2]["is"], Timestamp(row[3], row[4]), row[5])


def to_marks(rows: Iterable[Row]) -> Mapping[int, Marks]:
    by_title: dict[int, list[Mark]] = {}
    for mark in map(to_mark, rows):
        by_title.setdefault(mark.content_id, []).append(mark)
    return {title: marks_of(title, marks) for title, marks in by_title.items()}


def to_version(clock: int | None, device: str | None) -> Timestamp | None:
    return None if clock is None else Timestamp(clock, device or "")


def _spans(rows: Iterable[Row]) -> dict[str, list[Span]]:
    """Of `DEVICES`."""
    spans: dict[str, list[Span]] = {}
    for row in rows:
        if row[2] is not None:
            spans.setdefault(row[0], []).append(Span(row[2], row[3]))
    return spans


def _parts(version: Timestamp | None) -> tuple[int | None, str | None]:
    return (None, None) if version is None else (version.clock, version.device)


def _columns(rows: Iterable[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
