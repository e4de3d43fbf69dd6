"""How complete and how fresh the record of a work is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.catalog.model import Album, ArtworkKind, Content, ExternalId, Image, Rating, Season, Series, Track

WEIGHTS = {
    "synopsis": 0.15,
    "poster": 0.15,
    "backdrop": 0.10,
    "year": 0.05,
    "runtime": 0.05,
    "genres": 0.10,
    "ratings": 0.15,
    "externalIds": 0.10,
}
FRESHNESS_WEIGHT = 0.15
DECAY_PER_DAY = 0.01
FLOOR = 0.5


@dataclass(frozen=True, slots=True)
class ContentQuality:
    """A score from 0 to 1, what is missing, and how fresh the record is (1 today, never below 0.5)."""

    score: float
    missing_fields: list[str]
    freshness: float


def assess(
    content: Content,
    images: Sequence[Image],
    ratings: Sequence[Rating],
    external_ids: Sequence[ExternalId],
    now: datetime,
) -> ContentQuality:
    """The weighted share of what a good record has; freshness decays by exp(-0.01 · days).

    What a kind of work cannot have (a backdrop of music, a runtime of an album or a season) is not missed.
    """
    kinds = {image.kind for image in images}
    held = {
        "synopsis": bool(content.synopsis),
        "poster": bool(kinds & {ArtworkKind.POSTER, ArtworkKind.COVER}),
        "backdrop": ArtworkKind.BACKDROP in kinds or isinstance(content, Album | Track),
        "year": content.year is not None,
        "runtime": _runtime_held(content),
        "genres": bool(content.genre_ids),
        "ratings": bool(ratings),
        "externalIds": bool(external_ids),
    }
    days = max(0.0, (now - content.updated_at).total_seconds() / 86_400)
    freshness = max(FLOOR, math.exp(-DECAY_PER_DAY * days))
    score = sum(WEIGHTS[name] for name, present in held.items() if present) + FRESHNESS_WEIGHT * freshness
    return ContentQuality(
        score=round(score, 4),
        missing_fields=[name for name, present in held.items() if not present],
        freshness=round(freshness, 4),
    )


def _runtime_held(content: Content) -> bool:
    match content:
        case Album() | Season():
            return True
        case Series(runtime_seconds=seconds):
            return seconds is not None
    return content.length_seconds is not None
