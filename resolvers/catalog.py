"""How the catalogue's fields are answered."""

import asyncio
from collections.abc import Sequence
from itertools import islice
from typing import Annotated, TypeVar

import strawberry
from strawberry import ID

from domain.catalog import model
from domain.catalog.links import PlaybackLink, links_for
from domain.catalog.quality import ContentQuality, assess
from domain.catalog.service import ContentOrder
from domain.catalog.taxonomy import GENRES, PLATFORMS, Genre, Platform
from domain.platform.paging import Cut, Keyset, Page, SortKey, paged
from domain.platform.soon import Soon, then
from resolvers.arguments import After, Before, First, Last, Region
from resolvers.batching import batched
from resolvers.context import Info
from resolvers.descriptions import choice_of_one, entry
from resolvers.filters import ContentFilter, filter_of, region_of
from resolvers.ids import CONTENT, content_key, decode, global_id, number
from resolvers.visibility import may_watch

T = TypeVar("T")

CREDITS = Keyset("credits", (SortKey("role", "text"), SortKey("position", "int")))
EPISODES = Keyset("episodes", (SortKey("number", "int"), SortKey("id", "bigint")))
WORKS = Keyset("works", (SortKey("popularity", "float8", descending=True), SortKey("id", "bigint")))


@entry
class PlatformContentId:
    """A title as a platform names it."""

    platform: ID
    """The platform."""
    value: str
    """The title's id there."""


@choice_of_one
class ContentLookup:
    """Names one title, by exactly one of its names."""

    id: ID | None = strawberry.UNSET
    """Its id in this graph."""
    slug: str | None = strawberry.UNSET
    """Its readable name, as in `the-matrix-1999`."""
    imdb_id: str | None = strawberry.UNSET
    """Its IMDb id, as in `tt0133093`."""
    tmdb_id: str | None = strawberry.UNSET
    """Its TMDB id."""
    tvdb_id: str | None = strawberry.UNSET
    """Its TheTVDB id."""
    eidr: str | None = strawberry.UNSET
    """Its EIDR."""
    platform_id: PlatformContentId | None = strawberry.UNSET
    """Its id on a platform."""


async def content(
    info: Info, by: Annotated[ContentLookup, strawberry.argument(description="Exactly one of its names.")]
) -> model.Content | None:
    found = await _lookup(by, info)
    content = None if found is None else await info.context.catalog.content.load(found)
    if content is not None and isinstance(by.id, str) and global_id(content) != by.id:
        return None
    return content


