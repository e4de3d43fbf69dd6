"""The log of news in PostgreSQL."""

from collections.abc import Sequence
from typing import Any

from domain.catalog.model import OfferKind
from domain.news.model import Announced, Availability, AvailabilityChange, Interest, News, Trends
from domain.platform.postgres import Database, Row

TRENDS, ANNOUNCED = "trends", "announced"

OFFER_KINDS = {kind.value: kind for kind in OfferKind}
CHANGES = {change.value: change for change in AvailabilityChange}


class PostgresNews:
    """Fills `NewsLog`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def latest(self) -> int:
        latest: int = await self._database.value(
            "SELECT coalesce(greatest((SELECT max(id) FROM news), (SELECT forgotten FROM news_state)), 0)"
        )
        return latest

    async def forgotten(self) -> int:
        return await self._database.value("SELECT forgotten FROM news_state") or 0

    async def since(self, seq: int, interest: Interest, limit: int) -> Sequence[News]:
        arguments: list[Any] = [seq, limit]
        rows = await self._database.rows(
            f"""SELECT id, kind, content_id, region, platform, offer_kind, until, content_ids,
                       announcement_id, at
                  FROM news WHERE id > $1 AND {_followed(interest, arguments)} ORDER BY id LIMIT $2""",
            *arguments,
        )
        return [news_of(row) for row in rows]


def _followed(interest: Interest, arguments: list[Any]) -> str:
    """What `Interest.takes` says, in SQL."""
    conditions, of_none = [], "content_id IS NULL"
    for condition, given in (
        ("content_id = ANY({}::bigint[])", _listed(interest.content_ids)),
        ("region = {}", interest.region),
        ("platform = ANY({}::text[])", _listed(interest.platform_ids)),
    ):
        if given is not None:
            arguments.append(given)
            conditions.append(condition.format(f"${len(arguments)}"))
    offered = " AND ".join(conditions) or "true"
    if interest.content_ids is not None:
        return offered
    if interest.region is not None:
        arguments.append(interest.region)
        of_none += f" AND (region IS NULL OR region = ${len(arguments)})"
    return f"({of_none} OR {offered})"


def _listed(given: frozenset[Any] | None) -> list[Any] | None:
    return None if given is None else list(given)


def news_of(row: Row) -> News:
    seq, kind, content_id, region, platform, offer_kind, until, content_ids, announcement_id, at = row
    if kind == TRENDS:
        return Trends(seq, tuple(content_ids), at)
    if kind == ANNOUNCED:
        return Announced(seq, announcement_id, region, at)
    return Availability(seq, CHANGES[kind], content_id, region, platform, OFFER_KINDS[offer_kind], until, at)
