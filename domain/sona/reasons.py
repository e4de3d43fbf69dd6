"""Why a work is recommended, in words that name true evidence."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from domain.catalog.model import Content, Person
from domain.catalog.taxonomy import GENRES, Genre
from domain.sona.model import Evidence, EvidenceKind, Mood, Rail, RailKind

REASONS = 3
"""Reasons that are told for a work, strongest first."""


@dataclass(frozen=True, slots=True)
class BecauseWatched:
    content: Content

    @property
    def text(self) -> str:
        return f"Because you watched {self.content.title}"


@dataclass(frozen=True, slots=True)
class BecauseLiked:
    content: Content

    @property
    def text(self) -> str:
        return f"Because you liked {self.content.title}"


@dataclass(frozen=True, slots=True)
class BecauseSaved:
    content: Content

    @property
    def text(self) -> str:
        return f"Because {self.content.title} is on your watchlist"


@dataclass(frozen=True, slots=True)
class SharedPerson:
    person: Person
    content: Content

    @property
    def text(self) -> str:
        return f"Shares {self.person.name} with {self.content.title}"


@dataclass(frozen=True, slots=True)
class SharedTheme:
    keyword: str
    content: Content

    @property
    def text(self) -> str:
        return f"Shares the theme “{self.keyword}” with {self.content.title}"


@dataclass(frozen=True, slots=True)
class SharedGenre:
    genre: Genre

    @property
    def text(self) -> str:
        return f"You like {self.genre.name}"


@dataclass(frozen=True, slots=True)
class FitsMood:
    mood: Mood
    genre: Genre

    @property
    def text(self) -> str:
        return f"{self.genre.name}, for when you feel {self.mood.value}"


@dataclass(frozen=True, slots=True)
class Trending:
    window_days: int

    @property
    def text(self) -> str:
        return f"Watched or wanted in the last {self.window_days} days"


@dataclass(frozen=True, slots=True)
class Popular:
    @property
    def text(self) -> str:
        return "One of the best known"


@dataclass(frozen=True, slots=True)
class OnWatchlist:
    @property
    def text(self) -> str:
        return "On your watchlist"


Reason: TypeAlias = (
    BecauseWatched
    | BecauseLiked
    | BecauseSaved
    | SharedPerson
    | SharedTheme
    | SharedGenre
    | FitsMood
    | Trending
    | Popular
    | OnWatchlist
)


def explained(
    evidence: Sequence[Evidence], works: Mapping[int, Content], people: Mapping[int, Person]
) -> list[Reason]:
    """The strongest reasons whose subjects still exist; that it is on the watchlist is always told."""
    told = [reason for item in evidence if (reason := _reason(item, works, people)) is not None]
    listed = [reason for reason in told if isinstance(reason, OnWatchlist)]
    others = [reason for reason in told if not isinstance(reason, OnWatchlist)]
    return [*others[: REASONS - len(listed)], *listed]


def rail_title(rail: Rail, content: Content | None) -> str:
    """What stands above a rail."""
    if rail.kind is RailKind.BECAUSE_YOU_WATCHED and content is not None:
        return _BECAUSE[rail.because or EvidenceKind.WATCHED](content).text
    if rail.genre_id is not None:
        return GENRES[rail.genre_id].name
    return _TITLES[rail.kind]


_BECAUSE: Mapping[EvidenceKind, Callable[[Content], BecauseWatched | BecauseLiked | BecauseSaved]] = {
    EvidenceKind.WATCHED: BecauseWatched,
    EvidenceKind.LIKED: BecauseLiked,
    EvidenceKind.SAVED: BecauseSaved,
}
_TITLES = {
    RailKind.CONTINUE_WATCHING: "Continue watching",
    RailKind.TOP_PICKS: "Top picks for you",
    RailKind.BECAUSE_YOU_WATCHED: "More like what you watched",
    RailKind.WATCHLIST: "Your watchlist",
    RailKind.TRENDING: "Trending",
    RailKind.POPULAR: "Popular",
    RailKind.GENRE: "More of a genre",
    RailKind.NEW: "Latest releases",
    RailKind.MUSIC: "Music",
}


def _reason(item: Evidence, works: Mapping[int, Content], people: Mapping[int, Person]) -> Reason | None:
    if item.content_id is None:
        return _general(item)
    content = works.get(item.content_id)
    if content is None:
        return None
    if item.kind in _BECAUSE:
        return _BECAUSE[item.kind](content)
    if item.kind is EvidenceKind.THEME and item.value is not None:
        return SharedTheme(item.value, content)
    person = None if item.person_id is None else people.get(item.person_id)
    return None if person is None else SharedPerson(person, content)


def _general(item: Evidence) -> Reason | None:
    """A reason that names no other work."""
    match item:
        case Evidence(kind=EvidenceKind.GENRE, genre_id=str(genre)):
            return SharedGenre(GENRES[genre])
        case Evidence(kind=EvidenceKind.MOOD, genre_id=str(genre), value=str(mood)):
            return FitsMood(Mood(mood), GENRES[genre])
        case Evidence(kind=EvidenceKind.TRENDING, value=str(days)):
            return Trending(int(days))
        case Evidence(kind=EvidenceKind.POPULAR):
            return Popular()
        case Evidence(kind=EvidenceKind.ON_WATCHLIST):
            return OnWatchlist()
    return None
