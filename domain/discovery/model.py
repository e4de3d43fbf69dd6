"""What discovery asks and answers: values and their rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from domain.platform.errors import BadInput

MAX_QUERY = 500
MAX_WORDS = 32
"""Words that are looked up; what a longer query means is still searched as a whole."""
MAX_SUGGESTIONS = 20


class SearchMode(StrEnum):
    """By what works are found."""

    HYBRID = "hybrid"
    """By their words and by their meaning."""
    KEYWORD = "keyword"
    """By their words alone."""
    SEMANTIC = "semantic"
    """By their meaning alone."""


class FacetField(StrEnum):
    """What results are counted by."""

    GENRE = "genre"
    """Genres; the values fit the filter's `genres`."""
    PLATFORM = "platform"
    """Platforms that have them in the region; the values fit `platforms`."""
    DECADE = "decade"
    """Decades, by their first year; the values fit `yearFrom`."""
    KIND = "kind"
    """Films, series, albums; the values fit `kinds`."""
    LANGUAGE = "language"
    """Original languages; the values fit `languages`."""
    MATURITY = "maturity"
    """Maturity ratings; the values fit `maturityRatings`."""


class HighlightField(StrEnum):
    """Where words of the query stand."""

    TITLE = "title"
    """In the title."""
    SYNOPSIS = "synopsis"
    """In the synopsis."""


class SuggestionKind(StrEnum):
    """What a suggestion names."""

    TITLE = "title"
    """A film, a series or an album."""
    PERSON = "person"
    """Somebody, or a band."""
    GENRE = "genre"
    """A genre."""
    PLATFORM = "platform"
    """A platform."""


class TrendWindow(StrEnum):
    """How far back activity counts."""

    DAY = "day"
    """The last 24 hours."""
    WEEK = "week"
    """The last seven days."""


def storable(text: str) -> str:
    """A text without NUL and lone surrogates, which JSON can carry and a database cannot."""
    return text.replace("\x00", " ").encode(errors="replace").decode()


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody searches for; raises `BadInput` for what nobody can find."""

    text: str
    mode: SearchMode = SearchMode.HYBRID
    exact: bool = False
    """Search as written, without mending words."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.text) <= MAX_QUERY:
            raise BadInput(
                f"`query` must have 1 to {MAX_QUERY} characters, and has {len(self.text)}.", argument="query"
            )
        if not any(character.isalnum() for character in self.text):
            raise BadInput(
                "`query` has no letter or digit; write a title, a name or what it is about.", argument="query"
            )
        object.__setattr__(self, "text", storable(self.text))


@dataclass(frozen=True, slots=True)
class Terms:
    """A query as the text index is asked: per language of the catalogue's texts one query, and the title.

    `named` asks for all words in title and names, `loose` for any word anywhere.
    """

    written: str
    title: str
    languages: tuple[str, ...]
    queries: tuple[str, ...]
    named: tuple[str, ...]
    loose: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Correction:
    """What was searched in place of what was written."""

    query: str
    original: str


@dataclass(frozen=True, slots=True)
class TextHit:
    """A work that the words of a query lead to; `rank` is PostgreSQL's, comparable within one query."""

    id: int
    popularity: float
    rank: float
    exact: bool
    """Its title is the query."""
    prefix: bool
    """Its title begins with the query."""
    named: bool
    """Every word of the query stands in its title or in the names of its people."""


@dataclass(frozen=True, slots=True)
class MeaningHit:
    """A work near to a query's meaning that passed the filter; `worded` if its words match too."""

    id: int
    popularity: float
    similarity: float
    worded: bool


@dataclass(frozen=True, slots=True)
class Signals:
    """Why a work stands where it does."""

    exact_title: bool = False
    title_prefix: bool = False
    named: bool = False
    keyword_rank: int | None = None
    semantic_rank: int | None = None
    similarity: float | None = None
    popularity_rank: int | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A result; `tier` puts titles and names before the rest, `score` orders within a tier."""

    id: int
    tier: int
    score: float
    signals: Signals


@dataclass(frozen=True, slots=True)
class Results:
    """Everything a search found, best first; `total` also counts what lies beyond the best that are kept."""

    hits: tuple[Hit, ...]
    total: int
    terms: Terms
    near: tuple[int, ...]
    """The works found by meaning."""
    mode: SearchMode
    """The mode that answered."""
    worded: bool
    """Whether some work has all words of the query."""
    correction: Correction | None
    took_ms: float

    @property
    def counted(self) -> Terms | None:
        """The terms whose works belong to the result; none where it was found by meaning alone."""
        return None if self.mode is SearchMode.SEMANTIC else self.terms


@dataclass(frozen=True, slots=True)
class FacetValue:
    """One value and how many results have it."""

    value: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Facet:
    """Results counted by one field, most frequent value first."""

    field: FacetField
    values: tuple[FacetValue, ...]


@dataclass(frozen=True, slots=True)
class HighlightFragment:
    """A piece of text, either matched by the query as a whole or not at all."""

    text: str
    matched: bool


@dataclass(frozen=True, slots=True)
class Highlight:
    """A field with words of the query, as pieces that read on."""

    field: HighlightField
    fragments: tuple[HighlightFragment, ...]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """How a query could go on; at most one of the ids says what it names."""

    text: str
    kind: SuggestionKind
    content_id: int | None = None
    person_id: int | None = None
    genre_id: str | None = None
    platform_id: str | None = None


@dataclass(frozen=True, slots=True)
class Trend:
    """A work and how much it is watched and wanted; `as_of` is when that was counted, Unix seconds."""

    id: int
    score: float
    as_of: int


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each list weighs when they are fused."""

    semantic: float = 0.35
    keyword: float = 0.20
    popularity: float = 0.15


@dataclass(frozen=True, slots=True)
class Ranking:
    """The figures of ranking, in one place.

    Reciprocal rank fusion: Cormack, Clarke and Büttcher, SIGIR 2009.
    """

    weights: Weights = field(default_factory=Weights)
    rank_constant: int = 60
    candidates: int = 1_000
    """Results kept of each strategy."""
    near: int = 1_000
    """Neighbours asked of the vector index, before the filter."""
    near_kept: int = 100
    """Neighbours kept, after it."""
    similarity_floor: float = 0.3
    """Measured with all-MiniLM-L6-v2 on 4,803 films: descriptions find at 0.45 and more, nonsense at 0.3."""
    near_enough: float = 0.7
    """Neighbours kept are at least so much as similar as the nearest one."""
    semantic_seconds: float = 0.3
    keyword_seconds: float = 2.0


Counts = Mapping[FacetField, list[tuple[str, int]]]
