"""The sources' genre names, brought to the genres of the catalogue."""

from collections.abc import Iterable
from functools import lru_cache

from domain.catalog.model import normalised
from domain.catalog.taxonomy import GENRES

NEAR = 0.8
"""How like a known name an unknown one must be, from 0 to 1."""

SYNONYMS = {
    "sci fi": ("science-fiction",),
    "sci fi fantasy": ("science-fiction", "fantasy"),
    "sf": ("science-fiction",),
    "action adventure": ("action", "adventure"),
    "war politics": ("war", "drama"),
    "suspense": ("thriller",),
    "espionage": ("thriller",),
    "film noir": ("crime",),
    "comedies": ("comedy",),
    "documentaries": ("documentary",),
    "true crime": ("crime", "documentary"),
    "anime": ("animation",),
    "cartoon": ("animation",),
    "supernatural": ("fantasy",),
    "superhero": ("action", "fantasy"),
    "children": ("family",),
    "childrens": ("family",),
    "kids": ("family",),
    "historical": ("history",),
    "biopic": ("biography",),
    "medical": ("drama",),
    "legal": ("drama",),
    "soap": ("drama",),
    "nature": ("documentary",),
    "travel": ("documentary",),
    "food": ("reality",),
    "diy": ("reality",),
    "game show": ("reality",),
    "panel show": ("talk-show",),
    "talk": ("talk-show",),
    "variety": ("talk-show",),
    "sport": ("sports",),
    "hip hop rap": ("hip-hop",),
    "rap": ("hip-hop",),
    "rhythm and blues": ("rnb",),
    "electronica": ("electronic",),
}

NOT_GENRES = frozenset({"tv movie", "foreign", "imax", "no genres listed", "adult"})
"""What sources list among genres that says something else of a work: its format, market or audience."""


def canonical(names: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The catalogue's genres for these names, in order and each once; and the names it has none for."""
    found: dict[str, None] = {}
    unknown = []
    for name in names:
        key = normalised(name)
        if key in NOT_GENRES:
            continue
        genres = _genres(key)
        found.update(dict.fromkeys(genres))
        if not genres:
            unknown.append(name)
    return tuple(found), tuple(unknown)


# The exact names: "science fiction" and "rnb" as they look when normalised.
EXACT = {normalised(genre.name): (genre.id,) for genre in GENRES.values()} | {
    normalised(genre.id): (genre.id,) for genre in GENRES.values()
}


@lru_cache(maxsize=1024)
def _genres(key: str) -> tuple[str, ...]:
    known = EXACT.get(key) or SYNONYMS.get(key)
    if known is not None or not key or len(key) > 40:  # noqa: PLR2004 - nothing that long is near a genre
        return known or ()
    nearest = max(EXACT, key=lambda name: likeness(key, name))
    return EXACT[nearest] if likeness(key, nearest) >= NEAR else ()


def likeness(one: str, other: str) -> float:
    """1 minus the Levenshtein distance over the longer length (Wagner and Fischer 1974)."""
    longer = max(len(one), len(other))
    if longer == 0:
        return 1.0
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        previous, row[0] = row[0], i
        for j, b in enumerate(other, start=1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return 1 - row[-1] / longer
