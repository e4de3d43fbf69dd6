"""What of the graph is used, in PostgreSQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from domain.platform.postgres import Database, columns
from gateway.engine.usage import OTHERS, OperationKey, Tally

MOST_AD_HOC: Final = 10_000
"""Operations that were not published and are told apart; who sends different ones all day fills no disk."""


@dataclass(frozen=True, slots=True)
class UsedOperation:
    """An operation and its use."""

    hash: str
    name: str
    trusted: bool
    uses: int
    last_used_at: datetime


class PostgresUsage:
    """Sums of what all processes counted."""

    def __init__(self, database: Database, most_ad_hoc: int = MOST_AD_HOC) -> None:
        self._database = database
        self._most_ad_hoc = most_ad_hoc

    async def add(self, tally: Tally, now: datetime) -> None:
        async with self._database.transaction():
            await self._add_operations(await self._told_apart(tally.operations), now)
            await self._add_coordinates(tally.coordinates, now.date())

    async def operations(self, since: datetime) -> list[UsedOperation]:
        """Those that ran since, the most used first."""
        rows = await self._database.rows(
            """SELECT hash, operation_name, trusted, uses, last_used_at FROM operation_usage
                WHERE last_used_at >= $1 ORDER BY uses DESC, operation_name, hash""",
            since,
        )
        return [UsedOperation(*row) for row in rows]

    async def coordinates(self, since: date) -> dict[str, int]:
        """How often each field was asked for since that day."""
        rows = await self._database.rows(
            """SELECT coordinate, sum(uses)::bigint FROM field_usage WHERE day >= $1
                GROUP BY coordinate ORDER BY coordinate""",
            since,
        )
        return {row[0]: row[1] for row in rows}

    async def forget(self, before: datetime) -> None:
        """What was not used since."""
        async with self._database.transaction():
            await self._database.execute("DELETE FROM operation_usage WHERE last_used_at < $1", before)
            await self._database.execute("DELETE FROM field_usage WHERE day < $1", before.date())

    async def _told_apart(
        self, operations: Mapping[OperationKey, tuple[int, bool]]
    ) -> dict[OperationKey, tuple[int, bool]]:
        """The same, with those that there is no room for summed up."""
        ad_hoc = {key for key, (_, trusted) in operations.items() if not trusted}
        new = ad_hoc - await self._known(ad_hoc)
        held = await self._database.value("SELECT count(*) FROM operation_usage WHERE NOT trusted")
        room = max(0, self._most_ad_hoc - held)
        surplus = set(sorted(new, key=lambda key: -operations[key][0])[room:]) - {OTHERS}
        kept = {key: use for key, use in operations.items() if key not in surplus}
        if surplus:
            count, _ = kept.get(OTHERS, (0, False))
            kept[OTHERS] = (count + sum(operations[key][0] for key in surplus), False)
        return kept

    async def _known(self, keys: set[OperationKey]) -> set[OperationKey]:
        hashes, names = columns([(key.hash, key.name) for key in keys], 2)
        rows = await self._database.rows(
            """SELECT hash, operation_name FROM operation_usage
                 JOIN unnest($1::text[], $2::text[]) AS asked (hash, operation_name)
                USING (hash, operation_name)""",
            hashes,
            names,
        )
        return {OperationKey(row[0], row[1]) for row in rows}

    async def _add_operations(
        self, operations: Mapping[OperationKey, tuple[int, bool]], now: datetime
    ) -> None:
        # In one order, so that processes that write at the same time do not wait for each other in a circle.
        hashes, names, uses, trusted = columns(
            [(key.hash, key.name, *use) for key, use in sorted(operations.items())], 4
        )
        await self._database.execute(
            """INSERT INTO operation_usage AS held
                      (hash, operation_name, uses, trusted, first_used_at, last_used_at)
               SELECT hash, name, uses, trusted, $5, $5
                 FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bool[])
                   AS given (hash, name, uses, trusted)
               ON CONFLICT (hash, operation_name) DO UPDATE
                  SET uses = held.uses + excluded.uses, trusted = excluded.trusted,
                      last_used_at = greatest(held.last_used_at, excluded.last_used_at)""",
            hashes,
            names,
            uses,
            trusted,
            now,
        )

    async def _add_coordinates(self, coordinates: Mapping[str, int], day: date) -> None:
        names, uses = columns(sorted(coordinates.items()), 2)
        await self._database.execute(
            """INSERT INTO field_usage AS held (coordinate, day, uses)
               SELECT coordinate, $3, uses
                 FROM unnest($1::text[], $2::bigint[]) AS given (coordinate, uses)
               ON CONFLICT (coordinate, day) DO UPDATE SET uses = held.uses + excluded.uses""",
            names,
            uses,
            day,
        )
