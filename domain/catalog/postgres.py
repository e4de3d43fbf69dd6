"""The catalogue's reads in PostgreSQL, each for many keys at once."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from domain.catalog.filters import Filter, sql_conditions
from domain.catalog.model import (
    Album,
    ArtworkKind,
    Content,
    Credit,
    CreditRole,
    Episode,
    ExternalId,
    Image,
    Money,
    Movie,
    Offer,
    OfferKind,
    Person,
    Place,
    Rating,
    Season,
    Series,
    SeriesStatus,
    Track,
    VideoQuality,
)
from domain.catalog.service import ContentOrder, cheapest_first
from domain.catalog.taxonomy import MaturityRating
from domain.platform.paging import Cut, Keyset, Page, SortKey
from domain.platform.postgres import Database, Row

K = TypeVar("K")
V = TypeVar("V")

COLUMNS = """c.id, c.title, c.original_title, c.synopsis, c.release_date, c.year, c.genres, c.keywords,
    c.original_language, c.countries, c.maturity_rating, c.popularity, c.updated_at,
    c.kind, c.parent_id, c.number, c.disc, c.runtime_seconds, c.status, c.episode_count, c.label,
    c.end_credits_seconds"""

WIDTH = 22

# A look-up is a tenth of what calling the enum costs, and these are looked up for every row.
RATINGS: dict[str | None, MaturityRating | None] = {rating.value: rating for rating in MaturityRating}
STATUSES: dict[str | None, SeriesStatus | None] = {status.value: status for status in SeriesStatus}
ROLES = {role.value: role for role in CreditRole}
ARTWORK_KINDS = {kind.value: kind for kind in ArtworkKind}
OFFER_KINDS = {kind.value: kind for kind in OfferKind}
QUALITIES: dict[str | None, VideoQuality | None] = {quality.value: quality for quality in VideoQuality}
RATINGS[None] = STATUSES[None] = QUALITIES[None] = QUALITIES[""] = None

# A part is retired with its whole.
STANDS = """c.deleted_at IS NULL AND (c.parent_id IS NULL OR NOT EXISTS (
    SELECT FROM content whole LEFT JOIN content top ON top.id = whole.parent_id
     WHERE whole.id = c.parent_id AND (whole.deleted_at IS NOT NULL OR top.deleted_at IS NOT NULL)))"""

BY_ID = SortKey("c.id", "bigint")
ORDERS = {
    ContentOrder.POPULARITY: Keyset(
        "popularity", (SortKey("c.popularity", "float8", descending=True), BY_ID)
    ),
    ContentOrder.TITLE: Keyset("title", (SortKey("c.title_key", "text"), BY_ID)),
    ContentOrder.NEWEST: Keyset("newest", (SortKey("coalesce(c.year, 0)", "int", descending=True), BY_ID)),
    ContentOrder.OLDEST: Keyset("oldest", (SortKey("coalesce(c.year, 9999)", "int"), BY_ID)),
}


class PostgresCatalog:
    """Fills `CatalogStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def contents(self, ids: Sequence[int]) -> Mapping[int, Content]:
        rows = await self._database.rows(
            f"SELECT {COLUMNS} FROM content c WHERE c.id = ANY($1::bigint[]) AND {STANDS}", ids
        )
        return {row["id"]: content_of(row) for row in rows}

    async def seasons(self, series_ids: Sequence[int]) -> Mapping[int, list[Season]]:
        return await self._parts(series_ids)

    async def episodes(self, season_ids: Sequence[int]) -> Mapping[int, list[Episode]]:
        return await self._parts(season_ids)

    async def tracks(self, album_ids: Sequence[int]) -> Mapping[int, list[Track]]:
        return await self._parts(album_ids)

    async def credits(self, content_ids: Sequence[int]) -> Mapping[int, list[Credit]]:
        rows = await self._database.rows(
            """SELECT credit.content_id, credit.person_id, person.name, credit.role, credit.position,
                      credit.character
                 FROM credit JOIN person ON person.id = credit.person_id
                WHERE credit.content_id = ANY($1::bigint[])
                ORDER BY credit.role, credit.position""",
            content_ids,
        )
        found: defaultdict[int, list[Credit]] = defaultdict(list)
        # There are more of these than of all else, so each step of the loop counts.
        for content_id, person_id, name, role, position, character in rows:
            credit = Credit(content_id, Person(person_id, name), ROLES[role], position, character)
            found[content_id].append(credit)
        return found

    async def people(self, ids: Sequence[int]) -> Mapping[int, Person]:
        rows = await self._database.rows("SELECT id, name FROM person WHERE id = ANY($1::bigint[])", ids)
        return {row[0]: Person(row[0], row[1]) for row in rows}

    async def works_of(self, person_ids: Sequence[int]) -> Mapping[int, list[int]]:
        """The works of each person, best known first."""
        rows = await self._database.rows(
            """SELECT credit.person_id, c.id
                 FROM credit JOIN content c ON c.id = credit.content_id
                WHERE credit.person_id = ANY($1::bigint[]) AND c.listed
                GROUP BY credit.person_id, c.id
                ORDER BY c.popularity DESC, c.id""",
            person_ids,
        )
        return _grouped(rows, lambda row: row[0], lambda row: row[1])

    async def external_ids(self, content_ids: Sequence[int]) -> Mapping[int, list[ExternalId]]:
        rows = await self._database.rows(
            """SELECT content_id, source, value FROM external_id
                WHERE content_id = ANY($1::bigint[]) ORDER BY source, value""",
            content_ids,
        )
        return _grouped(rows, lambda row: row[0], lambda row: ExternalId(row[1], row[2]))

    async def ratings(self, content_ids: Sequence[int]) -> Mapping[int, list[Rating]]:
        rows = await self._database.rows(
            """SELECT content_id, source, value, scale, vote_count FROM rating
                WHERE content_id = ANY($1::bigint[]) ORDER BY source""",
            content_ids,
        )
        return _grouped(rows, lambda row: row[0], lambda row: Rating(row[1], row[2], row[3], row[4]))

    async def artwork(self, content_ids: Sequence[int]) -> Mapping[int, list[Image]]:
        rows = await self._database.rows(
            """SELECT content_id, kind, url, width, height FROM artwork
                WHERE content_id = ANY($1::bigint[]) ORDER BY kind DESC, position""",
            content_ids,
        )
        found: defaultdict[int, list[Image]] = defaultdict(list)
        for content_id, kind, url, width, height in rows:
            found[content_id].append(Image(ARTWORK_KINDS[kind], url, width, height))
        return found

    async def offers(self, places: Sequence[Place]) -> Mapping[Place, list[Offer]]:
        """What is offered as a whole is offered in its parts: an episode has the offers of its series."""
        rows = await self._database.rows(
            f"""SELECT offer.content_id, offer.kind, offer.region, offer.platform, offer.link_id, offer.price,
                      offer.currency, offer.quality, offer.available_from, offer.expires_at,
                      offer.last_verified_at, offer.demonstration, place.content_id AS part_id
                 FROM unnest($1::bigint[], $2::text[]) AS place (content_id, region)
                 JOIN content c ON c.id = place.content_id AND {STANDS}
                 LEFT JOIN content whole ON whole.id = c.parent_id
                 JOIN offer ON offer.region = place.region
                  AND offer.content_id IN (c.id, c.parent_id, whole.parent_id)""",
            [place.content_id for place in places],
            [place.region for place in places],
        )
        found: dict[tuple[int, str], list[Offer]] = {place: [] for place in places}
        for (
            content_id, kind, region, platform, link_id, price, currency, quality, available_from, expires_at,
            verified_at, demonstration, part_id,
        ) in rows:  # fmt: skip
            offer = Offer(
                content_id,
                OFFER_KINDS[kind],
                region,
                platform,
                link_id,
                None if price is None else Money(price, currency),
                QUALITIES[quality],
                available_from,
                expires_at,
                verified_at,
                demonstration,
            )
            found[part_id, region].append(offer)
        return {place: cheapest_first(place, found[place]) for place in places if found[place]}

    async def by_external_id(self, keys: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], int]:
        rows = await self._database.rows(
            f"""SELECT source, value, c.id
                  FROM unnest($1::text[], $2::text[]) AS key (source, value)
                  JOIN external_id USING (source, value)
                  JOIN content c ON c.id = external_id.content_id AND {STANDS}""",
            [source for source, _ in keys],
            [value for _, value in keys],
        )
        return {(row[0], row[1]): row[2] for row in rows}

    async def by_slug(self, slugs: Sequence[str]) -> Mapping[str, int]:
        rows = await self._database.rows(
            f"SELECT c.slug, c.id FROM content c WHERE c.slug = ANY($1::text[]) AND {STANDS}", slugs
        )
        return {row[0]: row[1] for row in rows}

    async def by_link(self, keys: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], int]:
        """Where a platform has one link for several titles, the best known of them."""
        rows = await self._database.rows(
            f"""SELECT DISTINCT ON (platform, link_id) platform, link_id, c.id
                  FROM unnest($1::text[], $2::text[]) AS key (platform, link_id)
                  JOIN offer USING (platform, link_id)
                  JOIN content c ON c.id = offer.content_id AND {STANDS}
                 ORDER BY platform, link_id, c.popularity DESC, c.id""",
            [platform for platform, _ in keys],
            [link for _, link in keys],
        )
        return {(row[0], row[1]): row[2] for row in rows}

    async def browse(self, wanted: Filter, order: ContentOrder, cut: Cut) -> Page[Content]:
        arguments: list[Any] = []
        where = sql_conditions(wanted, arguments)
        counted = list(arguments)
        keyset = ORDERS[order]
        beyond, sort = keyset.clauses(cut, arguments)
        rows = await self._database.rows(
            f"""SELECT {COLUMNS}, {keyset.select()} FROM content c
                 WHERE {where} AND {beyond} ORDER BY {sort} LIMIT {cut.size + 1}""",
            *arguments,
        )

        async def count() -> int:
            total: int = await self._database.value(f"SELECT count(*) FROM content c WHERE {where}", *counted)
            return total

        return keyset.page(rows, cut, content_of, count)

    async def _parts(self, parent_ids: Sequence[int]) -> Mapping[int, list[Any]]:
        rows = await self._database.rows(
            f"""SELECT {COLUMNS} FROM content c
                 WHERE c.parent_id = ANY($1::bigint[]) AND {STANDS}
                 ORDER BY c.disc, c.number, c.id""",
            parent_ids,
        )
        return _grouped(rows, lambda row: row["parent_id"], content_of)


def content_of(row: Row) -> Content:
    """A work from a row that begins with `COLUMNS`."""
    (
        id_, title, original_title, synopsis, release_date, year, genres, keywords, language, countries,
        rating, popularity, updated_at,
        kind, parent_id, number, disc, runtime_seconds, status, episode_count, label,
        end_credits_seconds,
    ) = row[:WIDTH]  # fmt: skip
    shared = (
        id_, title, original_title, synopsis, release_date, year, tuple(genres), tuple(keywords), language,
        tuple(countries), RATINGS[rating], popularity, updated_at,
    )  # fmt: skip
    match kind:
        case "movie":
            return Movie(*shared, runtime_seconds, end_credits_seconds)
        case "series":
            return Series(*shared, STATUSES[status], runtime_seconds)
        case "season":
            return Season(*shared, parent_id, number, episode_count)
        case "episode":
            return Episode(*shared, parent_id, number, runtime_seconds, end_credits_seconds)
        case "album":
            return Album(*shared, label)
        case _:
            return Track(*shared, parent_id, disc, number, runtime_seconds)


def _grouped(rows: Sequence[Row], key: Callable[[Row], K], build: Callable[[Row], V]) -> Mapping[K, list[V]]:
    groups: defaultdict[K, list[V]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(build(row))
    return groups
