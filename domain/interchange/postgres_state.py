"""What there is of an account, to be exported, from PostgreSQL."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict

from domain.catalog.model import ContentKind, ExternalId
from domain.interchange.archive import Record, State
from domain.interchange.model import Reference
from domain.platform.postgres import Database, Row
from domain.sync.clock import Timestamp
from domain.sync.postgres_devices import COLUMNS, to_device
from domain.sync.postgres_ledger import (
    MARK,
    PROGRESS,
    REACTION,
    to_mark,
    to_progress,
    to_reaction,
    to_version,
)

TITLES = """
SELECT c.id, c.kind, w.id, w.title, w.year, w.slug,
       CASE c.kind WHEN 'episode' THEN p.number WHEN 'season' THEN c.number WHEN 'track' THEN c.disc END,
       CASE WHEN c.kind IN ('episode', 'track') THEN c.number END
  FROM content c LEFT JOIN content p ON p.id = c.parent_id
  JOIN content w ON w.id = coalesce(p.parent_id, p.id, c.id)
 WHERE c.id = ANY($1::bigint[])"""

IDS = """
SELECT content_id, source, value FROM external_id
 WHERE content_id = ANY($1::bigint[]) ORDER BY source, value"""

ADDITIONS = """
SELECT content_id, tag, added_at, added_hlc, added_by, given FROM watchlist_tag
 WHERE account_id = $1 AND NOT removed AND added_at IS NOT NULL ORDER BY added_at, tag"""

REMOVALS = """
SELECT content_id, tag, added_at, added_hlc, added_by, removed_hlc, removed_by FROM watchlist_tag
 WHERE account_id = $1 AND removed ORDER BY removed_at, tag"""

DEVICES = f"SELECT {COLUMNS} FROM device WHERE account_id = $1 ORDER BY registered_at, id"
"""Also those that were removed: what was watched on them names them."""


class PostgresState:
    """Reads all of an account as of one moment."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self, account_id: str) -> State:
        async with self._database.transaction() as session:
            await session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            viewings = await self._database.rows(
                f"""SELECT {PROGRESS} FROM progress p
                     WHERE account_id = $1 ORDER BY updated_at, content_id, viewing""",
                account_id,
            )
            additions = await self._database.rows(ADDITIONS, account_id)
            reactions = await self._database.rows(
                f"""SELECT {REACTION} FROM reaction
                     WHERE account_id = $1 ORDER BY updated_at, content_id""",
                account_id,
            )
            marks = await self._database.rows(
                f"""SELECT {MARK} FROM title_mark
                     WHERE account_id = $1 ORDER BY updated_at, content_id, kind""",
                account_id,
            )
            removals = await self._database.rows(REMOVALS, account_id)
            devices = await self._database.rows(DEVICES, account_id)
            told = [*viewings, *additions, *removals, *reactions, *marks]
            titles = await self._titles({row["content_id"] for row in told})
        return State(
            titles,
            [_viewing(row) for row in viewings],
            [_addition(row) for row in additions],
            [_reaction(row) for row in reactions],
            [_mark(row) for row in marks],
            [_removal(row) for row in removals],
            [_device(row) for row in devices],
        )

    async def _titles(self, content_ids: Collection[int]) -> Mapping[int, Reference]:
        rows = await self._database.rows(TITLES, list(content_ids))
        named = {row[0] for row in rows} | {row[2] for row in rows}
        ids: dict[int, list[ExternalId]] = {}
        for row in await self._database.rows(IDS, list(named)):
            ids.setdefault(row[0], []).append(ExternalId(row[1], row[2]))
        return {row[0]: _reference(row, ids) for row in rows}


def _reference(row: Row, ids: Mapping[int, Iterable[ExternalId]]) -> Reference:
    slug = [] if row[5] is None else [ExternalId("slug", row[5])]
    own = ids.get(row[0], ()) if row[0] != row[2] else ()
    return Reference(
        ContentKind(row[1]),
        title=row[3],
        year=row[4],
        ids=(*slug, *ids.get(row[2], ())),
        own_ids=tuple(own),
        part=row[6],
        number=row[7],
    )


def _viewing(row: Row) -> tuple[int, Record]:
    progress = to_progress(row)
    return progress.content_id, {
        "viewing": progress.viewing,
        "position_seconds": progress.position_seconds,
        "duration_seconds": progress.duration_seconds,
        "completed": progress.completed,
        "completed_at": progress.completed_at,
        "version": str(progress.version),
        "updated_at": progress.updated_at,
        "device": progress.device_id,
    }


def _addition(row: Row) -> tuple[int, Record]:
    return row[0], {
        "tag": row[1],
        "added_at": row[2],
        "version": str(Timestamp(row[3], row[4] or "")),
        "given": row[5],
    }


def _removal(row: Row) -> tuple[int, Record]:
    added, removal = to_version(row[3], row[4]), to_version(row[5], row[6])
    return row[0], {
        "tag": row[1],
        "added_at": row[2],
        "version": None if added is None else str(added),
        "removal": None if removal is None else str(removal),
    }


def _device(row: Row) -> Record:
    device = to_device(row)
    return {
        "id": device.id,
        "name": device.name,
        "kind": device.kind.value,
        "platform": device.platform,
        "app_version": device.app_version,
        "capabilities": asdict(device.capabilities),
        "registered_at": device.registered_at,
        "last_seen_at": device.last_seen_at,
    }


def _reaction(row: Row) -> tuple[int, Record]:
    reaction = to_reaction(row)
    return reaction.content_id, {
        "verdict": reaction.verdict,
        "stars": reaction.stars,
        "version": str(reaction.version),
        "updated_at": reaction.updated_at,
    }


def _mark(row: Row) -> tuple[int, Record]:
    mark = to_mark(row)
    return mark.content_id, {
        "kind": mark.kind.value,
        "value": mark.value,
        "version": str(mark.version),
        "updated_at": mark.updated_at,
    }
