"""What every source is parsed into, and what is said about what could not be."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple, Protocol, TypeAlias

from domain.catalog.model import (
    ContentKind,
    CreditRole,
    ExternalId,
    Image,
    OfferKind,
    Rating,
    SeriesStatus,
)
from domain.catalog.taxonomy import MaturityRating


class BadSource(Exception):
    """The file or folder cannot be imported at all; the message says what is missing."""


class NotStored(Exception):
    """The store refuses the data of a batch, and has kept none of it."""


class Origin(NamedTuple):
    """Where something was read: the file's name and the line in it, from 1."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line that was not imported: `field` is what is wrong with it, or "" for the line as a whole."""

    file: str
    line: int
    field: str
    reason: str


class Name(NamedTuple):
    """A person or band as credited; `qualifier` tells two of one name apart, `key` is the name normalised."""

    name: str
    qualifier: str
    key: str


@dataclass(frozen=True, slots=True)
class NamedCredit:
    """Who did what; billing order is the order in `Work.credits`."""

    person: Name
    role: CreditRole
    character: str | None = None


@dataclass(frozen=True, slots=True)
class WorkOffer:
    """A way to watch the work in one region; price and currency come together or not at all."""

    platform: str
    region: str
    kind: OfferKind
    link_id: str
    quality: str = ""
    price: Decimal | None = None
    currency: str | None = None
    available_from: datetime | None = None
    expires_at: datetime | None = None
    demonstration: bool = False


@dataclass(slots=True)
class Work:
    """A work as one source tells it; what the source does not know is `None` or empty.

    `parts` are seasons, their episodes, or tracks, known by `disc` and `number` within their whole.
    `unknown_genres` are names of the source that the taxonomy has no genre for.
    """

    kind: ContentKind
    title: str
    origin: Origin
    number: int | None = None
    disc: int = 1
    slug: str | None = None
    original_title: str | None = None
    synopsis: str | None = None
    text_language: str = "en"
    release_date: date | None = None
    year: int | None = None
    genres: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    original_language: str | None = None
    countries: tuple[str, ...] = ()
    maturity_rating: MaturityRating | None = None
    popularity: float | None = None
    runtime_seconds: int | None = None
    end_credits_seconds: int | None = None
    status: SeriesStatus | None = None
    episode_count: int | None = None
    label: str | None = None
    credits: tuple[NamedCredit, ...] = ()
    external_ids: tuple[ExternalId, ...] = ()
    ratings: tuple[Rating, ...] = ()
    artwork: tuple[Image, ...] = ()
    offers: tuple[WorkOffer, ...] = ()
    parts: tuple["Work", ...] = ()
    unknown_genres: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Feedback:
    """Stars that a pseudonymous viewer gave a work known by its `external_id`."""

    account_id: str
    display_name: str
    external_id: ExternalId
    stars: float
    at: datetime
    origin: Origin


Item: TypeAlias = Work | Feedback | Refusal


class Source(Protocol):
    """Something to import; `items` reads it from the start, a line at a time.

    With `fills_gaps` what the catalogue already knows about a work stays, else the source corrects it.
    """

    @property
    def name(self) -> str: ...
    @property
    def fills_gaps(self) -> bool: ...
    @property
    def fraction(self) -> float:
        """How much of it has been read, from 0 to 1."""

    def items(self) -> Iterator[Item]: ...
