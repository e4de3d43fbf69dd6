"""Works laid out as the rows of the tables they are streamed into."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from domain.catalog.model import CreditRole, normalised
from domain.catalog.words import MAX_WORD, text_search_configuration, words
from domain.ingestion.model import Name, Work

TITLE_KEY_LIMIT = 500
"""A normalised title may grow by what letters decompose into; an index entry may not."""
SLUG_LIMIT = 80

TABLES: dict[str, dict[str, str]] = {
    "incoming_work": {
        "content_id": "bigint", "is_new": "boolean", "kind": "text", "parent_id": "bigint",
        "number": "int", "disc": "int", "slug": "text", "title": "text", "title_key": "text",
        "original_title": "text", "synopsis": "text", "text_language": "text", "release_date": "date",
        "year": "int", "genres": "text[]", "keywords": "text[]", "original_language": "text",
        "countries": "text[]", "maturity_rating": "text", "popularity": "float8",
        "runtime_seconds": "int", "status": "text", "episode_count": "int", "label": "text",
        "configuration": "text", "search_title": "text", "search_people": "text",
    },
    "incoming_credit": {
        "content_id": "bigint", "role": "text", "position": "int", "name": "text", "name_key": "text",
        "qualifier": "text", "character": "text",
    },
    "incoming_external_id": {"source": "text", "value": "text", "content_id": "bigint"},
    "incoming_rating": {
        "content_id": "bigint", "source": "text", "value": "float8", "scale": "float8", "vote_count": "int",
    },
    "incoming_artwork": {
        "content_id": "bigint", "kind": "text", "position": "int", "url": "text", "width": "int",
        "height": "int",
    },
    "incoming_offer": {
        "content_id": "bigint", "region": "text", "platform": "text", "kind": "text", "quality": "text",
        "price": "numeric(12,2)", "currency": "text", "link_id": "text", "available_from": "timestamptz",
        "expires_at": "timestamptz", "demonstration": "boolean",
    },
    "incoming_word": {"word": "text", "trigrams": "text[]"},
}  # fmt: skip

Rows = list[tuple[Any, ...]]


@dataclass(slots=True)
class Placed:
    """A work or part with the row it goes to; `root` is the row of the whole it belongs to."""

    work: Work
    content_id: int
    is_new: bool
    root: int
    parent_id: int | None = None
    slug: str | None = None


def staged(placed: Iterable[Placed]) -> dict[str, Rows]:
    """The rows of every table but the words."""
    rows: dict[str, Rows] = {table: [] for table in TABLES if table != "incoming_word"}
    for item in placed:
        rows["incoming_work"].append(_work(item))
        rows["incoming_credit"] += _credits(item)
        rows["incoming_external_id"] += ((i.source, i.value, item.content_id) for i in item.work.external_ids)
        rows["incoming_rating"] += _ratings(item)
        rows["incoming_artwork"] += _artwork(item)
        rows["incoming_offer"] += _offers(item)
    return rows


def title_key(title: str) -> str:
    return normalised(title)[:TITLE_KEY_LIMIT]


def wished_slug(work: Work) -> str:
    """The source's own, else the words of the title and the year."""
    if work.slug is not None:
        return work.slug
    title = "-".join(words(work.title))[:SLUG_LIMIT].rstrip("-") or work.kind.value
    return title if work.year is None else f"{title}-{work.year}"


def searchable(texts: Iterable[tuple[str, str]]) -> str:
    """Texts as written, and again normalised where that differs, to be found with accents and without."""
    return " ".join(dict.fromkeys(form for text, key in texts for form in (text.lower(), key)))


def searchable_titles(*titles: str | None) -> str:
    return searchable((title, normalised(title)) for title in titles if title)


def vocabulary(works: Iterable[Work]) -> set[str]:
    """The words of titles and of people's names."""
    titles = {text for work in works for text in (work.title, work.original_title) if text}
    names = {credit.person.key for work in works for credit in work.credits}
    found = {word for title in titles for word in words(title)}
    return found | {word for name in names for word in name.split() if len(word) <= MAX_WORD}


def _work(item: Placed) -> tuple[Any, ...]:
    work = item.work
    listed = item.parent_id is None
    return (
        item.content_id, item.is_new, work.kind.value, item.parent_id, work.number, work.disc, item.slug,
        work.title, title_key(work.title), work.original_title, work.synopsis, work.text_language,
        work.release_date, work.year, work.genres or None, work.keywords or None, work.original_language,
        work.countries or None, work.maturity_rating, work.popularity, work.runtime_seconds, work.status,
        work.episode_count, work.label, text_search_configuration(work.text_language),
        searchable_titles(work.title, work.original_title) if listed else None,
        searchable((c.person.name, c.person.key) for c in work.credits) if listed else None,
    )  # fmt: skip


def _credits(item: Placed) -> Iterator[tuple[Any, ...]]:
    positions: dict[CreditRole, int] = {}
    seen: set[tuple[CreditRole, Name, str | None]] = set()
    for credit in item.work.credits:
        told = (credit.role, credit.person, credit.character)
        if told in seen:
            continue
        seen.add(told)
        position = positions.get(credit.role, 0)
        positions[credit.role] = position + 1
        name, qualifier, key = credit.person
        yield item.content_id, credit.role.value, position, name, key, qualifier, credit.character


def _ratings(item: Placed) -> Iterator[tuple[Any, ...]]:
    for rating in {rating.source: rating for rating in item.work.ratings}.values():
        yield item.content_id, rating.source, rating.value, rating.scale, rating.vote_count


def _artwork(item: Placed) -> Iterator[tuple[Any, ...]]:
    positions: dict[str, int] = {}
    for image in item.work.artwork:
        position = positions.get(image.kind, 0)
        positions[image.kind] = position + 1
        yield item.content_id, image.kind.value, position, image.url, image.width, image.height


def _offers(item: Placed) -> Iterable[tuple[Any, ...]]:
    rows = {}
    for offer in item.work.offers:
        rows[offer.region, offer.platform, offer.kind, offer.quality] = (
            item.content_id, offer.region, offer.platform, offer.kind.value, offer.quality, offer.price,
            offer.currency, offer.link_id, offer.available_from, offer.expires_at, offer.demonstration,
        )  # fmt: skip
    return rows.values()
