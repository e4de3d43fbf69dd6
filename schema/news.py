"""What the graph shows of news."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain.catalog.model import OfferKind
from domain.identity.policy import PUBLIC
from domain.news.model import AvailabilityChange
from domain.news.service import TRENDS
from resolvers import news, sync
from schema.catalog import Content, Platform
from schema.views import choices, edge, stream, view
from subscriptions import news as streams

choices(AvailabilityChange)


@view(streams.AvailabilityChanged, access=PUBLIC)
class AvailabilityChanged:
    """A title arrived on a platform, is about to leave it, or left."""

    cursor: str
    """Continue behind it with `after`."""
    change: AvailabilityChange
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


@view(streams.TrendsChanged, access=PUBLIC)
class TrendsChanged:
    """Other titles are watched and wanted most now, or in another order."""

    cursor: str
    """Continue behind it with `after`."""
    contents: list[Content] = edge(news.contents, cost=10, list_size=TRENDS)
    """The first hundred titles of the day, best first."""
    noted_at: datetime
    """When they were counted."""


News = Annotated[
    AvailabilityChanged | TrendsChanged,
    strawberry.union("News", description="Anything that concerns everybody."),
]


@view(access=PUBLIC)
class NewsQuery:
    """Where the news stand."""

    news_cursor: str = edge(news.news_cursor, cost=10)
    """Pass it as `after` to a stream of news, then read what it tells the changes of."""


@view(access=PUBLIC)
class NewsSubscription:
    """Streams of what concerns everybody."""

    content_availability: AvailabilityChanged = stream(streams.content_availability, cost=100)
    """When these titles arrive on a platform, are about to leave it, or left."""
    news: News = stream(streams.news, cost=100)
    """What arrives on platforms and leaves them, in one region, and what is watched most."""
