"""What the graph shows of discovery."""

from strawberry import ID

from domain.discovery import model
from domain.identity.policy import PUBLIC
from resolvers import discovery
from schema.caching import FINDINGS, PART
from schema.catalog import Content, Genre, Person, Platform
from schema.costs import sliced
from schema.paging import PageInfo, page
from schema.views import choices, edge, plain, view

choices(
    model.SearchMode,
    model.FacetField,
    model.HighlightField,
    model.SuggestionKind,
    model.TrendWindow,
)


@view(model.Signals, access=PUBLIC)
class SearchSignals:
    """Why a result stands where it does."""

    exact_title: bool
    """The query is its title."""
    title_prefix: bool
    """Its title begins with the query."""
    named: bool
    """Every word of the query stands in its title or in the names of its people."""
    keyword_rank: int | None
    """Its place among the results by words, from 1; null where its words do not match."""
    semantic_rank: int | None
    """Its place among the results by meaning, from 1; null where its meaning is not near."""
    similarity: float | None
    """How near its meaning is to the query's: the cosine, at most 1."""
    popularity_rank: int | None
    """Its place among the results by popularity, from 1."""


@view(model.HighlightFragment, access=PUBLIC)
class HighlightFragment:
    """A piece of plain text."""

    text: str
    """The piece, not escaped for any markup."""
    matched: bool
    """Whether it matches the query."""


@view(model.Highlight, access=PUBLIC)
class Highlight:
    """A text with words of the query."""

    field: model.HighlightField
    """Which text."""
    fragments: list[HighlightFragment] = plain(list_size=10)
    """Pieces of it that read on."""


@view(discovery.SearchEdge, access=PUBLIC)
class SearchEdge:
    """A result."""

    node: Content
    """The title."""
    cursor: str
    """Continue behind it with `after`."""
    score: float
    """How well it fits, at most 1; what the query names comes first whatever its score (see `signals`)."""
    signals: SearchSignals
    """Why it stands here."""
    highlights: list[Highlight] = edge(discovery.highlights, cost=3, list_size=4)
    """Where words of the query stand in it."""


@view(model.FacetValue, access=PUBLIC)
class FacetValue:
    """One value and how many results have it."""

    value: ID
    """The value, as filters take it."""
    label: str
    """The value for people."""
    count: int
    """How many results have it."""


@view(model.Facet, access=PUBLIC)
class Facet:
    """The whole result counted by one field, under all filters but those of this field."""

    field: model.FacetField
    """The field."""
    values: list[FacetValue] = plain(list_size=20)
    """The up to 20 most frequent values, most frequent first."""


@view(model.Correction, access=PUBLIC)
class SpellingCorrection:
    """What was searched in place of what was written; `exact: true` insists on the latter."""

    query: str
    """What was searched."""
    original: str
    """What was written."""


@view(discovery.SearchPage, access=PUBLIC)
class SearchConnection:
    """A page of results."""

    edges: list[SearchEdge]
    """The results with their cursors."""
    nodes: list[Content]
    """The titles alone."""
    page_info: PageInfo
    """Where this page lies."""
    total_count: int
    """How many titles fit; up to a thousand by words and a hundred by meaning can be paged through."""
    facets: list[Facet] = edge(discovery.facets, cost=150, list_size=8)
    """The whole result, counted."""
    correction: SpellingCorrection | None
    """What was searched instead; null where it was searched as written."""
    mode: model.SearchMode
    """By what the titles were found: `KEYWORD` also where meaning was asked for and is out of reach."""
    took_ms: float
    """How long the search took, in milliseconds."""


@view(model.Suggestion, cache=PART, access=PUBLIC)
class Suggestion:
    """How a query could go on."""

    text: str
    """The title or name."""
    kind: model.SuggestionKind
    """What it names."""
    content: Content | None = edge(discovery.suggested_content, cost=3)
    """The title it names; null where it names none."""
    person: Person | None = edge(discovery.suggested_person, cost=3)
    """The person it names; null where it names none."""
    genre: Genre | None = edge(discovery.suggested_genre)
    """The genre it names; null where it names none."""
    platform: Platform | None = edge(discovery.suggested_platform)
    """The platform it names; null where it names none."""


@view(discovery.TrendingEdge, cache=PART, access=PUBLIC)
class TrendingEdge:
    """A title and how much it is watched and wanted."""

    node: Content
    """The title."""
    cursor: str
    """Continue behind it with `after`."""
    score: float
    """Viewers of the window, later ones counting more, and a little for being well known."""


@view(discovery.TrendingPage, cache=PART, access=PUBLIC)
class TrendingConnection:
    """A page of trends."""

    edges: list[TrendingEdge]
    """The titles with their cursors."""
    nodes: list[Content]
    """The titles alone."""
    page_info: PageInfo
    """Where this page lies."""
    total_count: int
    """How many the whole list has, a thousand at most."""


@view(access=PUBLIC)
class DiscoveryQuery:
    """Finding titles."""

    search: SearchConnection = page(discovery.search, cost=900)
    """Titles by their words and their meaning, best first."""
    autocomplete: list[Suggestion] = edge(
        discovery.autocomplete, cost=150, list_size=sliced(["first"], None), cache=FINDINGS
    )
    """How a query that is being typed could go on."""
    trending: TrendingConnection = page(discovery.trending, cost=900, cache=FINDINGS)
    """What is watched and wanted now."""
