"""A synthetic catalogue: any number of works, the same ones at every run, worth searching."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from random import Random

from bench.words import (
    ADJECTIVES,
    CALLINGS,
    DEEDS,
    FAMILY_NAMES,
    GIVEN_NAMES,
    KEYWORDS,
    NOUNS,
    PLACES,
    STAKES,
    TONES,
    TRAITS,
)
from domain.catalog.model import (
    ArtworkKind,
    ContentKind,
    CreditRole,
    ExternalId,
    Image,
    OfferKind,
    Rating,
    SeriesStatus,
)
from domain.catalog.taxonomy import MUSIC_GENRES, PLATFORMS, SCREEN_GENRES, MaturityRating, genre_slug
from domain.ingestion.model import Item, NamedCredit, Origin, Work, WorkOffer
from domain.ingestion.rules import named

SEED = 20_240_229
REGION = "US"
CAST = 5
KINDS = (*[ContentKind.MOVIE] * 16, *[ContentKind.SERIES] * 3, ContentKind.ALBUM)
LANGUAGES = ("en", "en", "en", "en", "fr", "ja", "de", "es", "ko", "it")
COUNTRIES = ("US", "GB", "FR", "JP", "DE", "ES", "KR", "IT", "IN", "BR")
RATINGS = (MaturityRating.G, MaturityRating.PG, MaturityRating.PG_13, MaturityRating.R)
SCREEN_PLATFORMS = [platform.id for platform in PLATFORMS.values() if not platform.music]
MUSIC_PLATFORMS = [platform.id for platform in PLATFORMS.values() if platform.music]


class SyntheticCatalogue:
    """A source of `count` works: 3 genres, 8 credits, 3 offers in `REGION` and one elsewhere each."""

    name = "synthetic"
    fills_gaps = False

    def __init__(self, count: int) -> None:
        self._count = count
        self._done = 0

    @property
    def fraction(self) -> float:
        return self._done / max(1, self._count)

    def items(self) -> Iterator[Item]:
        random = Random(SEED)
        taken: set[str] = set()
        for number in range(1, self._count + 1):
            self._done = number
            yield work(number, random, taken)


def work(number: int, random: Random, taken: set[str]) -> Work:
    """The work with this number; its title is added to `taken`, which it is not in."""
    kind = KINDS[number % len(KINDS)]
    music = kind is ContentKind.ALBUM
    year = random.randint(1950, 2024)
    return Work(
        kind=kind,
        title=_title(random, taken),
        origin=Origin("synthetic", number),
        slug=slug(number),
        synopsis=_synopsis(random),
        release_date=date(year, random.randint(1, 12), random.randint(1, 28)),
        year=year,
        genres=tuple(genre_slug(name) for name in random.sample(MUSIC_GENRES if music else SCREEN_GENRES, 3)),
        keywords=tuple(random.sample(KEYWORDS, 5)),
        original_language=random.choice(LANGUAGES),
        countries=(random.choice(COUNTRIES),),
        maturity_rating=None if music else random.choice(RATINGS),
        popularity=round(min(100.0, random.expovariate(1 / 12)), 3),
        runtime_seconds=None if music else 60 * random.randint(20, 180),
        status=random.choice(list(SeriesStatus)) if kind is ContentKind.SERIES else None,
        label=random.choice(FAMILY_NAMES) if music else None,
        credits=_credits(kind, random),
        external_ids=(ExternalId("imdb", f"tt{number:07}"), ExternalId("bench", str(number))),
        ratings=(Rating("tmdb", round(random.uniform(3, 9), 1), 10.0, random.randint(10, 20_000)),),
        artwork=(Image(ArtworkKind.POSTER, f"https://images.example/{number}.jpg", 1000, 1500),),
        offers=_offers(number, random, music=music),
    )


def slug(number: int) -> str:
    return f"bench-{number}"


def person(random: Random) -> str:
    """A name; some are many times as frequent as others, as the famous are."""
    given = GIVEN_NAMES[int(len(GIVEN_NAMES) * random.random() ** 1.5)]
    return f"{given} {FAMILY_NAMES[int(len(FAMILY_NAMES) * random.random() ** 1.5)]}"


def _title(random: Random, taken: set[str]) -> str:
    while True:
        adjective, noun, place = random.choice(ADJECTIVES), random.choice(NOUNS), random.choice(PLACES)
        title = random.choice(
            (f"The {adjective} {noun}", f"{noun} of {place}", f"The {adjective} {noun} of {place}")
        )
        if title not in taken:
            taken.add(title)
            return title


def _synopsis(random: Random) -> str:
    hero = f"{random.choice(TRAITS)} {random.choice(CALLINGS)}"
    article = "An" if hero[0] in "aeiou" else "A"
    return (
        f"{article} {hero} from {random.choice(PLACES)} must {random.choice(DEEDS)} {random.choice(STAKES)}. "
        f"Then a {random.choice(TRAITS)} {random.choice(CALLINGS)} arrives. {random.choice(TONES)}"
    )


def _credits(kind: ContentKind, random: Random) -> tuple[NamedCredit, ...]:
    people: dict[str, None] = {}
    while len(people) < 3 + CAST:
        people[person(random)] = None
    roles = [CreditRole.ARTIST] if kind is ContentKind.ALBUM else [CreditRole.DIRECTOR]
    roles += [CreditRole.WRITER, CreditRole.COMPOSER, *[CreditRole.CAST] * CAST]
    return tuple(
        NamedCredit(named(name), role, random.choice(GIVEN_NAMES) if role is CreditRole.CAST else None)
        for name, role in zip(people, roles, strict=True)
    )


def _offers(number: int, random: Random, *, music: bool) -> tuple[WorkOffer, ...]:
    platforms = MUSIC_PLATFORMS if music else random.sample(SCREEN_PLATFORMS, 3)
    terms = (
        (OfferKind.SUBSCRIPTION, None),
        (OfferKind.RENTAL, Decimal("3.99")),
        (OfferKind.PURCHASE, Decimal("12.99")),
    )
    there = [
        WorkOffer(
            platform=platforms[place % len(platforms)],
            region=REGION,
            kind=kind,
            link_id=f"bench-{number}",
            quality="" if music else "HD",
            price=price,
            currency=None if price is None else "USD",
        )
        for place, (kind, price) in enumerate(terms)
    ]
    elsewhere = WorkOffer(platforms[0], "DE", OfferKind.SUBSCRIPTION, f"bench-{number}")
    return (*there, elsewhere)
