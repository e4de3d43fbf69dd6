"""What recommending asks and answers: values and their rules."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from domain.catalog.filters import Filter
from domain.catalog.links import DeviceKind
from domain.sync.model import Verdict


class Mood(StrEnum):
    """What somebody is in the mood for."""

    HAPPY = "happy"
    """Comedies, animation, films for the family."""
    SAD = "sad"
    """Dramas and romances."""
    EXCITED = "excited"
    """Action, adventure, thrillers."""
    RELAXED = "relaxed"
    """Documentaries, reality, quiet music."""
    SCARED = "scared"
    """Horror and thrillers."""
    ROMANTIC = "romantic"
    """Romances and dramas."""
    CURIOUS = "curious"
    """Documentaries, mysteries, science fiction."""
    NOSTALGIC = "nostalgic"
    """Dramas, musicals, westerns."""


MOOD_GENRES: Mapping[Mood, tuple[str, ...]] = {
    Mood.HAPPY: ("comedy", "family", "animation"),
    Mood.SAD: ("drama", "romance"),
    Mood.EXCITED: ("action", "adventure", "thriller"),
    Mood.RELAXED: ("documentary", "reality", "ambient"),
    Mood.SCARED: ("horror", "thriller"),
    Mood.ROMANTIC: ("romance", "drama"),
    Mood.CURIOUS: ("documentary", "mystery", "science-fiction"),
    Mood.NOSTALGIC: ("drama", "musical", "western"),
}


class SimilarityKind(StrEnum):
    """In what two works are alike."""

    VECTOR = "vector"
    """What they are about, by the distance of their texts' meaning."""
    PEOPLE = "people"
    """Who made them and appears in them."""
    KEYWORD = "keyword"
    """Their themes; a rare one says more."""
    GENRE = "genre"
    """Their genres; asked of the thousand best known works."""


class RailKind(StrEnum):
    """What a rail of the first screen gathers."""

    CONTINUE_WATCHING = "continue_watching"
    """What to go on with, the next episodes of series among it, latest first."""
    TOP_PICKS = "top_picks"
    """Chosen for the viewer."""
    BECAUSE_YOU_WATCHED = "because_you_watched"
    """Near to one work the viewer watched, liked or saved."""
    WATCHLIST = "watchlist"
    """On the viewer's watchlist, latest addition first."""
    TRENDING = "trending"
    """Watched and wanted a lot now."""
    POPULAR = "popular"
    """Best known."""
    GENRE = "genre"
    """Of one genre: one the viewer likes, or one that fits the mood."""
    NEW = "new"
    """Latest releases."""
    MUSIC = "music"
    """Albums."""


class EvidenceKind(StrEnum):
    """What speaks for a work; each kind names its subjects in `Evidence`."""

    WATCHED = "watched"
    LIKED = "liked"
    SAVED = "saved"
    PERSON = "person"
    THEME = "theme"
    GENRE = "genre"
    MOOD = "mood"
    TRENDING = "trending"
    POPULAR = "popular"
    ON_WATCHLIST = "on_watchlist"


class Evidence(NamedTuple):
    """One thing that speaks for a work; `value` is the theme, the mood or the window in days."""

    kind: EvidenceKind
    content_id: int | None = None
    person_id: int | None = None
    genre_id: str | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Circumstances:
    """In what situation something is looked for."""

    mood: Mood | None = None
    device: DeviceKind | None = None
    region: str | None = None
    """Only what is watched here counts as trending; everywhere, if open."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list of recommendations is to be, and as of when: the same answer for the same question."""

    filter: Filter
    circumstances: Circumstances
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Touch:
    """What a viewer did with a work; what is done with an episode or a track is done with its whole."""

    id: int
    genres: tuple[str, ...] = ()
    played_at: datetime | None = None
    fraction: float = 0.0
    """How far the furthest viewing came, 0 to 1."""
    completed: bool = False
    viewings: int = 0
    verdict: Verdict | None = None
    stars: float | None = None
    reacted_at: datetime | None = None
    saved_at: datetime | None = None

    @property
    def known(self) -> bool:
        """Watched, begun or judged: it is not recommended."""
        return self.played_at is not None or self.verdict is not None or self.stars is not None


class Begun(NamedTuple):
    """The film, episode or track to go on with, of a work."""

    id: int
    work_id: int
    at: datetime


@dataclass(frozen=True)
class Profile:
    """What is known of a viewer: the latest touches, latest first, and every work that is not to be
    suggested, as they know it, hide it or gave it up.
    """

    account_id: str | None = None
    touches: tuple[Touch, ...] = ()
    known: frozenset[int] = frozenset()

    @cached_property
    def fingerprint(self) -> str:
        """Another one when what shapes the ranking has changed; a player's small steps do not."""
        lines = [
            f"{t.id}:{_day(t.played_at)}:{int(t.fraction * 10)}:{t.completed}:{t.viewings}:{t.verdict}"
            f":{t.stars}:{_day(t.reacted_at)}:{_day(t.saved_at)}"
            for t in sorted(self.touches, key=lambda touch: touch.id)
        ]
        return hashlib.blake2b("\n".join(lines).encode(), digest_size=8).hexdigest()

    @property
    def saved(self) -> frozenset[int]:
        return frozenset(touch.id for touch in self.touches if touch.saved_at is not None)


