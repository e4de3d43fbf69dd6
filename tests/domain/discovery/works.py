"""Works for tests of discovery, stored as an import stores them, with their words and vectors."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from domain.catalog.model import ContentKind, CreditRole
from domain.discovery.embedding import Embedding
from domain.discovery.model import Ranking
from domain.discovery.postgres import PostgresSearch
from domain.discovery.postgres_embedding import PostgresPending
from domain.discovery.postgres_suggestions import PostgresSuggestions
from domain.discovery.postgres_trends import PostgresTrends
from domain.discovery.service import Discovery
from domain.ingestion.model import NamedCredit, Origin, Work
from domain.ingestion.postgres import PostgresShelf
from domain.ingestion.rules import named
from domain.platform.postgres import Database
from tests.fakes import HashingEncoder, MemoryVectors


def work(
    title: str, *, kind: ContentKind = ContentKind.MOVIE, cast: tuple[str, ...] = (), **known: Any
) -> Work:
    """A film, or another `kind`; `cast` are names of actors."""
    acting = tuple(NamedCredit(named(name), CreditRole.CAST) for name in cast)
    return Work(kind, title, Origin("test", 1), credits=acting, **known)


async def add_works(database: Database, *works: Work) -> dict[str, int]:
    """Stores the works, and answers their ids by title."""
    await PostgresShelf(database).put(works, fills_gaps=False)
    rows = await database.rows(
        "SELECT title, id FROM content WHERE title = ANY($1::text[])", [work.title for work in works]
    )
    return {row[0]: row[1] for row in rows}


def discovery_over(database: Database, vectors: MemoryVectors, encoder: HashingEncoder | None) -> Discovery:
    """Discovery with patience for a busy machine: a deadline is tested where it is set."""
    return Discovery(
        store=PostgresSearch(database),
        suggestions=PostgresSuggestions(database),
        trends=PostgresTrends(database),
        vectors=vectors,
        encoder=lambda: encoder,
        now=lambda: datetime.now(UTC),
        ranking=replace(Ranking(), semantic_seconds=10.0, keyword_seconds=10.0),
    )


async def embed(database: Database, vectors: MemoryVectors, encoder: HashingEncoder) -> int:
    return await Embedding(PostgresPending(database), vectors).embed_pending(encoder)
