"""How discovery's fields are answered."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated

import strawberry
from strawberry import Parent

from domain.catalog import model as catalog_model
from domain.catalog.filters import Filter
from domain.catalog.taxonomy import GENRES, PLATFORMS, Genre, Platform
from domain.discovery import model
from domain.discovery.facets import labelled
from domain.platform.errors import BadInput
from domain.platform.paging import Cut, Keyset, PageInfo, SortKey, paged
from loaders.loader import Loader, many
from resolvers.arguments import After, First, Region
from resolvers.batching import batched
from resolvers.context import Info
from resolvers.filters import ContentFilter, filter_of, region_of

RESULTS = Keyset(
    "search",
    (
        SortKey("tier", "int", descending=True),
        SortKey("score", "float8", descending=True),
        SortKey("id", "bigint"),
    ),
)
TRENDS = Keyset(
    "trending",
    (SortKey("as_of", "bigint"), SortKey("score", "float8", descending=True), SortKey("id", "bigint")),
)
KEPT_SECONDS = 3600
"""How long a list of trends may be paged through as it was when its first page was asked for."""


@dataclass(frozen=True, slots=True)
class SearchEdge:
    """A result of a page."""

    node: catalog_model.Content
    cursor: str
    score: float
    signals: model.Signals
    marks: Loader[int, list[model.Highlight]]


@dataclass(frozen=True, slots=True)
class SearchPage:
    """A page of results; what is counted is the whole result."""

    edges: list[SearchEdge]
    page_info: PageInfo
    results: model.Results
    wanted: Filter

    @property
    def nodes(self) -> list[catalog_model.Content]:
        return [edge.node for edge in self.edges]

    @property
    def total_count(self) -> int:
        return self.results.total

    @property
    def correction(self) -> model.Correction | None:
        return self.results.correction

    @property
    def mode(self) -> model.SearchMode:
        return self.results.mode

    @property
    def took_ms(self) -> float:
        return round(self.results.took_ms, 3)


@dataclass(frozen=True, slots=True)
class TrendingEdge:
    """A work of a page of trends."""

    node: catalog_model.Content
    cursor: str
    score: float


@dataclass(frozen=True, slots=True)
class TrendingPage:
    """A page of trends."""

    edges: list[TrendingEdge]
    page_info: PageInfo
    total_count: int

    @property
    def nodes(self) -> list[catalog_model.Content]:
        return [edge.node for edge in self.edges]


async def search(
    info: Info,
    query: Annotated[
        str,
        strawberry.argument(description="A title, a name, or what it is about; up to 500 characters."),
    ],
    filter: Annotated[
        ContentFilter | None, strawberry.argument(description="Which titles; all if open.")
    ] = None,
    mode: Annotated[
        model.SearchMode, strawberry.argument(description="By what titles are found.")
    ] = model.SearchMode.HYBRID,
    exact: Annotated[  # noqa: FBT002 - the graph passes arguments by name
        bool, strawberry.argument(description="Search as written, without mending words.")
    ] = False,
    first: First = None,
    after: After = None,
) -> SearchPage:
    question = model.Question(query, mode, exact)
    # Facets count offers in it.
    region = region_of(None if filter is None else filter.region, info)
    wanted = replace(filter_of(filter, info), region=region)
    cut = Cut.of(first, after)
    discovery = info.context.services.discovery
    results = await discovery.search(question, wanted)
    page = paged(results.hits, lambda hit: (hit.tier, hit.score, hit.id), RESULTS, cut)

    async def marks_of(ids: Sequence[int]) -> Mapping[int, list[model.Highlight]]:
        return await discovery.store.highlights(results.terms, ids)

    marks = many(marks_of)
    works = await info.context.catalog.content.load_many(item.id for item in page.nodes)
    edges = [
        SearchEdge(work, entry.cursor, entry.node.score, entry.node.signals, marks)
        for entry, work in zip(page.edges, works, strict=True)
        if work is not None
    ]
    return SearchPage(edges, page.page_info, results, wanted)


async def facets(page: Parent[SearchPage], info: Info) -> list[model.Facet]:
    results = page.results
    counts = await info.context.services.discovery.store.facets(results.counted, results.near, page.wanted)
    return labelled(counts)


@batched
async def highlights(edges: Sequence[SearchEdge], info: Info) -> list[list[model.Highlight]]:  # noqa: ARG001 - batch functions take it
    return await asyncio.gather(*(edge.marks.load(edge.node.id) for edge in edges))


async def autocomplete(
    info: Info,
    prefix: Annotated[str, strawberry.argument(description="What has been typed so far.")],
    first: Annotated[int, strawberry.argument(description="How many, 1 to 20.")] = 8,
) -> list[model.Suggestion]:
    if not 1 <= first <= model.MAX_SUGGESTIONS:
        raise BadInput(
            f"`first` must be between 1 and {model.MAX_SUGGESTIONS}, and is {first}.", argument="first"
        )
    if len(prefix) > model.MAX_QUERY:
        raise BadInput(
            f"`prefix` takes up to {model.MAX_QUERY} characters, and has {len(prefix)}.", argument="prefix"
        )
    within = info.context.restriction
    return await info.context.services.discovery.suggestions.suggest(prefix, first, within)


async def suggested_content(suggestion: Parent[model.Suggestion], info: Info) -> catalog_model.Content | None:
    if suggestion.content_id is None:
        return None
    return await info.context.catalog.content.load(suggestion.content_id)


async def suggested_person(suggestion: Parent[model.Suggestion], info: Info) -> catalog_model.Person | None:
    if suggestion.person_id is None:
        return None
    return await info.context.catalog.person.load(suggestion.person_id)


def suggested_genre(suggestion: Parent[model.Suggestion]) -> Genre | None:
    return GENRES.get(suggestion.genre_id or "")


def suggested_platform(suggestion: Parent[model.Suggestion]) -> Platform | None:
    return PLATFORMS.get(suggestion.platform_id or "")


async def trending(
    info: Info,
    window: Annotated[
        model.TrendWindow, strawberry.argument(description="How far back activity counts.")
    ] = model.TrendWindow.DAY,
    region: Region = None,
    filter: Annotated[
        ContentFilter | None, strawberry.argument(description="Which titles; all if open.")
    ] = None,
    first: First = None,
    after: After = None,
) -> TrendingPage:
    cut = Cut.of(first, after)
    wanted = filter_of(filter, info)
    where = None if region is None else region_of(region, info)
    discovery = info.context.services.discovery
    trends = await discovery.trends.trending(window, where, wanted, _as_of(after, discovery.now()))
    page = paged(trends, lambda trend: (trend.as_of, trend.score, trend.id), TRENDS, cut)
    works = await info.context.catalog.content.load_many(item.id for item in page.nodes)
    edges = [
        TrendingEdge(work, entry.cursor, entry.node.score)
        for entry, work in zip(page.edges, works, strict=True)
        if work is not None
    ]
    return TrendingPage(edges, page.page_info, len(trends))


def _as_of(after: str | None, now: datetime) -> datetime:
    """The moment that the cursor's first page was of, so that later activity does not shift the next one."""
    if after is None:
        return now.replace(microsecond=0)
    moment = TRENDS.values(after, "after")[0]
    if not isinstance(moment, int) or not 0 <= now.timestamp() - moment <= KEPT_SECONDS:
        raise BadInput(
            "This list is over an hour old; ask for its first page again, without `after`.", argument="after"
        )
    return datetime.fromtimestamp(moment, UTC)
