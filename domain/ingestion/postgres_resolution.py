"""Which row a work from outside is: by its ids elsewhere, else by title, kind and year, else a new one."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from domain.catalog.model import ContentKind, CreditRole
from domain.ingestion.model import Work
from domain.ingestion.staging import Piece, title_key, wished_slug
from domain.platform.postgres import Row
from domain.platform.sessions import Session

TRUSTED = ("imdb", "tmdb", "tmdb_tv", "tvmaze", "tvdb", "demo")
"""The systems whose ids are believed first, in this order; any other comes after them."""

BY_EXTERNAL_ID = """
SELECT e.source, e.value, c.kind, c.id
  FROM unnest($1::text[], $2::text[]) AS key (source, value)
  JOIN external_id e USING (source, value) JOIN content c ON c.id = e.content_id"""

BY_TITLE = """
SELECT c.id, c.kind, c.title_key, c.year,
       ARRAY(SELECT ARRAY[e.source, e.value] FROM external_id e WHERE e.content_id = c.id) AS external_ids,
       ARRAY(SELECT p.name_key FROM credit JOIN person p ON p.id = credit.person_id
              WHERE credit.content_id = c.id AND credit.role = 'artist') AS artists
  FROM content c WHERE c.listed AND c.title_key = ANY($1::text[]) ORDER BY c.id"""

EXISTING_PARTS = """
SELECT parent_id, disc, number, min(id) FROM content WHERE parent_id = ANY($1::bigint[])
 GROUP BY parent_id, disc, number"""

NEW_IDS = "SELECT nextval(pg_get_serial_sequence('content', 'id')) FROM generate_series(1, $1::int)"


class Place(NamedTuple):
    """The row a piece of a batch goes to."""

    content_id: int
    is_new: bool
    parent_id: int | None = None
    slug: str | None = None


async def resolve(session: Session, works: Sequence[Work]) -> list[int | None]:
    """The row of each work, in their order; nothing for those the catalogue does not have."""
    ids = [(i.source, i.value) for work in works for i in work.external_ids]
    rows = await session.fetch(BY_EXTERNAL_ID, [s for s, _ in ids], [v for _, v in ids]) if ids else []
    known = {(row["kind"], row["source"], row["value"]): int(row["id"]) for row in rows}
    found = [_by_id(work, known) for work in works]
    open_keys = {title_key(w.title) for w, row in zip(works, found, strict=True) if row is None}
    candidates: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in await session.fetch(BY_TITLE, list(open_keys)) if open_keys else []:
        candidates[row["kind"], row["title_key"]].append(row)
    return [
        _by_title(work, candidates[work.kind.value, title_key(work.title)]) if row is None else row
        for work, row in zip(works, found, strict=True)
    ]


def _by_id(work: Work, known: Mapping[tuple[str, str, str], int]) -> int | None:
    ranked = sorted(
        work.external_ids, key=lambda i: TRUSTED.index(i.source) if i.source in TRUSTED else len(TRUSTED)
    )
    keys = ((work.kind.value, i.source, i.value) for i in ranked)
    return next((known[key] for key in keys if key in known), None)


def _by_title(work: Work, candidates: Sequence[Row]) -> int | None:
    """The candidate of the nearest year."""
    fitting = [row for row in candidates if _fits(work, row)]
    nearest = min(fitting, key=lambda row: abs((row["year"] or 0) - (work.year or 0)), default=None)
    return None if nearest is None else int(nearest["id"])


def _fits(work: Work, row: Row) -> bool:
    """At most a year apart (releases differ by country), no id that says otherwise, and an artist shared."""
    if (work.year is None) != (row["year"] is None):
        return False
    if work.year is not None and abs(work.year - row["year"]) > 1:
        return False
    if work.kind is ContentKind.ALBUM and not _artists(work) & set(row["artists"]):
        return False
    theirs: defaultdict[str, set[str]] = defaultdict(set)
    for source, value in row["external_ids"]:
        theirs[source].add(value)
    return not any(i.source in theirs and i.value not in theirs[i.source] for i in work.external_ids)


def _artists(work: Work) -> set[str]:
    return {c.person.key for c in work.credits if c.role is CreditRole.ARTIST}


async def place(
    session: Session, pieces: Sequence[Sequence[Piece]], found: Mapping[int, int | None]
) -> dict[int, Place]:
    """The row of every piece: known ones keep theirs, new ones get the next ids; parts follow their whole.

    `found` has the row of each work by its number, or nothing for a new one; works it lacks get no place.
    """
    new = [piece.work for piece in pieces[0] if piece.n in found and found[piece.n] is None]
    fresh = zip(await _new_ids(session, len(new)), await _free_slugs(session, new), strict=True)
    places: dict[int, Place] = {}
    for n, row in found.items():
        if row is None:
            identity, slug = next(fresh)
            places[n] = Place(identity, is_new=True, slug=slug)
        else:
            places[n] = Place(row, is_new=False)
    for level in pieces[1:]:
        await _place_parts(session, level, places)
    return places


async def _place_parts(session: Session, parts: Sequence[Piece], places: dict[int, Place]) -> None:
    wholes = [(part, places[part.parent]) for part in parts if part.parent in places]
    old = sorted({whole.content_id for _, whole in wholes if not whole.is_new})
    rows = await session.fetch(EXISTING_PARTS, old) if old else []
    known = {(row[0], row[1], row[2]): int(row[3]) for row in rows}
    keys = {part.n: (whole.content_id, part.work.disc, part.work.number) for part, whole in wholes}
    ids = await _new_ids(session, sum(key not in known for key in keys.values()))
    for n, key in keys.items():
        row = known.get(key)
        places[n] = Place(next(ids) if row is None else row, row is None, key[0])


async def _free_slugs(session: Session, works: Sequence[Work]) -> list[str]:
    """A slug for each work that no row and no other of the works has: `…`, `…-2`, `…-3`."""
    wished = [wished_slug(work) for work in works]
    chosen: list[str | None] = [None] * len(works)
    tried = dict(enumerate(wished))
    taken: set[str] = set()
    attempt = 1
    while tried:
        rows = await session.fetch(
            "SELECT slug FROM content WHERE slug = ANY($1::text[])", list(tried.values())
        )
        taken |= {row[0] for row in rows}
        attempt += 1
        rejected = {}
        for place, slug in tried.items():
            if slug in taken:
                rejected[place] = f"{wished[place]}-{attempt}"
            else:
                chosen[place] = slug
                taken.add(slug)
        tried = rejected
    return [slug for slug in chosen if slug is not None]


async def _new_ids(session: Session, count: int) -> Iterator[int]:
    """The next ids of the catalogue."""
    rows = await session.fetch(NEW_IDS, count) if count else []
    return iter([row[0] for row in rows])
