"""The graph of the peers, written as Strawberry's documentation does: types, resolvers, data loaders."""

import base64
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from functools import cached_property
from typing import Any, TypeVar

import asyncpg
import strawberry
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, ValidationCache

from bench.config import Config

PAGE = 20
KINDS = ("free", "subscription", "rental", "purchase")

Rows = Sequence[asyncpg.Record]
V = TypeVar("V")


@strawberry.enum
class CreditRole(Enum):
    ARTIST = "artist"
    CAST = "cast"
    COMPOSER = "composer"
    CREATOR = "creator"
    DIRECTOR = "director"
    WRITER = "writer"


@strawberry.enum
class OfferKind(Enum):
    FREE = "free"
    SUBSCRIPTION = "subscription"
    RENTAL = "rental"
    PURCHASE = "purchase"


@strawberry.enum
class VideoQuality(Enum):
    SD = "SD"
    HD = "HD"
    UHD = "UHD"


@strawberry.type
class Genre:
    id: strawberry.ID
    name: str


@strawberry.type
class Platform:
    id: strawberry.ID
    name: str


@strawberry.type
class Image:
    url: str


@strawberry.type
class Person:
    id: strawberry.ID
    name: str


@strawberry.type
class Credit:
    person: Person
    role: CreditRole
    character: str | None


@strawberry.type
class CreditConnection:
    nodes: list[Credit]


@strawberry.type
class Money:
    amount: Decimal
    currency: str


@strawberry.type
class Offer:
    platform: Platform
    kind: OfferKind
    price: Money | None
    quality: VideoQuality | None


class Sources:
    """What the process has: the pool, the statements, the words of the catalogue, the accounts by token."""

    def __init__(self, pool: asyncpg.Pool, config: Config) -> None:
        self.pool = pool
        self.statements = config.statements
        self.region = config.region
        self.accounts = config.accounts
        self.genres = {key: Genre(id=strawberry.ID(key), name=name) for key, name in config.genres.items()}
        self.platforms = {
            key: Platform(id=strawberry.ID(key), name=name) for key, name in config.platforms.items()
        }

    async def rows(self, name: str, *arguments: Any) -> Rows:
        found: Rows = await self.pool.fetch(self.statements[name], *arguments)
        return found


class Context:
    """Of one request: who asks, and loaders that remember."""

    def __init__(self, sources: Sources, account_id: str | None) -> None:
        self.sources = sources
        self.account_id = account_id

    @cached_property
    def contents(self) -> "DataLoader[int, Content | None]":
        return DataLoader(self._contents)

    @cached_property
    def by_slug(self) -> DataLoader[str, int | None]:
        return DataLoader(self._by_slug)

    @cached_property
    def credits(self) -> DataLoader[int, list[Credit]]:
        return DataLoader(self._grouped("credits", "content_id", credit_of))

    @cached_property
    def artwork(self) -> DataLoader[int, list[Image]]:
        return DataLoader(self._grouped("artwork", "content_id", lambda row: Image(url=row["url"])))

    @cached_property
    def offers(self) -> DataLoader[int, list[Offer]]:
        return DataLoader(self._offers)

    def content_of(self, row: asyncpg.Record) -> "Content":
        return TYPES[row["kind"]](
            id=global_id(row["kind"].capitalize(), row["id"]),
            key=row["id"],
            title=row["title"],
            year=row["year"],
            genres=[self.sources.genres[genre] for genre in row["genres"]],
        )

    async def _contents(self, ids: list[int]) -> "list[Content | None]":
        rows = await self.sources.rows("contents", ids)
        found = {row["id"]: self.content_of(row) for row in rows}
        return [found.get(key) for key in ids]

    async def _by_slug(self, slugs: list[str]) -> list[int | None]:
        found = {row["slug"]: row["id"] for row in await self.sources.rows("by_slug", slugs)}
        return [found.get(slug) for slug in slugs]

    async def _offers(self, ids: list[int]) -> list[list[Offer]]:
        rows = await self.sources.rows("offers", ids, [self.sources.region] * len(ids))
        groups: defaultdict[int, list[Offer]] = defaultdict(list)
        for row in standing(rows):
            groups[row["part_id"]].append(self._offer(row))
        return [groups[key] for key in ids]

    def _offer(self, row: asyncpg.Record) -> Offer:
        return Offer(
            platform=self.sources.platforms[row["platform"]],
            kind=OfferKind(row["kind"]),
            price=None if row["price"] is None else Money(amount=row["price"], currency=row["currency"]),
            quality=VideoQuality(row["quality"]) if row["quality"] else None,
        )

    def _grouped(
        self, statement: str, key: str, build: Callable[[asyncpg.Record], V]
    ) -> Callable[[list[int]], Awaitable[list[list[V]]]]:
        async def load(ids: list[int]) -> list[list[V]]:
            groups: defaultdict[int, list[V]] = defaultdict(list)
            for row in await self.sources.rows(statement, ids):
                groups[row[key]].append(build(row))
            return [groups[content_id] for content_id in ids]

        return load


