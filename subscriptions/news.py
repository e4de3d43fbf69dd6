"""Live streams of what concerns everybody."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, TypeAlias

import strawberry

from domain.catalog.model import OfferKind
from domain.catalog.taxonomy import Platform
from domain.news.model import Announced, Availability, AvailabilityChange, Interest, News, Trends
from resolvers.arguments import Region
from resolvers.context import Info
from resolvers.news import CURSORS, Platforms, Titles, in_titles, on_platforms
from resolvers.viewing import renew
from resolvers.visibility import shows

After = Annotated[
    str | None,
    strawberry.argument(
        description="A cursor of an earlier event, or `newsCursor`: what came behind it is delivered first. "
        "From now on if open."
    ),
]


@dataclass(frozen=True, slots=True)
class AvailabilityChanged:
    cursor: str
    change: AvailabilityChange
    content_id: int
    platform: Platform
    offer_kind: OfferKind
    region: str
    ends_at: datetime | None
    noted_at: datetime


@dataclass(frozen=True, slots=True)
class TrendsChanged:
    cursor: str
    content_ids: tuple[int, ...]
    noted_at: datetime


@dataclass(frozen=True, slots=True)
class AnnouncementChanged:
    cursor: str
    announcement_id: int
    noted_at: datetime


Event: TypeAlias = AvailabilityChanged | TrendsChanged | AnnouncementChanged


async def content_availability(
    info: Info, content_ids: Titles, region: Region = None, after: After = None
) -> AsyncGenerator[AvailabilityChanged, None]:
    interest = await in_titles(info, content_ids, region)
    async with aclosing(_follow(info, interest, after)) as followed:
        async for event in followed:
            if isinstance(event, AvailabilityChanged):
                yield event


async def news(
    info: Info, region: Region = None, platforms: Platforms = None, after: After = None
) -> AsyncGenerator[Event, None]:
    interest = on_platforms(info, platforms, region)
    async with aclosing(_follow(info, interest, after)) as followed:
        async for event in followed:
            yield event


async def _follow(info: Info, interest: Interest, after: str | None) -> AsyncGenerator[Event, None]:
    """Events with what their client goes on from; what is hidden from the caller is left out."""
    context, feed = info.context, info.context.services.feed
    after = context.last_seen or after
    if after is None:
        after = CURSORS.of(await feed.log.latest())
    context.course.began = after
    async with aclosing(feed.follow(interest, CURSORS.number(after))) as followed:
        async for told in followed:
            context.forget()
            await renew(context)
            if isinstance(told, Availability) and not await shows(context, told.content_id):
                continue
            event = _event_of(told)
            context.course.cursor = event.cursor
            yield event


def _event_of(told: News) -> Event:
    cursor = CURSORS.of(told.seq)
    match told:
        case Availability():
            return AvailabilityChanged(
                cursor,
                told.change,
                told.content_id,
                told.platform,
                told.offer_kind,
                told.region,
                told.ends_at,
                told.noted_at,
            )
        case Trends():
            return TrendsChanged(cursor, told.content_ids, told.noted_at)
        case Announced():
            return AnnouncementChanged(cursor, told.announcement_id, told.noted_at)
