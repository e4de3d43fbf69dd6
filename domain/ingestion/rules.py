"""The limits of a work's fields, the same for every source."""

import re
from functools import lru_cache

from domain.catalog.model import CreditRole, ExternalId, normalised
from domain.ingestion.model import Name, NamedCredit
from domain.platform.fields import Fields

TITLE_LIMIT = 500
SYNOPSIS_LIMIT = 5000
NAME_LIMIT = 255
CHARACTER_LIMIT = 500
WORD_LIMIT = 100
"""A keyword or genre name."""
YEARS = (1800, 2100)
RUNTIME_LIMIT_MINUTES = 10_000
EPISODES_LIMIT = 100_000

LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
COUNTRY = re.compile(r"[A-Z]{2}")
IMDB = re.compile(r"tt[0-9]{7,8}")


def title(record: Fields, name: str = "title") -> str:
    return record.required_text(name, TITLE_LIMIT)


def original_title(record: Fields, shown: str, name: str = "original_title") -> str | None:
    """Nothing where it is the title that is shown."""
    found = record.text(name, TITLE_LIMIT)
    return None if found == shown else found


def year(record: Fields, name: str = "year") -> int | None:
    return record.integer(name, *YEARS)


def seconds(record: Fields, name: str) -> int | None:
    """The runtime in seconds of a field in whole minutes."""
    minutes = record.integer(name, 1, RUNTIME_LIMIT_MINUTES)
    return None if minutes is None else minutes * 60


def seconds_unless_zero(record: Fields, name: str) -> int | None:
    """The same of a set that writes 0 for unknown."""
    minutes = record.integer(name, 0, RUNTIME_LIMIT_MINUTES)
    return minutes * 60 if minutes else None


def language(record: Fields, name: str) -> str | None:
    code = record.text(name, 35)
    if code is not None and not LANGUAGE.fullmatch(code):
        raise record.broken(name, f"must be a language of BCP 47 such as `en`, and is {code!r}")
    return code


def country(record: Fields, name: str) -> str | None:
    code = record.text(name, 10)
    if code is not None and not COUNTRY.fullmatch(code):
        raise record.broken(name, f"must be a country of ISO 3166-1 such as `US`, and is {code!r}")
    return code


def countries(record: Fields, name: str = "countries") -> tuple[str, ...]:
    codes = record.texts(name, 10)
    for code in codes:
        if not COUNTRY.fullmatch(code):
            raise record.broken(name, f"must be countries of ISO 3166-1 such as `US`, and has {code!r}")
    return tuple(dict.fromkeys(codes))


def keywords(record: Fields, name: str = "keywords") -> tuple[str, ...]:
    """In lower case, each once."""
    return tuple(dict.fromkeys(word.lower() for word in record.texts(name, WORD_LIMIT)))


def imdb(record: Fields, name: str = "imdb_id") -> list[ExternalId]:
    value = record.text(name, 20)
    if value is None:
        return []
    if not IMDB.fullmatch(value):
        raise record.broken(name, f"must be `tt` and 7 or 8 digits, and is {value!r}")
    return [ExternalId("imdb", value)]


def numbered_id(record: Fields, name: str, source: str) -> list[ExternalId]:
    """A positive number in the other system."""
    value = record.integer(name, 1)
    return [] if value is None else [ExternalId(source, str(value))]


def tmdb_source(*, series: bool) -> str:
    """TMDB numbers films and series apart, so that one number may stand for one of each."""
    return "tmdb_tv" if series else "tmdb"


@lru_cache(maxsize=50_000)  # people come again and again, and normalising is most of the cost of a work
def named(text: str) -> Name:
    """`Steve McQueen#director` → the name and what tells it from its namesake."""
    name, _, qualifier = text.partition("#")
    return Name(name.strip(), qualifier.strip(), normalised(name)[:NAME_LIMIT])


def people(record: Fields, name: str, role: CreditRole) -> list[NamedCredit]:
    """A list of names, each once."""
    found = dict.fromkeys(named(text) for text in record.texts(name, NAME_LIMIT))
    return [NamedCredit(person, role) for person in found if person.name]


def cast(record: Fields, name: str = "cast") -> list[NamedCredit]:
    """A list of `{name, character}` in billing order."""
    found = (
        NamedCredit(
            named(part.required_text("name", NAME_LIMIT)),
            CreditRole.CAST,
            part.text("character", CHARACTER_LIMIT),
        )
        for part in record.parts(name)
    )
    return list(dict.fromkeys(found))
