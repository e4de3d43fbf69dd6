"""What the graph shows of the catalogue."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

import strawberry
from strawberry import ID

from domain.catalog import links, model, quality, service, taxonomy
from domain.identity.policy import PUBLIC
from resolvers import catalog
from schema.caching import CATALOGUE, OFFERS, PART
from schema.node import Node
from schema.paging import Connection, page
from schema.scalars import URL
from schema.views import choices, edge, plain, view

choices(
    model.ContentKind,
    model.SeriesStatus,
    model.CreditRole,
    model.OfferKind,
    model.VideoQuality,
    model.ArtworkKind,
    taxonomy.MaturityRating,
    service.ContentOrder,
    links.LinkKind,
)


@view(taxonomy.Genre, cache=CATALOGUE, access=PUBLIC)
class Genre:
    """A genre of screen works or of music."""

    id: ID
    """Its slug, as in `science-fiction`; the value that filters take."""
    name: str
    """Its name in English."""
    music: bool
    """Whether it is one of music."""


@view(taxonomy.Platform, cache=CATALOGUE, access=PUBLIC)
class Platform:
    """A service that has works."""

    id: ID
    """Its slug, as in `disney_plus`; the value that filters take."""
    name: str
    """Its name."""
    home: URL
    """Its web site."""
    music: bool
    """Whether it is one of music."""


@view(model.Money, cache=PART, access=PUBLIC)
class Money:
    """An amount of money."""

    amount: Decimal
    """The amount in units of the currency, as a decimal string."""
    currency: str
    """ISO 4217."""


@view(links.PlaybackLink, cache=PART, access=PUBLIC)
class PlaybackLink:
    """A link that starts a title on its service."""

    kind: links.LinkKind
    """How it reaches the service."""
    url: URL
    """The link."""


@view(model.Offer, cache=OFFERS, access=PUBLIC)
class Offer:
    """A way to watch or hear something, in one region, until it lapses."""

    platform: Platform
    """The service that has it."""
    kind: model.OfferKind
    """How it is paid for."""
    price: Money | None
    """What it costs; null where it comes with a subscription or free."""
    region: str
    """Where it stands, ISO 3166-1 alpha-2."""
    quality: model.VideoQuality | None
    """The best picture it has; null where unknown, and for music."""
    available_from: datetime | None
    """Since when; null where unknown."""
    expires_at: datetime | None
    """Until when; null where no end is known."""
    last_verified_at: datetime
    """When it was last seen to stand."""
    demonstration: bool
    """Made up for the demo catalogue."""
    links: list[PlaybackLink] = edge(catalog.links, cost=2, list_size=5)
    """Links that start it, best first."""


@view(model.Image, cache=PART, access=PUBLIC)
class Image:
    """A picture of a work."""

    kind: model.ArtworkKind
    """What it is for."""
    url: URL
    """Where it is."""
    width: int | None
    """Pixels across, where known."""
    height: int | None
    """Pixels down, where known."""


@view(model.ExternalId, cache=PART, access=PUBLIC)
class ExternalId:
    """The name of a work in another system."""

    source: str
    """The system, as in `tvmaze` or `movielens`."""
    value: str
    """The name there."""


@view(model.ExternalIds, cache=PART, access=PUBLIC)
class ExternalIds:
    """The names of a work in other systems."""

    eidr: str | None
    """Entertainment Identifier Registry."""
    imdb: str | None
    """IMDb."""
    tmdb: str | None
    """The Movie Database."""
    tvdb: str | None
    """TheTVDB."""
    isrc: str | None
    """International Standard Recording Code, of a track."""
    upc: str | None
    """Universal Product Code, of an album."""
    others: list[ExternalId] = plain(list_size=5)
    """Its names in further systems."""


@view(model.Rating, cache=PART, access=PUBLIC)
class Rating:
    """What the public of a source thinks."""

    source: str
    """Whose public."""
    value: float
    """The mean, from 0 to `scale`."""
    scale: float
    """The best possible value."""
    vote_count: int | None
    """How many voted, where known."""


@view(quality.ContentQuality, cache=PART, access=PUBLIC)
class ContentQuality:
    """How complete and how fresh the record of a work is."""

    score: float
    """From 0 to 1."""
    missing_fields: list[str]
    """What a complete record would have."""
    freshness: float
    """1 today, falling with the days since the last update to 0.5."""


@view(model.Person, cache=CATALOGUE, access=PUBLIC)
class Person(Node):
    """Somebody, or a band, who made or appeared in a work."""

    name: str
    """The name as credited."""
    works: Connection[Annotated["Content", strawberry.lazy("schema.catalog")]] = page(catalog.works, cost=12)
    """What they made or appeared in, best known first."""


@view(model.Credit, cache=PART, access=PUBLIC)
class Credit:
    """What a person did for a work."""

    person: Person
    """Who."""
    role: model.CreditRole
    """What they did."""
    character: str | None
    """Whom they played, where known."""


@view(model.Content, interface=True, cache=CATALOGUE, access=PUBLIC)
class Content(Node):
    """Anything that can be watched or heard."""

    title: str
    """The title in English, or the original where it has no other."""
    original_title: str | None
    """The title in its own language, where it differs."""
    synopsis: str | None
    """What it is about."""
    release_date: date | None
    """When it was first released."""
    year: int | None
    """The year of the first release."""
    genres: list[Genre] = plain(list_size=5)
    """Its genres, most fitting first."""
    keywords: list[str]
    """Its themes."""
    original_language: str | None
    """BCP 47."""
    countries: list[str]
    """Where it was made, ISO 3166-1 alpha-2."""
    maturity_rating: taxonomy.MaturityRating | None
    """Whom it suits."""
    popularity: float
    """How well known it is, 0 to 100."""
    artwork: list[Image] = edge(catalog.artwork, cost=3, list_size=5)
    """Its pictures."""
    credits: Connection[Credit] = page(catalog.credits, cost=5)
    """Who made it and appears in it."""
    external_ids: ExternalIds = edge(catalog.external_ids, cost=3)
    """Its names in other systems."""
    ratings: list[Rating] = edge(catalog.ratings, cost=3, list_size=5)
    """What the public thinks."""
    availability: list[Offer] = edge(catalog.availability, cost=6, list_size=10)
    """Where it can be watched or heard now, cheapest way first."""
    quality: ContentQuality = edge(catalog.quality, cost=9)
    """How complete its record is."""


@view(model.Movie, cache=CATALOGUE, access=PUBLIC)
class Movie(Content):
    """A film."""

    runtime_seconds: int | None
    """Its length."""
    end_credits_seconds: int | None
    """How long its closing credits are; who comes to them has finished it."""


@view(model.Series, cache=CATALOGUE, access=PUBLIC)
class Series(Content):
    """A series, made of seasons."""

    status: model.SeriesStatus | None
    """Whether more is to come."""
    runtime_seconds: int | None
    """The length of a usual episode."""
    seasons: list[Annotated["Season", strawberry.lazy("schema.catalog")]] = edge(
        catalog.seasons, cost=10, list_size=20
    )
    """Its seasons, in order."""


@view(model.Season, cache=CATALOGUE, access=PUBLIC)
class Season(Content):
    """A season of a series."""

    number: int
    """Its number, from 1; 0 for specials."""
    episode_count: int | None
    """How many episodes it has, also where they are not listed."""
    series: Series = edge(catalog.series, cost=3)
    """The series."""
    episodes: Connection[Annotated["Episode", strawberry.lazy("schema.catalog")]] = page(
        catalog.episodes, cost=10
    )
    """Its episodes, in order."""


@view(model.Episode, cache=CATALOGUE, access=PUBLIC)
class Episode(Content):
    """An episode of a season."""

    number: int
    """Its number within the season."""
    runtime_seconds: int | None
    """Its length."""
    end_credits_seconds: int | None
    """How long its closing credits are; who comes to them has finished it."""
    season: Season = edge(catalog.season, cost=3)
    """The season."""


@view(model.Album, cache=CATALOGUE, access=PUBLIC)
class Album(Content):
    """An album."""

    label: str | None
    """Who published it."""
    tracks: list[Annotated["Track", strawberry.lazy("schema.catalog")]] = edge(
        catalog.tracks, cost=10, list_size=20
    )
    """Its tracks, in order."""
    artists: list[Person] = edge(catalog.artists, cost=5, list_size=5)
    """Who recorded it."""


@view(model.Track, cache=CATALOGUE, access=PUBLIC)
class Track(Content):
    """A track of an album."""

    disc: int
    """The disc it is on."""
    number: int
    """Its number on the disc."""
    duration_seconds: int | None
    """Its length."""
    album: Album | None = edge(catalog.album, cost=3)
    """The album."""
    artists: list[Person] = edge(catalog.artists, cost=5, list_size=5)
    """Who recorded it."""


@view(access=PUBLIC)
class CatalogQuery:
    """What exists and where it can be watched."""

    content: Content | None = edge(catalog.content, cost=100)
    """One title, by any of its names; null where there is none."""
    contents: Connection[Content] = page(catalog.contents, cost=100, cache=CATALOGUE)
    """Films, series and albums."""
    genres: list[Genre] = edge(catalog.genres, list_size=50)
    """Every genre."""
    platforms: list[Platform] = edge(catalog.platforms, list_size=50)
    """Every platform."""
    person: Person | None = edge(catalog.person, cost=100)
    """One person; null where there is none."""


TYPES = (Movie, Series, Season, Episode, Album, Track)
