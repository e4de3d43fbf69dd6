"""What the rules of playback and imports must know of titles, from the catalogue."""

from collections.abc import Mapping, Sequence

from domain.catalog.service import Catalog
from domain.sync.operations import Title, Titles


def titles_of(catalog: Catalog) -> Titles:
    async def titles(content_ids: Sequence[int]) -> Mapping[int, Title]:
        found = await catalog.store.contents(content_ids)
        return {key: Title(key, content.playable, content.length_seconds) for key, content in found.items()}

    return titles
