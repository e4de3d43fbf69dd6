"""The demo catalogue: works that exist, written for this project, with offers made up to show them.

The data lies beside this module in `demo/`, as JSON lines: `films-*`, `series`, `albums` hold works under a
`key`, `offers` the offers of each key, `accounts` demo accounts (see `accounts.py`).
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from pathlib import Path

from domain.catalog.model import ContentKind, CreditRole, ExternalId, OfferKind, SeriesStatus, VideoQuality
from domain.catalog.taxonomy import PLATFORMS, MaturityRating
from domain.ingestion import rules
from domain.ingestion.genres import canonical
from domain.ingestion.lines import Line, LineFile, Lines, record, works_of
from domain.ingestion.model import Item, NamedCredit, Origin, Refusal, Work, WorkOffer
from domain.platform.fields import Broken, Fields

FOLDER = Path(__file__).parent / "demo"
WORK_FILES = ("films-*.jsonl", "series.jsonl", "albums.jsonl")
KINDS = {"film": ContentKind.MOVIE, "series": ContentKind.SERIES, "album": ContentKind.ALBUM}
HIGHEST_PRICE = 1_000_000
PEOPLE = {
    "directors": CreditRole.DIRECTOR,
    "creators": CreditRole.CREATOR,
    "writers": CreditRole.WRITER,
    "composers": CreditRole.COMPOSER,
    "artists": CreditRole.ARTIST,
}


class DemoCatalogue:
    """The demo catalogue as a source; `folder` may hold another one of the same form."""

    name = "demo"
    fills_gaps = False

    def __init__(self, folder: Path = FOLDER) -> None:
        self._files = [LineFile(path) for path in work_paths(folder)]
        self._offers = LineFile(folder / "offers.jsonl")

    @property
    def fraction(self) -> float:
        return sum(file.fraction for file in self._files) / max(1, len(self._files))

    def items(self) -> Iterator[Item]:
        offers: dict[str, tuple[WorkOffer, ...]] = {}
        for entry in self._offers:
            match read_offers(entry):
                case Refusal() as refusal:
                    yield refusal
                case key, found:
                    offers[key] = found
        for file in self._files:
            yield from parse(file, offers)


def work_paths(folder: Path) -> list[Path]:
    """The files of works in it, films first."""
    return [path for pattern in WORK_FILES for path in sorted(folder.glob(pattern))]


def parse(lines: Lines, offers: Mapping[str, tuple[WorkOffer, ...]]) -> Iterator[Work | Refusal]:
    """The works of one file, with the offers of their keys."""
    return works_of(lines, lambda entry, origin: read_work(entry, origin, offers))


def read_work(entry: Fields, origin: Origin, offers: Mapping[str, tuple[WorkOffer, ...]]) -> Work:
    key = entry.required_text("key", 100)
    kind = KINDS.get(entry.required_text("kind", 10))
    if kind is None:
        raise entry.broken("kind", f"must be one of {', '.join(KINDS)}")
    shown = rules.title(entry)
    genres, unknown = canonical(entry.texts("genres", rules.WORD_LIMIT))
    return Work(
        kind=kind,
        title=shown,
        origin=origin,
        slug=key,
        original_title=rules.original_title(entry, shown),
        synopsis=entry.text("synopsis", rules.SYNOPSIS_LIMIT),
        release_date=entry.day("release_date"),
        year=rules.year(entry),
        genres=genres,
        unknown_genres=unknown,
        keywords=rules.keywords(entry),
        original_language=rules.language(entry, "original_language"),
        countries=rules.countries(entry),
        maturity_rating=_maturity(entry),
        popularity=entry.number("popularity", 0, 100),
        runtime_seconds=rules.seconds(entry, "runtime_minutes"),
        end_credits_seconds=entry.integer("end_credits_seconds", 1),
        status=_status(entry),
        label=entry.text("label", rules.NAME_LIMIT),
        credits=_credits(entry),
        external_ids=_external_ids(entry, key, kind),
        offers=offers.get(key, ()),
        parts=_parts(entry, origin, kind),
    )


def _maturity(entry: Fields) -> MaturityRating | None:
    value = entry.text("maturity_rating", 10)
    if value is not None and value not in list(MaturityRating):
        raise entry.broken("maturity_rating", f"must be one of {', '.join(MaturityRating)}")
    return None if value is None else MaturityRating(value)


def _status(entry: Fields) -> SeriesStatus | None:
    value = entry.text("status", 20)
    if value is not None and value not in list(SeriesStatus):
        raise entry.broken("status", f"must be one of {', '.join(SeriesStatus)}")
    return None if value is None else SeriesStatus(value)


def _credits(entry: Fields) -> tuple[NamedCredit, ...]:
    made = [credit for name, role in PEOPLE.items() for credit in rules.people(entry, name, role)]
    return (*made, *rules.cast(entry))


def _external_ids(entry: Fields, key: str, kind: ContentKind) -> tuple[ExternalId, ...]:
    return (
        ExternalId("demo", key),
        *rules.imdb(entry),
        *rules.numbered_id(entry, "tmdb_id", rules.tmdb_source(series=kind is ContentKind.SERIES)),
        *rules.numbered_id(entry, "tvmaze_id", "tvmaze"),
        *rules.numbered_id(entry, "tvdb_id", "tvdb"),
        *(ExternalId("upc", upc) for upc in [entry.text("upc", 20)] if upc is not None),
    )


def _parts(entry: Fields, origin: Origin, kind: ContentKind) -> tuple[Work, ...]:
    if kind is ContentKind.SERIES:
        return tuple(_season(part, origin) for part in entry.parts("seasons"))
    return tuple(_track(part, origin) for part in entry.parts("tracks"))


def _season(entry: Fields, origin: Origin) -> Work:
    number = entry.required_integer("number", 0, 10_000)
    return Work(
        kind=ContentKind.SEASON,
        title=entry.text("title", rules.TITLE_LIMIT) or (f"Season {number}" if number else "Specials"),
        origin=origin,
        number=number,
        year=rules.year(entry),
        episode_count=entry.integer("episode_count", 0, rules.EPISODES_LIMIT),
        parts=tuple(_episode(part, origin) for part in entry.parts("episodes")),
    )


def _episode(entry: Fields, origin: Origin) -> Work:
    released = entry.day("release_date")
    return Work(
        kind=ContentKind.EPISODE,
        title=rules.title(entry),
        origin=origin,
        number=entry.required_integer("number", 0, rules.EPISODES_LIMIT),
        release_date=released,
        year=released.year if released else None,
        synopsis=entry.text("synopsis", rules.SYNOPSIS_LIMIT),
        runtime_seconds=rules.seconds(entry, "runtime_minutes"),
        end_credits_seconds=entry.integer("end_credits_seconds", 1),
    )


def _track(entry: Fields, origin: Origin) -> Work:
    return Work(
        kind=ContentKind.TRACK,
        title=rules.title(entry),
        origin=origin,
        disc=entry.integer("disc", 1, 1000) or 1,
        number=entry.required_integer("number", 1, 10_000),
        runtime_seconds=entry.integer("duration_seconds", 1),
        credits=tuple(rules.people(entry, "artists", CreditRole.ARTIST)),
    )


def read_offers(entry: Line | Refusal) -> tuple[str, tuple[WorkOffer, ...]] | Refusal:
    """A line of `offers.jsonl`: a key and its offers, each spread over its regions."""
    if isinstance(entry, Refusal):
        return entry
    try:
        fields = Fields(record(entry.data))
        key = fields.required_text("key", 100)
        return key, tuple(offer for part in fields.parts("offers") for offer in _offers(part, key))
    except Broken as broken:
        return Refusal(*entry.origin, broken.field, broken.reason)


def _offers(entry: Fields, key: str) -> list[WorkOffer]:
    platform = entry.required_text("platform", 50)
    if platform not in PLATFORMS:
        raise entry.broken("platform", f"is not known: {platform!r}")
    kind = entry.required_text("kind", 20)
    if kind not in list(OfferKind):
        raise entry.broken("kind", f"must be one of {', '.join(OfferKind)}")
    quality = entry.text("quality", 5)
    if quality is not None and quality not in list(VideoQuality):
        raise entry.broken("quality", f"must be one of {', '.join(VideoQuality)}")
    price = _price(entry)
    return [
        WorkOffer(
            platform=platform,
            region=region,
            kind=OfferKind(kind),
            link_id=f"demo-{key}",
            quality=quality or "",
            price=price,
            currency=entry.text("currency", 3),
            available_from=_moment(entry.day("from")),
            expires_at=_moment(entry.day("until")),
            demonstration=True,
        )
        for region in rules.countries(entry, "regions")
    ]


def _price(entry: Fields) -> Decimal | None:
    """A text such as "3.99": binary fractions cannot hold it."""
    text, currency = entry.text("price", 12), entry.text("currency", 3)
    if (text is None) != (currency is None):
        raise entry.broken("price", "comes with its currency or not at all")
    try:
        price = None if text is None else Decimal(text)
    except InvalidOperation:
        raise entry.broken("price", f"must be an amount such as 3.99, and is {text!r}") from None
    if price is not None and not (price.is_finite() and 0 <= price <= HIGHEST_PRICE):
        raise entry.broken("price", f"must be between 0 and {HIGHEST_PRICE}, and is {text}")
    return price


def _moment(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), UTC)
