"""Works laid out as rows to be streamed, before it is known which rows of the catalogue they are."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
        "n": "int", "kind": "text", "number": "int", "disc": "int", "title": "text", "title_key": "text",
        "original_title": "text", "synopsis": "text", "text_language": "text", "release_date": "date",
        "year": "int", "genres": "text[]", "keywords": "text[]", "original_language": "text",
        "countries": "text[]", "maturity_rating": "text", "popularity": "float8",
        "runtime_seconds": "int", "status": "text", "episode_count": "int", "label": "text",
        "end_credits_seconds": "int",
        "configuration": "text", "search_title": "text", "search_people": "text",
    },
    "incoming_credit": {
        "n": "int", "role": "text", "position": "int", "person_id": "bigint", "character": "text",
    },
    "incoming_external_id": {"n": "int", "source": "text", "value": "text"},
    "incoming_rating": {
        "n": "int", "source": "text", "value": "float8", "scale": "float8", "vote_count": "int",
    },
    "incoming_artwork": {
        "n": "int", "kind": "text", "position": "int", "url": "text", "width": "int",
        "height": "int",
    },
    "incoming_offer": {
        "n": "int", "region": "text", "platform": "text", "kind": "text", "quality": "text",
        "price": "numeric(12,2)", "currency": "text", "link_id": "text", "available_from": "timestamptz",
        "expires_at": "timestamptz", "demonstration": "boolean",
    },
    "incoming_place": {
        "n": "int", "content_id": "bigint", "is_new": "boolean", "parent_id": "bigint", "slug": "text",
    },
}  # fmt: skip

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Piece:
    """A work or part; `n` numbers the pieces of a batch, `parent` is the number of its whole."""

    n: int
    work: Work
    root: int
    parent: int | None = None


def levels(works: Iterable[Work]) -> list[list[Piece]]:
    """The works, then their parts, then the parts of those; of parts with one number the first stands."""
    found = [[Piece(n, work, n) for n, work in enumerate(works)]]
    count = len(found[0])
    while found[-1]:
        parts: dict[tuple[int, int, int | None], tuple[Work, int]] = {}
        for whole in found[-1]:
            for part in whole.work.parts:
                parts.setdefault((whole.n, part.disc, part.number), (part, whole.root))
        found.append(
            [
                Piece(n, part, root, parent)
                for n, ((parent, _, _), (part, root)) in enumerate(parts.items(), start=count)
            ]
        )
        count += len(parts)
    return found[:-1]


def staged(pieces: Iterable[Piece], people: Mapping[Name, int]) -> dict[str, Rows]:
    """The rows of every table but the places, which are known later."""
    rows: dict[str, Rows] = {table: [] for table in TABLES if table != "incoming_place"}
    for piece in pieces:
        rows["incoming_work"].append(_work(piece))
        rows["incoming_credit"] += _credits(piece, people)
        rows["incoming_external_id"] += ((piece.n, i.source, i.value) for i in piece.work.external_ids)
        rows["incoming_rating"] += _ratings(piece)
        rows["incoming_artwork"] += _artwork(piece)
        rows["incoming_offer"] += _offers(piece)
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


def vocabulary(works: Sequence[Work]) -> set[str]:
    """The words of titles and of people's names."""
    titles = {text for work in works for text in (work.title, work.original_title) if text}
    names = {credit.person.key for work in works for credit in work.credits}
    found = {word for title in titles for word in words(title)}
    return found | {word for name in names for word in name.split() if len(word) <= MAX_WORD}


def _work(piece: Piece) -> tuple[Any, ...]:
    work = piece.work
    listed = piece.parent is None
    return (
        piece.n, work.kind.value, work.number, work.disc, work.title, title_key(work.title),
        work.original_title, work.synopsis, work.text_language,
        work.release_date, work.year, work.genres or None, work.keywords or None, work.original_language,
        work.countries or None, work.maturity_rating, work.popularity, work.runtime_seconds, work.status,
        work.episode_count, work.label, work.end_credits_seconds,
        text_search_configuration(work.text_language),
        searchable_titles(work.title, work.original_title) if listed else None,
        searchable((c.person.name, c.person.key) for c in work.credits) if listed else None,
    )  # fmt: skip


def _credits(piece: Piece, people: Mapping[Name, int]) -> Iterator[tuple[Any, ...]]:
    positions: dict[CreditRole, int] = {}
    seen: set[tuple[CreditRole, Name, str | None]] = set()
    for credit in piece.work.credits:
        told = (credit.role, credit.person, credit.character)
        if told in seen:
            continue
        seen.add(told)
        position = positions.get(credit.role, 0)
        positions[credit.role] = position + 1
        yield piece.n, credit.role.value, position, people[credit.person], credit.character


def _ratings(piece: Piece) -> Iterator[tuple[Any, ...]]:
    for rating in {rating.source: rating for rating in piece.work.ratings}.values():
        yield piece.n, rating.source, rating.value, rating.scale, rating.vote_count


def _artwork(piece: Piece) -> Iterator[tuple[Any, ...]]:
    positions: dict[str, int] = {}
    for image in piece.work.artwork:
        position = positions.get(image.kind, 0)
        positions[image.kind] = position + 1
        yield piece.n, image.kind.value, position, image.url, image.width, image.height


def _offers(piece: Piece) -> Iterable[tuple[Any, ...]]:
    rows = {}
    for offer in piece.work.offers:
        rows[offer.region, offer.platform, offer.kind, offer.quality] = (
            piece.n, offer.region, offer.platform, offer.kind.value, offer.quality, offer.price,
            offer.currency, offer.link_id, offer.available_from, offer.expires_at, offer.demonstration,
        )  # fmt: skip
    return rows.values()
