"""What records of several services have in common: moments, and ids in other systems."""

import re
from datetime import UTC, datetime

from domain.catalog.model import ExternalId
from domain.interchange.model import noon
from domain.platform.fields import Fields

TITLE_LIMIT = 500
YEARS = (1800, 2100)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_IMDB = re.compile(r"tt\d{7,10}")
SOURCES = {
    "movie": {"imdb": "imdb", "tmdb": "tmdb"},
    "series": {"imdb": "imdb", "tmdb": "tmdb_tv", "tvdb": "tvdb", "tvmaze": "tvmaze"},
}
"""The ids that the catalogue knows, by the kind of work: TMDB numbers films and series apart."""


def moment(record: Fields, name: str) -> datetime | None:
    """A moment in ISO 8601, or the noon of a day; raises `Broken`."""
    text = record.text(name, 40)
    if text is None:
        return None
    try:
        if _DAY.fullmatch(text):
            return noon(datetime.fromisoformat(text).date())
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise record.broken(name, f"must be a moment like 2021-12-31T20:15:00Z, and is {text!r}") from None


def external_ids(record: Fields, kind: str) -> tuple[ExternalId, ...]:
    """The ids in `ids` that the catalogue may know, as numbers or as texts of digits."""
    ids = record.part("ids")
    found = []
    for name, source in SOURCES[kind].items():
        value = ids.either(name)
        if value is not None and (source != "imdb" or _IMDB.fullmatch(value)):
            found.append(ExternalId(source, value))
    return tuple(found)