ANYBODY = Profile()


@dataclass(frozen=True, slots=True)
class Seed:
    """A work that taste is read from: how much it counts, 0 to 1, and why."""

    id: int
    weight: float
    because: EvidenceKind


@dataclass(frozen=True, slots=True)
class Taste:
    """What a profile says: what to start from, latest first, what to keep away from, and liked genres.

    `genres` are the liked ones, most liked first, the first with 1.
    """

    liked: tuple[Seed, ...] = ()
    disliked: tuple[int, ...] = ()
    genres: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Work:
    """What ranking must know of a work; `fits` if it is listed and passes the filter."""

    id: int
    kind: str
    genres: tuple[str, ...]
    keywords: tuple[str, ...]
    people: tuple[int, ...]
    popularity: float
    runtime_seconds: int | None
    fits: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """A work that may be recommended; scores of one list are comparable, the strongest evidence is first."""

    id: int
    score: float
    evidence: tuple[Evidence, ...]


class Shelf(NamedTuple):
    """A plain list of the catalogue: best known first, or newest."""

    genre: str | None = None
    kind: str | None = None
    newest: bool = False


class Shelved(NamedTuple):
    """A work on a shelf; its place there falls with `score`."""

    id: int
    genres: tuple[str, ...]
    popularity: float
    score: float


class Trended(NamedTuple):
    """A work that somebody watched or wanted lately; `heat` orders, and is above 0."""

    id: int
    heat: float


class Whole(NamedTuple):
    """The film, series or album that something is, or is a part of."""

    id: int
    genres: tuple[str, ...]


class Relation(NamedTuple):
    """How a work is related to a seed by one kind; `evidence` are ids of people, keywords or genres."""

    id: int
    kind: SimilarityKind
    score: float
    evidence: tuple[str, ...]


class Likeness(NamedTuple):
    """Which work is to be compared, and in what."""

    content_id: int
    kinds: tuple[SimilarityKind, ...]


@dataclass(frozen=True, slots=True)
class Similar:
    """A work like another, the kinds in which it is, and what they share; the best score is 1."""

    id: int
    score: float
    kinds: tuple[SimilarityKind, ...]
    similarity: float | None = None
    person_ids: tuple[int, ...] = ()
    genre_ids: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()


class RailItem(NamedTuple):
    """A work on a rail; the order is `fresh` first, then falling `score`, then `id`."""

    fresh: bool
    score: float
    id: int


@dataclass(frozen=True, slots=True)
class Rail:
    """A row of the first screen, of the work `content_id` or the genre `genre_id` where it has one."""

    key: str
    kind: RailKind
    items: tuple[RailItem, ...]
    content_id: int | None = None
    genre_id: str | None = None
    because: EvidenceKind | None = None


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each source weighs when they are fused.

    Graph 0.30 (people, themes, genres) and content 0.25 (vectors) are the blueprint's, which leaves 0.35 to
    collaborative filtering. Its 0.10 of context is for guessed ones; a mood that was asked for weighs more.
    What is known of everybody only decides where nothing is known of the viewer.
    """

    vectors: float = 0.25
    people: float = 0.15
    themes: float = 0.08
    genres: float = 0.07
    mood: float = 0.30
    trending: float = 0.06
    popular: float = 0.04


@dataclass(frozen=True, slots=True)
class Tuning:
    """The figures of recommending, in one place."""

    weights: Weights = field(default_factory=Weights)
    rank_constant: int = 60
    """k of reciprocal rank fusion."""
    diversity: float = 0.7
    """λ of maximal marginal relevance: 1 is the plain order."""
    aversion: float = 0.6
    """How much of its relevance a work loses that is just like a disliked one."""
    candidates: int = 400
    """Works a recommender is asked for."""
    length: int = 200
    """Works a list keeps."""
    latest_seeds: int = 8
    strongest_seeds: int = 4
    disliked: int = 10
    liked_genres: int = 4
    related_per_seed: int = 30
    """Works of each kind of relation."""
    shelf: int = 60
    """Works of a shelf."""
    taste_neighbours: int = 80
    """Works near to the whole taste."""
    seed_neighbours: int = 25
    """Works near to each of the latest seeds."""
    seeds_searched: int = 2
    similarity_floor: float = 0.3
    """Cosine below which a work is no neighbour."""
    rocchio: float = 0.4
    """How far the disliked push the taste vector away."""
    similar: int = 60
    """Works like a work, at most."""
    trend_days: int = 7


def _day(moment: datetime | None) -> int | None:
    return None if moment is None else moment.toordinal()
