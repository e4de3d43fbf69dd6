"""The first screen: rails put together of one ranking, the catalogue's shelves and the viewer's own lists."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from domain.catalog.model import ContentKind
from domain.sona.model import (
    MOOD_GENRES,
    Begun,
    Candidate,
    EvidenceKind,
    Profile,
    Rail,
    RailItem,
    RailKind,
    Seed,
    Shelf,
    Shelved,
    Taste,
    Trended,
    Wanted,
)

SHOWN = 10
"""Titles of a rail that are seen at first; there, none is shown on two rails."""
FEWEST = 4
SEEDS, GENRES = 2, 2
"""Rails of each kind, at most."""
USUAL_GENRES = ("drama", "comedy")

NEW = Shelf(newest=True)
MUSIC = Shelf(kind=ContentKind.ALBUM.value)
POPULAR = Shelf()
SEED_EVIDENCE = {EvidenceKind.WATCHED, EvidenceKind.LIKED, EvidenceKind.SAVED, EvidenceKind.PERSON}
"""A theme in common is too little to stand below the name of a work."""


@dataclass(frozen=True, slots=True)
class Stock:
    """What rails are made of."""

    profile: Profile
    begun: Sequence[Begun]
    taste: Taste
    wanted: Wanted
    ranked: Sequence[Candidate]
    shelved: Mapping[Shelf, Sequence[Shelved]]
    trends: Sequence[Trended]


class _Draft(NamedTuple):
    key: str
    kind: RailKind
    items: Sequence[tuple[int, float]]
    """Works and their scores, best first."""
    content_id: int | None = None
    genre_id: str | None = None
    because: EvidenceKind | None = None


def shelves_for(taste: Taste, wanted: Wanted) -> list[Shelf]:
    """The shelves that `rails` will look for."""
    return [NEW, MUSIC, POPULAR, *(Shelf(genre=genre) for genre in genres_for(taste, wanted))]


def genres_for(taste: Taste, wanted: Wanted) -> tuple[str, ...]:
    mood = wanted.circumstances.mood
    if mood is not None:
        return MOOD_GENRES[mood][:GENRES]
    return tuple(taste.genres)[:GENRES] or USUAL_GENRES


def rails(stock: Stock) -> list[Rail]:
    """Rails with at least four titles that no rail above shows already; what was begun, with any."""
    begun = _begun(stock)
    shown = {each.work_id for each in stock.begun}
    return [*([begun] if begun.items else []), *_arranged(_own_lists(stock), stock, shown)]


def _arranged(own: Sequence[_Draft], stock: Stock, shown: set[int]) -> Iterator[Rail]:
    # The viewer's own order is never changed, so what it shows is taken before anything is chosen.
    for draft in own:
        if len(draft.items) >= FEWEST:
            shown |= {id_ for id_, _ in draft.items[:SHOWN]}
    for draft in _drafts(stock, own):
        if draft in own:
            if len(draft.items) >= FEWEST:
                yield _rail(draft, set())
            continue
        rail = _rail(draft, shown)
        if sum(item.fresh for item in rail.items) >= FEWEST:
            shown |= {item.id for item in rail.items[:SHOWN]}
            yield rail


def _drafts(stock: Stock, own: Sequence[_Draft]) -> Iterator[_Draft]:
    """Every rail there could be, in the order of the screen."""
    picks = [(item.id, item.score) for item in stock.ranked]
    personal = bool(stock.taste.liked) or stock.wanted.circumstances.mood is not None
    if personal:
        yield _Draft("top-picks", RailKind.TOP_PICKS, picks)
    yield from _because(stock)
    yield from own
    trends = [(trended.id, trended.heat) for trended in stock.trends]
    known = stock.profile.known
    yield _Draft("trending", RailKind.TRENDING, [item for item in trends if item[0] not in known])
    if not personal:
        yield _Draft("popular", RailKind.POPULAR, _on(stock, POPULAR))
    for genre in genres_for(stock.taste, stock.wanted):
        shelf = _on(stock, Shelf(genre=genre))
        yield _Draft(f"genre:{genre}", RailKind.GENRE, shelf, genre_id=genre)
    yield _Draft("new", RailKind.NEW, _on(stock, NEW))
    yield _Draft("music", RailKind.MUSIC, _on(stock, MUSIC))


def _because(stock: Stock) -> Iterator[_Draft]:
    """The latest seeds that enough of the ranking speaks of."""
    made = 0
    for seed in stock.taste.liked:
        items = [(item.id, item.score) for item in stock.ranked if _speaks_of(item, seed)]
        if len(items) >= FEWEST and made < SEEDS:
            made += 1
            yield _Draft(
                f"because:{seed.id}",
                RailKind.BECAUSE_YOU_WATCHED,
                items,
                content_id=seed.id,
                because=seed.because,
            )


def _speaks_of(item: Candidate, seed: Seed) -> bool:
    return any(
        evidence.kind in SEED_EVIDENCE and evidence.content_id == seed.id for evidence in item.evidence
    )


def _own_lists(stock: Stock) -> list[_Draft]:
    saved = sorted(
        (
            (touch.saved_at.timestamp(), touch.id)
            for touch in stock.profile.touches
            if touch.saved_at is not None and touch.id not in stock.profile.known
        ),
        key=lambda entry: (-entry[0], entry[1]),
    )
    return [_Draft("watchlist", RailKind.WATCHLIST, [(id_, score) for score, id_ in saved])]


def _begun(stock: Stock) -> Rail:
    begun = [RailItem(fresh=True, score=each.at.timestamp(), id=each.id) for each in stock.begun]
    return Rail("continue-watching", RailKind.CONTINUE_WATCHING, tuple(_in_order(begun)))


def _on(stock: Stock, shelf: Shelf) -> list[tuple[int, float]]:
    return [(work.id, work.score) for work in stock.shelved.get(shelf, ())]


def _rail(draft: _Draft, shown: set[int]) -> Rail:
    items = [RailItem(id_ not in shown, score, id_) for id_, score in draft.items]
    return Rail(
        draft.key, draft.kind, tuple(_in_order(items)), draft.content_id, draft.genre_id, draft.because
    )


def _in_order(items: Sequence[RailItem]) -> list[RailItem]:
    return sorted(items, key=lambda item: (not item.fresh, -item.score, item.id))
