"""Films of the TMDB 5000 set: JSON lines with overview, keywords, cast and crew."""

from collections.abc import Iterator
from math import log1p

from domain.catalog.model import ContentKind, CreditRole, Rating
from domain.ingestion import rules
from domain.ingestion.genres import canonical
from domain.ingestion.lines import Lines, WorkFile, works_of
from domain.ingestion.model import Item, Origin, Refusal, Work
from domain.platform.fields import Fields

MOST_POPULAR = 1000.0
# TMDB's own codes: Cantonese has none in ISO 639-1, and `xx` is a film without words.
LANGUAGES = {"cn": "zh", "xx": None}


class Tmdb5000(WorkFile):
    """A file of films."""

    name = "tmdb5000"

    def items(self) -> Iterator[Item]:
        return parse(self._file)


def parse(lines: Lines) -> Iterator[Work | Refusal]:
    return works_of(lines, read_work)


def read_work(entry: Fields, origin: Origin) -> Work:
    shown = rules.title(entry)
    released = entry.day("release_date")
    genres, unknown = canonical(entry.texts("genres", rules.WORD_LIMIT))
    popularity = entry.number("popularity", 0, 1e9)
    language = rules.language(entry, "language")
    return Work(
        kind=ContentKind.MOVIE,
        title=shown,
        origin=origin,
        original_title=rules.original_title(entry, shown),
        synopsis=entry.text("overview", rules.SYNOPSIS_LIMIT),
        release_date=released,
        year=rules.year(entry) or (released.year if released else None),
        genres=genres,
        unknown_genres=unknown,
        keywords=rules.keywords(entry),
        original_language=LANGUAGES.get(language, language) if language else None,
        countries=rules.countries(entry),
        popularity=None if popularity is None else scaled_popularity(popularity),
        runtime_seconds=rules.seconds_unless_zero(entry, "runtime"),
        credits=(
            *rules.people(entry, "directors", CreditRole.DIRECTOR),
            *rules.people(entry, "writers", CreditRole.WRITER),
            *rules.cast(entry),
        ),
        external_ids=(
            *rules.numbered_id(entry, "tmdb_id", rules.tmdb_source(series=False)),
            *rules.imdb(entry),
            *rules.numbered_id(entry, "movielens_id", "movielens"),
        ),
        ratings=_ratings(entry),
    )


def scaled_popularity(popularity: float) -> float:
    """TMDB's open-ended popularity on the catalogue's scale of 0 to 100.

    Its values are spread over orders of magnitude, so the scale is logarithmic: 1 → 10, 13 (the median of
    the set) → 38, 150 → 73, 1000 and more → 100.
    """
    return round(min(100.0, 100 * log1p(popularity) / log1p(MOST_POPULAR)), 2)


def _ratings(entry: Fields) -> tuple[Rating, ...]:
    value, votes = entry.number("vote_average", 0, 10), entry.integer("vote_count", 0)
    # The average of no votes is written as 0.
    return (Rating("tmdb", value, 10.0, votes),) if value is not None and votes else ()
