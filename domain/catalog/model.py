"""What exists and where it can be watched or heard: values and their rules."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from domain.catalog.taxonomy import GENRES, PLATFORMS, Genre, MaturityRating, Platform
from domain.platform.values import value


class ContentKind(StrEnum):
    """What a work is."""

    MOVIE = "movie"
    """A film."""
    SERIES = "series"
    """A series, made of seasons."""
    SEASON = "season"
    """A season, made of episodes."""
    EPISODE = "episode"
    """An episode of a season."""
    ALBUM = "album"
    """An album, made of tracks."""
    TRACK = "track"
    """A track of an album."""


WORKS = (ContentKind.MOVIE, ContentKind.SERIES, ContentKind.ALBUM)
"""The kinds that lists and search show; the others are reached through them."""


class SeriesStatus(StrEnum):
    """Whether more is to come."""

    ONGOING = "ongoing"
    """More seasons are expected."""
    ENDED = "ended"
    """It came to its end."""
    CANCELLED = "cancelled"
    """It was stopped before its end."""
    HIATUS = "hiatus"
    """It pauses."""


class CreditRole(StrEnum):
    """What a person did."""

    DIRECTOR = "director"
    """Directed it."""
    CREATOR = "creator"
    """Created the series."""
    WRITER = "writer"
    """Wrote it."""
    COMPOSER = "composer"
    """Composed its music."""
    CAST = "cast"
    """Acted or appeared in it."""
    ARTIST = "artist"
    """Recorded it."""


class OfferKind(StrEnum):
    """How a work is paid for."""

    FREE = "free"
    """Nothing, perhaps with advertising."""
    SUBSCRIPTION = "subscription"
    """A subscription of the platform."""
    RENTAL = "rental"
    """Once, for a limited time."""
    PURCHASE = "purchase"
    """Once, to keep."""


class VideoQuality(StrEnum):
    """The best picture an offer has."""

    SD = "SD"
    """480 lines."""
    HD = "HD"
    """720 or 1080 lines."""
    UHD = "UHD"
    """2160 lines."""


class ArtworkKind(StrEnum):
    """What a picture is for."""

    POSTER = "poster"
    """Upright, with the title."""
    BACKDROP = "backdrop"
    """Wide, to lie behind text."""
    COVER = "cover"
    """Square, of an album."""


@value
class Content:
    """Anything that can be watched or heard; each kind is a class of its own."""

    id: int
    title: str
    original_title: str | None
    synopsis: str | None
    release_date: date | None
    year: int | None
    genre_ids: tuple[str, ...]
    keywords: tuple[str, ...]
    original_language: str | None
    countries: tuple[str, ...]
    maturity_rating: MaturityRating | None
    popularity: float
    updated_at: datetime

    @property
    def genres(self) -> list[Genre]:
        return [GENRES[genre] for genre in self.genre_ids]

    @property
    def playable(self) -> bool:
        """Whether it is played as such, rather than its parts."""
        return isinstance(self, Movie | Episode | Track)

    @property
    def length_seconds(self) -> int | None:
        """How long it plays, where that is known."""
        match self:
            case Movie(runtime_seconds=seconds) | Episode(runtime_seconds=seconds):
                return seconds
            case Track(duration_seconds=seconds):
                return seconds
        return None


@value
class Movie(Content):
    """A film; `end_credits_seconds` is how long its closing credits are."""

    runtime_seconds: int | None
    end_credits_seconds: int | None = None


@value
class Series(Content):
    """A series; `runtime_seconds` is that of a usual episode."""

    status: SeriesStatus | None
    runtime_seconds: int | None


@value
class Season(Content):
    """A season of the series `series_id`; `episode_count` is known even where its episodes are not listed."""

    series_id: int
    number: int
    episode_count: int | None


@value
class Episode(Content):
    """An episode of the season `season_id`, with the length of its closing credits."""

    season_id: int
    number: int
    runtime_seconds: int | None
    end_credits_seconds: int | None = None


@value
class Album(Content):
    """An album."""

    label: str | None


@value
class Track(Content):
    """A track of the album `album_id`, on its disc `disc`."""

    album_id: int
    disc: int
    number: int
    duration_seconds: int | None


@value
class Person:
    """Somebody, or a band, who made or appeared in a work."""

    id: int
    name: str


@value
class Credit:
    """What a person did for a work; `character` for the cast."""

    content_id: int
    person: Person
    role: CreditRole
    position: int
    character: str | None


@value
class ExternalId:
    """The name of a work in another system."""

    source: str
    value: str


@value
class ExternalIds:
    """The names of a work in the systems that matter to clients, and in all others."""

    eidr: str | None
    imdb: str | None
    tmdb: str | None
    tvdb: str | None
    isrc: str | None
    upc: str | None
    others: list[ExternalId]

    @staticmethod
    def of(ids: Sequence[ExternalId]) -> "ExternalIds":
        """Of several names in one system the first in order counts."""
        known = {id_.source: id_.value for id_ in reversed(ids)}
        named = {name: known.pop(name, None) for name in ("eidr", "imdb", "tmdb", "tvdb", "isrc", "upc")}
        return ExternalIds(**named, others=[id_ for id_ in ids if id_.source in known])


@value
class Rating:
    """What the public of `source` thinks, from 0 to `scale`."""

    source: str
    value: float
    scale: float
    vote_count: int | None


@value
class Image:
    """A picture of a work; its size in pixels where known."""

    kind: ArtworkKind
    url: str
    width: int | None
    height: int | None


class Money(NamedTuple):
    """An amount in a currency of ISO 4217."""

    amount: Decimal
    currency: str


class Place(NamedTuple):
    """A work in a region."""

    content_id: int
    region: str


@value
class Offer:
    """A way to watch something, in one region, until it lapses."""

    content_id: int
    kind: OfferKind
    region: str
    platform_id: str
    link_id: str
    price: Money | None
    quality: VideoQuality | None
    available_from: datetime | None
    expires_at: datetime | None
    last_verified_at: datetime
    demonstration: bool
    """Made up for the demo catalogue."""

    @property
    def platform(self) -> Platform:
        return PLATFORMS[self.platform_id]

    def stands(self, now: datetime) -> bool:
        return (self.available_from is None or self.available_from <= now) and (
            self.expires_at is None or now < self.expires_at
        )

    def next_change(self, now: datetime) -> datetime | None:
        """When it next begins or lapses; nothing where it stays as it is."""
        if self.available_from is None and self.expires_at is None:
            return None
        ahead = [at for at in (self.available_from, self.expires_at) if at is not None and at > now]
        return min(ahead, default=None)


def normalised(text: str) -> str:
    """Text as titles and names are compared: no case, no accents, no punctuation, single spaces.

    Vowel signs are letters of their own (Devanagari, Thai) and stay.
    """
    if text.isascii():
        return " ".join(re.findall(r"[^\W_]+", text.lower().replace("'", "")))
    # Decomposed before the case is folded, as the letters within a sign (™, ℡) have a case, too.
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return " ".join("".join(map(_compared, folded)).split())


def _compared(character: str) -> str:
    if character.isalnum():
        return character
    if unicodedata.combining(character) or character in "'’\ufe0e\ufe0f":  # noqa: RUF001
        return ""
    return character if unicodedata.category(character) in {"Mn", "Mc"} else " "
