"""How recommendations are answered."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated

import strawberry
from strawberry import ID, Parent

from domain.catalog.links import DeviceKind
from domain.catalog.model import Content, Person
from domain.catalog.taxonomy import GENRES, Genre
from domain.platform.errors import BadInput
from domain.platform.paging import MAX_SIZE, Cut, Entry, Keyset, Page, PageInfo, SortKey, paged
from domain.sona import model
from domain.sona.reasons import Reason, explained, rail_title
from resolvers.arguments import After, First, region_or
from resolvers.batching import batched
from resolvers.context import Info
from resolvers.descriptions import entry
from resolvers.filters import ContentFilter, filter_of
from resolvers.ids import encode

RAIL_ITEMS = Keyset(
    "rail",
    (
        SortKey("fresh", "int", descending=True),
        SortKey("score", "float8", descending=True),
        SortKey("id", "bigint"),
    ),
)
SIMILAR = Keyset("similar", (SortKey("score", "float8", descending=True), SortKey("id", "bigint")))


@entry
class RecommendationContext:
    """In what situation something is looked for."""

    mood: model.Mood | None = None
    """What the viewer is in the mood for; its genres come forward."""
    device: DeviceKind | None = None
    """Where it will be watched: a television prefers long titles, a phone or tablet short ones."""
    region: str | None = None
    """Only what is watched here counts as trending, ISO 3166-1 alpha-2; everywhere if open."""


Situation = Annotated[
    RecommendationContext | None, strawberry.argument(description="In what situation; any if open.")
]


@dataclass(frozen=True, slots=True)
class RecommendationEdge:
    """A recommended work and why."""

    node: Content
    cursor: str
    score: float
    reasons: list[Reason]


@dataclass(frozen=True, slots=True)
class RecommendationPage:
    """A page of recommendations."""

    edges: list[RecommendationEdge]
    page_info: PageInfo
    total_count: int

    @property
    def nodes(self) -> list[Content]:
        return [edge.node for edge in self.edges]


@dataclass(frozen=True, slots=True)
class SimilarEdge:
    """A work like another, and in what."""

    node: Content
    cursor: str
    found: model.Similar = field(repr=False)

    @property
    def score(self) -> float:
        return self.found.score

    @property
    def kinds(self) -> list[model.SimilarityKind]:
        return list(self.found.kinds)

    @property
    def similarity(self) -> float | None:
        return None if self.found.similarity is None else round(self.found.similarity, 4)

    @property
    def genres(self) -> list[Genre]:
        return [GENRES[genre] for genre in self.found.genre_ids]

    @property
    def keywords(self) -> list[str]:
        return list(self.found.keywords)


@dataclass(frozen=True, slots=True)
class SimilarPage:
    """A page of works like another."""

    edges: list[SimilarEdge]
    page_info: PageInfo
    total_count: int

    @property
    def nodes(self) -> list[Content]:
        return [edge.node for edge in self.edges]


async def recommendations(
    info: Info,
    context: Situation = None,
    filter: Annotated[
        ContentFilter | None, strawberry.argument(description="Which titles; all if open.")
    ] = None,
    first: First = None,
    after: After = None,
) -> RecommendationPage:
    cut = Cut.of(first, after)
    wanted, circumstances = filter_of(filter, info), circumstances_of(context)
    caller = info.context.caller.account_id
    page = await info.context.services.sona.recommend(caller, wanted, circumstances, cut)
    return RecommendationPage(await _explained(page.edges, info), page.page_info, await page.count())


async def home(
    info: Info,
    context: Situation = None,
    only: Annotated[
        list[ID] | None,
        strawberry.argument(description="Only these rails, to go on with them; all if open."),
    ] = None,
) -> list[model.Rail]:
    if only is not None and len(only) > MAX_SIZE:
        raise BadInput(f"`only` takes up to {MAX_SIZE} ids, and has {len(only)}.", argument="only")
    caller = info.context.caller.account_id
    found = await info.context.services.sona.home(caller, filter_of(None, info), circumstances_of(context))
    shown = [rail for rail in found if only is None or rail_id(rail) in only]
    return shown if info.context.restriction is None else await _shown(shown, info)


async def _shown(rails: Sequence[model.Rail], info: Info) -> list[model.Rail]:
    """Rails without what is hidden: an episode may be where its series is not."""
    contents = await _contents([item.id for rail in rails for item in rail.items], info)
    blocked = () if info.context.restriction is None else info.context.restriction.blocked_genres
    return [
        replace(rail, items=tuple(item for item in rail.items if item.id in contents))
        for rail in rails
        if rail.genre_id not in blocked
    ]


def rail_id(rail: Parent[model.Rail]) -> ID:
    return encode("Rail", rail.key)


@batched
async def rail_name(rails: Sequence[model.Rail], info: Info) -> list[str]:
    contents = await _behind(rails, info)
    return [rail_title(rail, content) for rail, content in zip(rails, contents, strict=True)]


@batched
async def rail_content(rails: Sequence[model.Rail], info: Info) -> list[Content | None]:
    return await _behind(rails, info)


def rail_genre(rail: Parent[model.Rail]) -> Genre | None:
    return None if rail.genre_id is None else GENRES[rail.genre_id]


@batched
async def rail_items(
    rails: Sequence[model.Rail], info: Info, first: First = None, after: After = None
) -> list[Page[Content]]:
    cut = Cut.of(first, after)
    pages = [paged(rail.items, _rail_place, RAIL_ITEMS, cut) for rail in rails]
    contents = await _contents([item.id for page in pages for item in page.nodes], info)
    return [page.of(lambda item: contents.get(item.id)) for page in pages]


@batched
async def similar(
    contents: Sequence[Content],
    info: Info,
    by: Annotated[
        list[model.SimilarityKind] | None,
        strawberry.argument(description="Alike in any of these; in anything if open."),
    ] = None,
    first: First = None,
    after: After = None,
) -> list[SimilarPage]:
    cut = Cut.of(first, after)
    kinds = tuple(kind for kind in model.SimilarityKind if by is None or kind in by)
    likenesses = [model.Likeness(content.id, kinds) for content in contents if kinds]
    found = await info.context.sona.similar.load_many(likenesses) or [[] for _ in contents]
    if info.context.restriction is not None:
        shown = await _contents([item.id for of_one in found for item in of_one], info)
        found = [[item for item in of_one if item.id in shown] for of_one in found]
    pages = [paged(of_one, lambda item: (item.score, item.id), SIMILAR, cut) for of_one in found]
    works = await _contents([item.id for page in pages for item in page.nodes], info)
    return [_similar_page(page, works, len(of_one)) for page, of_one in zip(pages, found, strict=True)]


@batched
async def shared_people(edges: Sequence[SimilarEdge], info: Info) -> list[list[Person]]:
    people = await _people([id_ for edge in edges for id_ in edge.found.person_ids], info)
    return [[people[id_] for id_ in edge.found.person_ids if id_ in people] for edge in edges]


def circumstances_of(given: RecommendationContext | None) -> model.Circumstances:
    """The domain's circumstances; raises `BadInput` for a region that is none."""
    if given is None:
        return model.Circumstances()
    region = region_or(given.region, "") or None
    return model.Circumstances(given.mood, given.device, region)


