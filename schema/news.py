"""What the graph shows of news."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import ID

from domain.catalog.model import OfferKind
from domain.identity.policy import PUBLIC, Scope, needs
from domain.news import model
from domain.news.announcements import MOST_AT_A_TIME
from domain.news.service import TRENDS
from resolvers import news, sync
from schema.catalog import Content, Platform
from schema.errors import UserError
from schema.views import choices, edge, plain, stream, view
from subscriptions import news as streams

choices(model.AvailabilityChange)


@view(model.Availability, access=PUBLIC)
class AvailabilityChanged:
    """A title arrived on a platform, is about to leave it, or left."""

    cursor: str = edge(news.cursor)
    """Continue behind it with `after`."""
    change: model.AvailabilityChange
    """What became of it."""
    content: Content | None = edge(sync.content, cost=3)
    """The title that is offered; null once the catalogue dropped it."""
    platform: Platform
    """The service that has or had it."""
    offer_kind: OfferKind
    """How it is paid for."""
    region: str
    """Where, ISO 3166-1 alpha-2."""
    ends_at: datetime | None
    """When it ends; null where no end is known, and for what has left."""
    noted_at: datetime
    """When it became known."""


@view(model.Trends, access=PUBLIC)
class TrendsChanged:
    """Other titles are watched and wanted most now, or in another order."""

    cursor: str = edge(news.cursor)
    """Continue behind it with `after`."""
    contents: list[Content] = edge(news.contents, cost=10, list_size=TRENDS)
    """The first hundred titles of the day, best first."""
    noted_at: datetime
    """When they were counted."""


@view(model.Announcement, access=PUBLIC)
class Announcement:
    """What those who run the service have to say."""

    id: ID = edge(news.announcement_id)
    """Names it."""
    text: str
    """What, as it is to be shown."""
    region: str | None
    """To whom, ISO 3166-1 alpha-2; null where to all."""
    published_at: datetime
    """Since when it counts."""
    ends_at: datetime
    """Until when."""
    withdrawn_at: datetime | None
    """When it was withdrawn before that; null where it was not."""


@view(model.Announced, access=PUBLIC)
class AnnouncementChanged:
    """Something was announced, or an announcement was withdrawn."""

    cursor: str = edge(news.cursor)
    """Continue behind it with `after`."""
    announcement: Announcement | None = edge(news.announcement, cost=2)
    """The announcement as it is by now; null once it is dropped."""
    noted_at: datetime
    """When that was."""


@view(news.AnnouncementPayload)
class AnnouncementPayload:
    """What became of an announcement."""

    announcement: Announcement | None
    """The announcement; null where it was refused."""
    user_errors: list[UserError] = plain(list_size=2)
    """Why it was refused."""


@view(news.AnnouncementPayload)
class AnnouncePayload(AnnouncementPayload):
    """What came of announcing something."""


@view(news.AnnouncementPayload)
class WithdrawAnnouncementPayload(AnnouncementPayload):
    """What came of withdrawing an announcement."""


News = Annotated[
    AvailabilityChanged | TrendsChanged | AnnouncementChanged,
    strawberry.union("News", description="Anything that concerns everybody."),
]


@view(access=PUBLIC)
class NewsQuery:
    """Where the news stand."""

    news_cursor: str = edge(news.news_cursor, cost=10)
    """Pass it as `after` to a stream of news, then read what it tells the changes of."""
    announcements: list[Announcement] = edge(news.announcements, cost=20, list_size=MOST_AT_A_TIME)
    """What is announced in a region now, latest first."""


@view()
class NewsMutation:
    """What those who run the service say; all of it is in the audit log."""

    announce: AnnouncePayload = edge(news.announce, cost=400, access=needs(Scope.ADMIN_FULL))
    """Says something to everybody, or to a region: those who follow `news` are told at once."""
    withdraw_announcement: WithdrawAnnouncementPayload = edge(
        news.withdraw_announcement, cost=400, access=needs(Scope.ADMIN_FULL)
    )
    """Ends an announcement before its time."""


@view(access=PUBLIC)
class NewsSubscription:
    """Streams of what concerns everybody."""

    content_availability: AvailabilityChanged = stream(streams.content_availability, cost=100)
    """When these titles arrive on a platform, are about to leave it, or left."""
    news: News = stream(streams.news, cost=100)
    """What arrives on platforms and leaves them in a region, what is watched most, and what is announced."""
