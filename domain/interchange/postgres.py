"""What was imported, in PostgreSQL."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from domain.interchange.model import Item, ItemKind, Source
from domain.interchange.service import File, Import, ImportState
from domain.platform.paging import Cut, Keyset, Page, SortKey
from domain.platform.postgres import Database, Row, columns
from domain.sync.clock import Timestamp
from domain.sync.model import MarkKind

ITEM = "content_id, kind, hlc, hlc_device, at, viewing, tag, mark, before"
IMPORT = """i.id, i.source, i.name, i.begun_at, i.finished_at, i.undone_at,
    (SELECT count(*) FROM import_item n WHERE n.import_id = i.id),
    (SELECT count(*) FROM import_item n WHERE n.import_id = i.id AND n.taken_back IS FALSE)"""
LATEST = Keyset(
    "imports", (SortKey("i.begun_at", "timestamptz", descending=True), SortKey("i.id::text", "text"))
)


class PostgresImports:
    """Fills `Imports`."""

    def __init__(self, database: Database, new_id: Callable[[], str]) -> None:
        self._database = database
        self._new_id = new_id

    async def step(self, account_id: str, file: File, at: datetime, items: Sequence[Item]) -> str:
        import_id: str = await self._database.value(
            """INSERT INTO import (id, account_id, source, name, digest, begun_at)
               VALUES ($1, $2, $3, $4, $5, $6)
               ON CONFLICT (account_id, digest) WHERE finished_at IS NULL AND undone_at IS NULL
               DO UPDATE SET name = EXCLUDED.name RETURNING id""",
            self._new_id(),
            account_id,
            file.source.value,
            file.name,
            file.digest,
            at,
        )
        await self._database.execute(
            f"""INSERT INTO import_item (import_id, number, {ITEM})
                SELECT $1, coalesce((SELECT max(number) FROM import_item WHERE import_id = $1), 0) + place,
                       {ITEM}
                  FROM unnest($2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::timestamptz[],
                              $7::int[], $8::uuid[], $9::text[], $10::jsonb[])
                       WITH ORDINALITY AS item ({ITEM}, place)""",
            import_id,
            *columns((_columns_of(item) for item in items), 9),
        )
        return import_id

    async def finish(self, account_id: str, digest: str, at: datetime) -> None:
        await self._database.execute(
            """UPDATE import SET finished_at = $3
                WHERE account_id = $1 AND digest = $2 AND finished_at IS NULL AND undone_at IS NULL""",
            account_id,
            digest,
            at,
        )

    async def listed(
        self, account_id: str, source: Source, content_ids: Sequence[int]
    ) -> Mapping[int, datetime | None]:
        rows = await self._database.rows(
            """SELECT n.content_id, max(n.at) FROM import_item n JOIN import i ON i.id = n.import_id
                WHERE i.account_id = $1 AND i.source = $2 AND i.undone_at IS NULL
                  AND n.kind = 'listing' AND n.content_id = ANY($3::bigint[]) AND n.taken_back IS NULL
                GROUP BY n.content_id""",
            account_id,
            source.value,
            content_ids,
        )
        return {row[0]: row[1] for row in rows}

    async def one(self, account_id: str, import_id: str) -> Import | None:
        row = await self._database.row(
            f"SELECT {IMPORT} FROM import i WHERE i.account_id = $1 AND i.id::text = $2",
            account_id,
            import_id,
        )
        return None if row is None else _import(row)

    async def page(self, account_id: str, cut: Cut) -> Page[Import]:
        arguments: list[Any] = [account_id]
        beyond, sort = LATEST.clauses(cut, arguments)
        rows = await self._database.rows(
            f"""SELECT {IMPORT}, {LATEST.select()} FROM import i
                 WHERE i.account_id = $1 AND {beyond} ORDER BY {sort} LIMIT {cut.size + 1}""",
            *arguments,
        )

        async def count() -> int:
            counted: int = await self._database.value(
                "SELECT count(*) FROM import WHERE account_id = $1", account_id
            )
            return counted

        return LATEST.page(rows, cut, _import, count)

    async def items(self, import_id: str, limit: int) -> list[tuple[int, Item]]:
        rows = await self._database.rows(
            f"""SELECT {ITEM}, number FROM import_item
                 WHERE import_id = $1 AND taken_back IS NULL ORDER BY number DESC LIMIT $2""",
            import_id,
            limit,
        )
        return [(row["number"], _item(row)) for row in rows]

    async def settle(self, import_id: str, numbers: Mapping[int, bool]) -> None:
        await self._database.execute(
            """UPDATE import_item i SET taken_back = told.taken_back
                 FROM unnest($2::int[], $3::bool[]) AS told (number, taken_back)
                WHERE i.import_id = $1 AND i.number = told.number""",
            import_id,
            *columns(numbers.items(), 2),
        )

    async def undone(self, import_id: str, at: datetime) -> None:
        await self._database.execute("UPDATE import SET undone_at = $2 WHERE id = $1", import_id, at)


def _columns_of(item: Item) -> tuple[Any, ...]:
    return (
        item.content_id,
        item.kind.value,
        item.version.clock,
        item.version.device,
        item.at,
        item.viewing,
        item.tag,
        None if item.mark is None else item.mark.value,
        item.before,
    )


def _item(row: Row) -> Item:
    return Item(
        content_id=row[0],
        kind=ItemKind(row[1]),
        version=Timestamp(row[2], row[3]),
        at=row[4],
        viewing=row[5],
        tag=row[6],
        mark=None if row[7] is None else MarkKind(row[7]),
        before=row[8],
    )


def _import(row: Row) -> Import:
    state = ImportState.DONE
    if row[5] is not None:
        state = ImportState.UNDONE
    elif row[4] is None:
        state = ImportState.BEGUN
    return Import(
        id=row[0],
        source=Source(row[1]),
        name=row[2],
        state=state,
        begun_at=row[3],
        brought=row[6],
        left=row[7],
    )