async def _explained(edges: Sequence[Entry[model.Candidate]], info: Info) -> list[RecommendationEdge]:
    """The works with their reasons; without those that the catalogue dropped a moment ago."""
    evidence = [item for edge in edges for item in edge.node.evidence]
    subjects = [item.content_id for item in evidence if item.content_id is not None]
    persons = [item.person_id for item in evidence if item.person_id is not None]
    contents, people = await asyncio.gather(
        _contents([*(edge.node.id for edge in edges), *subjects], info), _people(persons, info)
    )
    found = []
    for edge in edges:
        reasons = explained(edge.node.evidence, contents, people)
        if edge.node.id in contents and reasons:
            node = contents[edge.node.id]
            found.append(RecommendationEdge(node, edge.cursor, edge.node.score, reasons))
    return found


def _rail_place(item: model.RailItem) -> tuple[int, float, int]:
    return int(item.fresh), item.score, item.id


def _similar_page(page: Page[model.Similar], works: Mapping[int, Content], total: int) -> SimilarPage:
    """Without those that the catalogue dropped a moment ago."""
    edges = [
        SimilarEdge(works[edge.node.id], edge.cursor, edge.node)
        for edge in page.edges
        if edge.node.id in works
    ]
    return SimilarPage(edges, page.page_info, total)


async def _behind(rails: Sequence[model.Rail], info: Info) -> list[Content | None]:
    """The works that rails are about."""
    contents = await _contents([rail.content_id for rail in rails if rail.content_id is not None], info)
    return [None if rail.content_id is None else contents.get(rail.content_id) for rail in rails]


async def _contents(ids: Sequence[int], info: Info) -> dict[int, Content]:
    distinct = list(dict.fromkeys(ids))
    found = await info.context.catalog.content.load_many(distinct)
    return {id_: content for id_, content in zip(distinct, found, strict=True) if content is not None}


async def _people(ids: Sequence[int], info: Info) -> dict[int, Person]:
    distinct = list(dict.fromkeys(ids))
    found = await info.context.catalog.person.load_many(distinct)
    return {id_: person for id_, person in zip(distinct, found, strict=True) if person is not None}
