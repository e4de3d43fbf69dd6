"""Which titles of the catalogue a file means: by ids, then by title and year; never by a guess."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from domain.catalog.model import ContentKind, ExternalId, normalised
from domain.interchange.model import WHOLES, Entry, Problem, Reference, Trouble

TITLE_KEY_LIMIT = 500
"""As the catalogue keeps the keys of titles."""


class Found(NamedTuple):
    """A work of the catalogue."""

    content_id: int
    kind: ContentKind
    year: int | None


class Part(NamedTuple):
    """A season, episode or track, by its place within a whole."""

    whole_id: int
    part: int | None
    number: int | None


class NamedPart(NamedTuple):
    """An episode by its name; of any season where that is open."""

    whole_id: int
    part: int | None
    title_key: str


class Shelf(Protocol):
    """Looks works up, all at once; what is not there is left out."""

    async def by_ids(self, ids: Collection[ExternalId]) -> Mapping[ExternalId, Found]: ...
    async def by_titles(self, keys: Collection[str]) -> Mapping[str, Sequence[Found]]:
        """Films, series and albums by their normalised titles."""
        ...

    async def by_places(self, parts: Collection[Part]) -> Mapping[Part, Sequence[Found]]: ...
    async def by_names(self, parts: Collection[NamedPart]) -> Mapping[NamedPart, Sequence[Found]]: ...


@dataclass(slots=True)
class Matched:
    """The entries whose title was found, and what is to be said of the others."""

    entries: list[tuple[int, Entry]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


async def match(shelf: Shelf, entries: Sequence[Entry]) -> Matched:
    """Finds the titles of entries in as many questions for a thousand as for one."""
    references = {title for entry in entries for title in entry.titles}
    known = await shelf.by_ids({i for title in references for i in (*title.ids, *title.own_ids)})
    titled = await shelf.by_titles(
        {title_key(title.title) for title in references if title.title is not None}
    )
    wholes = {title: _wholes(title, known, titled) for title in references}
    placed = await shelf.by_places({part for title in references for part in _places(title, wholes[title])})
    named = await shelf.by_names({part for title in references for part in _names(title, wholes[title])})

    def found(title: Reference) -> set[int]:
        own = {known[i].content_id for i in title.own_ids if i in known and known[i].kind is title.kind}
        if own or title.kind not in WHOLES:
            return own or wholes[title]
        parts: Iterable[Sequence[Found]] = [
            *(placed.get(part, ()) for part in _places(title, wholes[title])),
            *(named.get(part, ()) for part in _names(title, wholes[title])),
        ]
        return {part.content_id for some in parts for part in some if part.kind is title.kind}

    matched = Matched()
    for entry in entries:
        ids = {content_id for title in entry.titles for content_id in found(title)}
        if len(ids) == 1:
            matched.entries.append((ids.pop(), entry))
        else:
            matched.problems.append(_unmatched(entry, len(ids)))
    return matched


def title_key(title: str) -> str:
    return normalised(title)[:TITLE_KEY_LIMIT]


def _unmatched(entry: Entry, count: int) -> Problem:
    shown = str(entry.titles[0])
    if count == 0:
        return Problem(entry.where, f"{shown} is not in the catalogue", Trouble.UNKNOWN)
    return Problem(entry.where, f"{shown} may be {count} titles of the catalogue", Trouble.AMBIGUOUS)


def _wholes(
    title: Reference, known: Mapping[ExternalId, Found], titled: Mapping[str, Sequence[Found]]
) -> set[int]:
    """The works that a title may be or be a part of. Ids may lead to several."""
    by_ids = {known[i].content_id for i in title.ids if i in known and known[i].kind is title.whole}
    if by_ids or title.title is None:
        return by_ids
    alike = [found for found in titled.get(title_key(title.title), ()) if found.kind is title.whole]
    return {found.content_id for found in alike if title.year is None or found.year == title.year}


def _places(title: Reference, wholes: Collection[int]) -> list[Part]:
    if title.kind not in WHOLES or title.part is None:
        return []
    if title.number is None and title.kind is not ContentKind.SEASON:
        return []
    return [Part(whole, title.part, title.number) for whole in wholes]


def _names(title: Reference, wholes: Collection[int]) -> list[NamedPart]:
    if title.part_title is None:
        return []
    return [NamedPart(whole, title.part, title_key(title.part_title)) for whole in wholes]