Info = strawberry.Info[Context, None]


@strawberry.interface
class Content:
    id: strawberry.ID
    key: strawberry.Private[int]
    title: str
    year: int | None
    genres: list[Genre]

    @strawberry.field
    async def artwork(self, info: Info) -> list[Image]:
        return await info.context.artwork.load(self.key)

    @strawberry.field
    async def credits(self, info: Info, first: int | None = None) -> CreditConnection:
        found = await info.context.credits.load(self.key)
        return CreditConnection(nodes=found[: first or PAGE])

    @strawberry.field
    async def availability(self, info: Info) -> list[Offer]:
        return await info.context.offers.load(self.key)


@strawberry.type
class Movie(Content): ...


@strawberry.type
class Series(Content): ...


@strawberry.type
class Album(Content): ...


TYPES: dict[str, type[Content]] = {"movie": Movie, "series": Series, "album": Album}


@strawberry.type
class ContentConnection:
    nodes: list[Content]


@strawberry.type
class WatchProgress:
    content_id: strawberry.Private[int]
    position_seconds: int

    @strawberry.field
    async def content(self, info: Info) -> Content | None:
        return await info.context.contents.load(self.content_id)


@strawberry.type
class WatchProgressConnection:
    nodes: list[WatchProgress]


@strawberry.type
class WatchlistEntry:
    content_id: strawberry.Private[int]
    added_at: datetime

    @strawberry.field
    async def content(self, info: Info) -> Content | None:
        return await info.context.contents.load(self.content_id)


@strawberry.type
class WatchlistEntryConnection:
    nodes: list[WatchlistEntry]


@strawberry.type
class Viewer:
    account_id: strawberry.Private[str]

    @strawberry.field
    async def continue_watching(self, info: Info, first: int | None = None) -> WatchProgressConnection:
        rows = await info.context.sources.rows("continue_watching", self.account_id, datetime.now(UTC))
        return WatchProgressConnection(
            nodes=[
                WatchProgress(content_id=row["content_id"], position_seconds=row["position_seconds"])
                for row in rows[: first or PAGE]
            ]
        )

    @strawberry.field
    async def watchlist(self, info: Info, first: int | None = None) -> WatchlistEntryConnection:
        rows = await info.context.sources.rows("watchlist", self.account_id)
        return WatchlistEntryConnection(
            nodes=[
                WatchlistEntry(content_id=row["content_id"], added_at=row["added_at"])
                for row in rows[: first or PAGE]
            ]
        )


@strawberry.input(one_of=True)
class ContentLookup:
    slug: strawberry.Maybe[str]


@strawberry.type
class Query:
    @strawberry.field
    async def content(self, info: Info, by: ContentLookup) -> Content | None:
        found = None if by.slug is None else await info.context.by_slug.load(by.slug.value)
        return None if found is None else await info.context.contents.load(found)

    @strawberry.field
    async def contents(self, info: Info, first: int | None = None) -> ContentConnection:
        rows = await info.context.sources.rows("browse")
        return ContentConnection(nodes=[info.context.content_of(row) for row in rows[: first or PAGE]])

    @strawberry.field
    def viewer(self, info: Info) -> Viewer | None:
        account_id = info.context.account_id
        return None if account_id is None else Viewer(account_id=account_id)


def credit_of(row: asyncpg.Record) -> Credit:
    return Credit(
        person=Person(id=global_id("Person", row["person_id"]), name=row["name"]),
        role=CreditRole(row["role"]),
        character=row["character"],
    )


def standing(offers: Rows) -> list[asyncpg.Record]:
    """Those of now, cheapest way first."""
    now = datetime.now(UTC)
    return sorted(
        (
            row
            for row in offers
            if (row["available_from"] is None or row["available_from"] <= now)
            and (row["expires_at"] is None or now < row["expires_at"])
        ),
        key=lambda row: (KINDS.index(row["kind"]), row["price"] or 0, row["platform"]),
    )


def global_id(kind: str, key: int) -> strawberry.ID:
    return strawberry.ID(base64.urlsafe_b64encode(f"{kind}:{key}".encode()).decode().rstrip("="))


def schema() -> strawberry.Schema:
    """With the caches of parsed and validated documents that Strawberry brings."""
    return strawberry.Schema(Query, types=list(TYPES.values()), extensions=[ParserCache, ValidationCache])
