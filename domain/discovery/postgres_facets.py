"""Counting results by field, all fields in one statement."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from domain.catalog.filters import OFFERED_NOW, Filter, sql_conditions
from domain.discovery.model import Counts, FacetField

MAX_VALUES = 20

FILTERED_BY: dict[FacetField, tuple[str, ...]] = {
    FacetField.GENRE: ("genres",),
    FacetField.PLATFORM: ("platforms",),
    FacetField.DECADE: ("year_from", "year_to"),
    FacetField.KIND: ("kinds",),
    FacetField.LANGUAGE: ("languages",),
    FacetField.MATURITY: ("maturity_ratings", "max_maturity_rating"),
}
"""The fields of a filter that each facet opens."""

VALUES = {
    FacetField.GENRE: ("genre.value", "CROSS JOIN LATERAL unnest(genres) AS genre (value)"),
    FacetField.DECADE: ("decade::text", ""),
    FacetField.KIND: ("kind", ""),
    FacetField.LANGUAGE: ("original_language", ""),
    FacetField.MATURITY: ("maturity_rating", ""),
}


def counting(matched: str, near: int, wanted: Filter, arguments: list[Any]) -> str:
    """The statement that counts what is in `matched` or among the ids of argument number `near`.

    Each field is counted under the other fields' conditions. Appends the filter's values to `arguments`.
    """
    filtered = [name for names in FILTERED_BY.values() for name in names]
    where = sql_conditions(wanted.without(*filtered), arguments)
    fits = ", ".join(
        f"({sql_conditions(_only(wanted, names), arguments)}) IS TRUE AS fits_{facet.value}"
        for facet, names in FILTERED_BY.items()
    )
    values = VALUES | {FacetField.PLATFORM: _platforms(wanted, arguments)}
    counts = " UNION ALL ".join(_count(facet, *values[facet]) for facet in FILTERED_BY)
    return f"""{matched}, counted AS MATERIALIZED (
            SELECT c.id, c.kind, c.genres, c.year / 10 * 10 AS decade, c.original_language, c.maturity_rating,
                   {fits}
              FROM content c
             WHERE c.id IN (SELECT id FROM matched UNION SELECT unnest(${near}::bigint[])) AND {where})
        {counts}
        ORDER BY 1, 3 DESC, 2"""


def grouped(rows: Iterable[Any]) -> Counts:
    """The most frequent values of each field, from rows in their order."""
    found: dict[FacetField, list[tuple[str, int]]] = {facet: [] for facet in FILTERED_BY}
    for facet, value, count in rows:
        values = found[FacetField(facet)]
        if len(values) < MAX_VALUES:
            values.append((value, count))
    return found


def _count(facet: FacetField, value: str, source: str) -> str:
    others = " AND ".join(f"fits_{other.value}" for other in FILTERED_BY if other is not facet)
    return f"""SELECT '{facet.value}', {value}, count(*) FROM counted {source}
                WHERE {others} AND {value} IS NOT NULL GROUP BY 2"""


def _only(wanted: Filter, names: tuple[str, ...]) -> Filter:
    """A filter by these fields alone; platforms keep the kinds of offers, as both hold for one offer."""
    kept: dict[str, Any] = {name: getattr(wanted, name) for name in names}
    if wanted.platforms is not None and "platforms" in names:
        kept["offer_kinds"] = wanted.offer_kinds
    return replace(Filter(region=wanted.region), **kept)


def _platforms(wanted: Filter, arguments: list[Any]) -> tuple[str, str]:
    arguments.append(wanted.region)
    region = f"offer.region = ${len(arguments)}::text"
    kinds = "TRUE"
    if wanted.offer_kinds is not None:
        arguments.append(list(wanted.offer_kinds))
        kinds = f"offer.kind = ANY(${len(arguments)}::text[])"
    source = f"""CROSS JOIN LATERAL (
        SELECT DISTINCT platform AS value FROM offer
         WHERE offer.content_id = counted.id AND {region} AND {kinds}
           AND {OFFERED_NOW}) AS platform"""
    return "platform.value", source
