"""What the news say."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from domain.catalog.model import OfferKind
from domain.catalog.taxonomy import PLATFORMS, Platform


class AvailabilityChange(StrEnum):
    """What became of a title on a platform, in a region, for one way to pay."""

    ARRIVED = "arrived"
    """It can be watched there from now on."""
    LEAVING = "leaving"
    """It can be watched for at most seven more days."""
    STAYING = "staying"
    """It was about to leave, and stays after all."""
    LEFT = "left"
    """It can be watched there no more."""


@dataclass(frozen=True, slots=True)
class Availability:
    """An offer that began, is about to end, or ended; `seq` is its place in the log of news."""

    seq: int
    change: AvailabilityChange
    content_id: int
    region: str
    platform_id: str
    offer_kind: OfferKind
    ends_at: datetime | None
    """When it ends; nothing where no end is known."""
    noted_at: datetime
    """When it was noted."""

    @property
    def platform(self) -> Platform:
        return PLATFORMS[self.platform_id]


@dataclass(frozen=True, slots=True)
class Trends:
    """The works that are watched and wanted most, best first; `seq` is its place in the log of news."""

    seq: int
    content_ids: tuple[int, ...]
    noted_at: datetime
    """When they were counted."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """What those who run the service have to say, to one region or to all, for as long as it counts."""

    id: int
    text: str
    region: str | None
    published_at: datetime
    ends_at: datetime
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Announced:
    """Something was announced, or an announcement was withdrawn; `seq` is its place in the log of news."""

    seq: int
    announcement_id: int
    region: str | None
    noted_at: datetime
    """When that was."""


News: TypeAlias = Availability | Trends | Announced


@dataclass(frozen=True, slots=True)
class Interest:
    """Which news somebody follows: of what is offered all that is given must hold."""

    region: str | None = None
    content_ids: frozenset[int] | None = None
    """Titles; what is about none is left out where these are given."""
    platform_ids: frozenset[str] | None = None

    def takes(self, news: News) -> bool:
        match news:
            case Trends():
                return self.content_ids is None
            case Announced(region=region):
                return self.content_ids is None and (None in {region, self.region} or region == self.region)
            case Availability(content_id=content_id, region=region, platform_id=platform_id):
                return (
                    (self.content_ids is None or content_id in self.content_ids)
                    and (self.region is None or region == self.region)
                    and (self.platform_ids is None or platform_id in self.platform_ids)
                )


EVERYTHING = Interest()
