"""Live streams of what concerns everybody."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import strawberry

from domain.news.model import Availability, Interest, News
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


async def content_availability(
    info: Info, content_ids: Titles, region: Region = None, after: After = None
) -> AsyncGenerator[Availability, None]:
    interest = await in_titles(info, content_ids, region)
    async with aclosing(_follow(info, interest, after)) as followed:
        async for told in followed:
            if isinstance(told, Availability):
                yield told


async def news(
    info: Info, region: Region = None, platforms: Platforms = None, after: After = None
) -> AsyncGenerator[News, None]:
    interest = on_platforms(info, platforms, region)
    async with aclosing(_follow(info, interest, after)) as followed:
        async for told in followed:
            yield told


async def _follow(info: Info, interest: Interest, after: str | None) -> AsyncGenerator[News, None]:
    """What is hidden from the caller is left out."""
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
            context.course.cursor = CURSORS.of(told.seq)
            yield told