async def contents(
    info: Info,
    filter: Annotated[
        ContentFilter | None, strawberry.argument(description="Which titles; all if open.")
    ] = None,
    order_by: Annotated[
        ContentOrder, strawberry.argument(description="How the list is sorted.")
    ] = ContentOrder.POPULARITY,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Page[model.Content]:
    cut = Cut.of(first, after, last, before)
    page = await info.context.services.catalog.store.browse(filter_of(filter, info), order_by, cut)
    for work in page.nodes:
        info.context.catalog.content.prime(work.id, work)
    return page


def genres() -> list[Genre]:
    return list(GENRES.values())


def platforms() -> list[Platform]:
    return list(PLATFORMS.values())


async def person(
    info: Info,
    id: Annotated[ID, strawberry.argument(description="The person's id.")],
) -> model.Person | None:
    found = decode(id)
    return await person_node(info, found.key) if found is not None and found.type == "Person" else None


@batched
def credits(
    contents: Sequence[model.Content],
    info: Info,
    role: Annotated[
        model.CreditRole | None, strawberry.argument(description="Only these; all if open.")
    ] = None,
    first: First = None,
    after: After = None,
) -> Soon[list[Page[model.Credit]]]:
    cut = Cut.of(first, after)

    def pages(found: list[list[model.Credit]]) -> list[Page[model.Credit]]:
        if role is not None:
            found = [[credit for credit in credits if credit.role is role] for credits in found]
        return [paged(credits, _place_of_credit, CREDITS, cut) for credits in found]

    return then(info.context.catalog.credits.soon([content.id for content in contents]), pages)


@batched
async def artists(contents: Sequence[model.Album | model.Track], info: Info) -> list[list[model.Person]]:
    """Of a track without artists of its own, those of its album."""
    load = info.context.catalog.credits.load_many
    own = [_artists_in(credits) for credits in await load([content.id for content in contents])]
    albums = [
        content.album_id
        for content, artists in zip(contents, own, strict=True)
        if not artists and isinstance(content, model.Track)
    ]
    credits_of = dict(zip(albums, await load(albums), strict=True))
    return [
        artists
        if artists or not isinstance(content, model.Track)
        else _artists_in(credits_of[content.album_id])
        for content, artists in zip(contents, own, strict=True)
    ]


@batched
async def works(
    people: Sequence[model.Person], info: Info, first: First = None, after: After = None
) -> list[Page[model.Content]]:
    cut = Cut.of(first, after)
    listed = await info.context.catalog.works_of.load_many([person.id for person in people])
    found = iter(await info.context.catalog.content.load_many(id_ for ids in listed for id_ in ids))
    works = [[work for work in islice(found, len(ids)) if work is not None] for ids in listed]
    return [paged(of_one, lambda work: (work.popularity, work.id), WORKS, cut) for of_one in works]


@batched
def external_ids(contents: Sequence[model.Content], info: Info) -> Soon[list[model.ExternalIds]]:
    found = info.context.catalog.external_ids.soon([content.id for content in contents])
    return then(found, lambda of_each: [model.ExternalIds.of(ids) for ids in of_each])


@batched
def ratings(contents: Sequence[model.Content], info: Info) -> Soon[list[list[model.Rating]]]:
    return info.context.catalog.ratings.soon([content.id for content in contents])


@batched
def artwork(contents: Sequence[model.Content], info: Info) -> Soon[list[list[model.Image]]]:
    return info.context.catalog.artwork.soon([content.id for content in contents])


@batched
def availability(
    contents: Sequence[model.Content],
    info: Info,
    region: Region = None,
    platforms: Annotated[
        list[ID] | None, strawberry.argument(description="Only on these; all if open.")
    ] = None,
    kinds: Annotated[
        list[model.OfferKind] | None, strawberry.argument(description="Only in these ways; all if open.")
    ] = None,
) -> Soon[list[list[model.Offer]]]:
    region = region_of(region, info)
    found = info.context.catalog.availability.soon([model.Place(content.id, region) for content in contents])
    if platforms is None and kinds is None:
        return found

    def wanted(offer: model.Offer) -> bool:
        return (platforms is None or offer.platform_id in platforms) and (
            kinds is None or offer.kind in kinds
        )

    return then(found, lambda of_each: [list(filter(wanted, offers)) for offers in of_each])


@batched
async def quality(contents: Sequence[model.Content], info: Info) -> list[ContentQuality]:
    loaders, ids = info.context.catalog, [content.id for content in contents]
    images, ratings, external_ids = await asyncio.gather(
        loaders.artwork.load_many(ids), loaders.ratings.load_many(ids), loaders.external_ids.load_many(ids)
    )
    now = info.context.services.now()
    records = zip(contents, images, ratings, external_ids, strict=True)
    return [
        assess(content, of_images, of_ratings, names, now)
        for content, of_images, of_ratings, names in records
    ]


@batched
def seasons(every: Sequence[model.Series], info: Info) -> Soon[list[list[model.Season]]]:
    return info.context.catalog.seasons.soon([series.id for series in every])


@batched
def series(seasons: Sequence[model.Season], info: Info) -> Soon[list[model.Content | None]]:
    return info.context.catalog.content.soon([season.series_id for season in seasons])


@batched
def episodes(
    seasons: Sequence[model.Season], info: Info, first: First = None, after: After = None
) -> Soon[list[Page[model.Episode]]]:
    cut = Cut.of(first, after)

    def pages(found: list[list[model.Episode]]) -> list[Page[model.Episode]]:
        return [
            paged(of_one, lambda episode: (episode.number, episode.id), EPISODES, cut) for of_one in found
        ]

    return then(info.context.catalog.episodes.soon([season.id for season in seasons]), pages)


@batched
def season(episodes: Sequence[model.Episode], info: Info) -> Soon[list[model.Content | None]]:
    return info.context.catalog.content.soon([episode.season_id for episode in episodes])


@batched
def tracks(albums: Sequence[model.Album], info: Info) -> Soon[list[list[model.Track]]]:
    return info.context.catalog.tracks.soon([album.id for album in albums])


@batched
def album(tracks: Sequence[model.Track], info: Info) -> Soon[list[model.Content | None]]:
    return info.context.catalog.content.soon([track.album_id for track in tracks])


@batched
async def links(
    offers: Sequence[model.Offer],
    info: Info,
    device: Annotated[
        ID | None, strawberry.argument(description="One of the viewer's devices; for any kind if open.")
    ] = None,
) -> list[Sequence[PlaybackLink]]:
    if not may_watch(info.context):
        return [[] for _ in offers]
    offered = await info.context.catalog.content.load_many([offer.content_id for offer in offers])
    found = decode(device) if device is not None else None
    known = None
    if found is not None and found.type == "Device" and not info.context.caller.anonymous:
        known = await info.context.sync.device.load(found.key)
    kind = known.kind if known else None
    return [
        links_for(
            offer.platform_id,
            offer.link_id,
            _kind_for_links(content),
            kind,
            region=offer.region,
            installed=known is None or offer.platform_id not in known.capabilities.missing_apps,
        )
        for offer, content in zip(offers, offered, strict=True)
    ]


def _place_of_credit(credit: model.Credit) -> tuple[str, int]:
    return credit.role.value, credit.position


def _artists_in(credits: Sequence[model.Credit]) -> list[model.Person]:
    return [credit.person for credit in credits if credit.role is model.CreditRole.ARTIST]


def _kind_for_links(content: model.Content | None) -> model.ContentKind:
    """Platforms have links of their own for tracks; all else is what its offer names."""
    return model.ContentKind.TRACK if isinstance(content, model.Track) else model.ContentKind.ALBUM


async def content_node(info: Info, key: str) -> model.Content | None:
    found = number(key)
    return None if found is None else await info.context.catalog.content.load(found)


async def person_node(info: Info, key: str) -> model.Person | None:
    found = number(key)
    return None if found is None else await info.context.catalog.person.load(found)


NODES = dict.fromkeys(CONTENT, content_node) | {"Person": person_node}


async def _lookup(by: ContentLookup, info: Info) -> int | None:
    loaders = info.context.catalog
    if isinstance(by.id, str):
        return content_key(by.id, "by.id")
    if isinstance(by.slug, str):
        return await loaders.by_slug.load(by.slug)
    if isinstance(by.platform_id, PlatformContentId):
        return await loaders.by_link.load((by.platform_id.platform, by.platform_id.value))
    sources = {"imdb": by.imdb_id, "tmdb": by.tmdb_id, "tvdb": by.tvdb_id, "eidr": by.eidr}
    key = next((source, value) for source, value in sources.items() if isinstance(value, str))
    return await loaders.by_external_id.load(key)
