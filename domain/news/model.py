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


News: TypeAlias = Availability | Trends


@dataclass(frozen=True, slots=True)
class Interest:
    """Which news somebody follows: all that is given must hold of what concerns titles on platforms."""

    region: str | None = None
    content_ids: frozenset[int] | None = None
    """Titles; trends are of none, and left out where these are given."""
    platform_ids: frozenset[str] | None = None

    def takes(self, news: News) -> bool:
        match news:
            case Trends():
                return self.content_ids is None
            case Availability(content_id=content_id, region=region, platform_id=platform_id):
                return (
                    (self.content_ids is None or content_id in self.content_ids)
                    and (self.region is None or region == self.region)
                    and (self.platform_ids is None or platform_id in self.platform_ids)
                )


EVERYTHING = Interest()
