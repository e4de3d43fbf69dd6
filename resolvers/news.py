"""How news are asked for and answered."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Protocol

import strawberry
from strawberry import ID, Parent

from domain.catalog.model import Content, Episode, Season, Track
from domain.catalog.taxonomy import PLATFORMS
from domain.news.model import Announcement, Interest
from domain.platform.errors import BadInput, NotFound, UserError
from domain.platform.soon import Soon
from resolvers.arguments import Region, region_or
from resolvers.batching import batched
from resolvers.context import Info
from resolvers.cursors import Cursors
from resolvers.descriptions import entry
from resolvers.filters import region_of
from resolvers.ids import content_key, encode, key_of, number
from resolvers.mutations import refusing

CURSORS = Cursors("news", "an event of it or `newsCursor`")
MOST_TITLES = 500

Titles = Annotated[
    list[ID],
    strawberry.argument(
        description=f"Which titles, at most {MOST_TITLES}; with an episode, a season or a track comes what "
        "it is a part of, as what is offered as a whole is offered in its parts."
    ),
]
Platforms = Annotated[list[ID] | None, strawberry.argument(description="Of these platforms; of all if open.")]


@entry
class AnnounceInput:
    """Something that those who run the service have to say."""

    text: str
    """What, in at most 500 characters, as it is to be shown."""
    region: str | None = None
    """To whom, ISO 3166-1 alpha-2; to all if open."""
    ends_at: datetime
    """Until when it counts, at most 30 days from now."""


@entry
class WithdrawAnnouncementInput:
    """An announcement that is to count no more."""

    announcement_id: ID
    """Which one."""


@dataclass(frozen=True, slots=True)
class AnnouncementPayload:
    announcement: Announcement | None = None
    user_errors: list[UserError] = field(default_factory=list)


class Numbered(Protocol):
    @property
    def seq(self) -> int: ...


class AboutAnnouncement(Protocol):
    @property
    def announcement_id(self) -> int: ...


class AboutSeveral(Protocol):
    @property
    def content_ids(self) -> Sequence[int]: ...


async def news_cursor(info: Info) -> str:
    return CURSORS.of(await info.context.services.feed.log.latest())


@batched
async def contents(lists: Sequence[AboutSeveral], info: Info) -> list[list[Content]]:
    """Those that there still are, and that the caller may see."""
    loaded = [await info.context.catalog.content.load_many(each.content_ids) for each in lists]
    return [[content for content in found if content is not None] for found in loaded]


def cursor(told: Parent[Numbered]) -> str:
    return CURSORS.of(told.seq)


async def announcements(info: Info, region: Region = None) -> list[Announcement]:
    return list(await info.context.services.announcements.counting(region_of(region, info)))


def announcement_id(announcement: Parent[Announcement]) -> ID:
    return encode("Announcement", announcement.id)


@batched
def announcement(events: Sequence[AboutAnnouncement], info: Info) -> Soon[list[Announcement | None]]:
    return info.context.news.announcement.soon([event.announcement_id for event in events])


@refusing(AnnouncementPayload)
async def announce(
    info: Info, input: Annotated[AnnounceInput, strawberry.argument(description="What to say.")]
) -> AnnouncementPayload:
    context = info.context
    region = None if input.region is None else region_or(input.region, "")
    made = await context.services.announcements.make(input.text, region, input.ends_at, context.actor)
    return AnnouncementPayload(made)


@refusing(AnnouncementPayload)
async def withdraw_announcement(
    info: Info, input: Annotated[WithdrawAnnouncementInput, strawberry.argument(description="Which one.")]
) -> AnnouncementPayload:
    context = info.context
    key = number(key_of(input.announcement_id, "Announcement", "announcementId"))
    withdrawn = await context.services.announcements.withdraw(key or 0, context.actor)
    return AnnouncementPayload(withdrawn)


async def in_titles(info: Info, titles: Sequence[ID], region: str | None) -> Interest:
    """What is offered of some titles, in a region; raises `NotFound` and `BadInput`."""
    if not 0 < len(titles) <= MOST_TITLES:
        raise BadInput(f"`contentIds` takes 1 to {MOST_TITLES} titles.", argument="contentIds")
    keys = {content_key(title, "contentIds"): title for title in titles}
    found = dict(zip(keys, await info.context.catalog.content.load_many(list(keys)), strict=True))
    for key, content in found.items():
        if content is None:
            raise NotFound(f"There is no title {keys[key]!r}.")
    wholes = _wholes(found.values())
    beyond = _wholes(await info.context.catalog.content.load_many(list(wholes)))
    return Interest(region_of(region, info), frozenset(keys) | wholes | beyond)


def on_platforms(info: Info, platforms: Sequence[ID] | None, region: str | None) -> Interest:
    """What is offered in a region, on some platforms; raises `BadInput` for platforms that there are not."""
    unknown = [platform for platform in platforms or () if platform not in PLATFORMS]
    if unknown:
        raise BadInput(f"There is no platform {unknown[0]!r}; `platforms` lists them.", argument="platforms")
    return Interest(region_of(region, info), None, None if platforms is None else frozenset(platforms))


def _wholes(contents: Iterable[Content | None]) -> frozenset[int]:
    """What these are directly parts of."""
    wholes = set()
    for content in contents:
        match content:
            case Episode(season_id=whole) | Season(series_id=whole) | Track(album_id=whole):
                wholes.add(whole)
    return frozenset(wholes)
