"""What the rules of playback and imports must know of titles, from the catalogue."""

from collections.abc import Mapping, Sequence

from domain.catalog.model import Content, Episode, Movie
from domain.catalog.service import Catalog
from domain.sync.operations import Title, Titles


def titles_of(catalog: Catalog) -> Titles:
    async def titles(content_ids: Sequence[int]) -> Mapping[int, Title]:
        found = await catalog.store.contents(content_ids)
        return {key: _title(content) for key, content in found.items()}

    return titles


def _title(content: Content) -> Title:
    closing = content.end_credits_seconds if isinstance(content, Movie | Episode) else None
    return Title(content.id, content.playable, content.length_seconds, closing)
