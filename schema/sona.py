"""What the graph shows of recommendations, and adds to titles."""

from strawberry import ID

from domain.catalog.links import DeviceKind
from domain.identity.policy import PUBLIC, Scope, own
from domain.sona import model, reasons
from resolvers import sona
from schema.caching import PART, PRIVATE
from schema.catalog import Content, Genre, Person
from schema.paging import Connection, PageInfo, page
from schema.views import choices, edge, extends, plain, view

choices(model.Mood, model.SimilarityKind, model.RailKind, DeviceKind)


@view(interface=True, access=PUBLIC)
class Reason:
    """Why a title is recommended; every type of reason names its evidence."""

    text: str
    """In words for the viewer."""


@view(reasons.BecauseWatched, access=PUBLIC)
class BecauseWatched(Reason):
    """It is about what a title is about that the viewer watched."""

    content: Content
    """What was watched."""


@view(reasons.BecauseLiked, access=PUBLIC)
class BecauseLiked(Reason):
    """It is about what a title is about that the viewer liked."""

    content: Content
    """What was liked."""


@view(reasons.BecauseSaved, access=PUBLIC)
class BecauseSaved(Reason):
    """It is about what a title is about that is on the viewer's watchlist."""

    content: Content
    """What is on the watchlist."""


@view(reasons.SharedPerson, access=PUBLIC)
class SharedPerson(Reason):
    """Somebody made or appears in it, and in a title of the viewer's."""

    person: Person
    """Who."""
    content: Content
    """The title that the viewer watched, liked or saved."""


@view(reasons.SharedTheme, access=PUBLIC)
class SharedTheme(Reason):
    """It has a theme of a title of the viewer's."""

    keyword: str
    """The theme, as `keywords` of both titles show it."""
    content: Content
    """The title that the viewer watched, liked or saved."""


@view(reasons.SharedGenre, access=PUBLIC)
class SharedGenre(Reason):
    """It is of a genre that the viewer's own titles speak for."""

    genre: Genre
    """The genre."""


@view(reasons.FitsMood, access=PUBLIC)
class FitsMood(Reason):
    """It is of a genre of the mood that was asked for."""

    mood: model.Mood
    """The mood."""
    genre: Genre
    """The genre."""


@view(reasons.Trending, access=PUBLIC)
class Trending(Reason):
    """It is watched and wanted now."""

    window_days: int
    """The days that were counted."""


@view(reasons.Popular, access=PUBLIC)
class Popular(Reason):
    """It is one of the best known titles."""


@view(reasons.OnWatchlist, access=PUBLIC)
class OnWatchlist(Reason):
    """The viewer put it on the watchlist."""


@view(sona.RecommendationEdge)
class RecommendationEdge:
    """A recommended title and why."""

    node: Content
    """The title."""
    cursor: str
    """Continue behind it with `after`."""
    score: float
    """From 0 to 1, falling along the list; comparable within one list."""
    reasons: list[Reason] = plain(list_size=3)
    """Up to three reasons, strongest first; always at least one."""


@view(sona.RecommendationPage, cache=PRIVATE)
class RecommendationConnection:
    """A page of recommendations."""

    edges: list[RecommendationEdge]
    """The titles with their reasons."""
    nodes: list[Content]
    """The titles alone."""
    page_info: PageInfo
    """Where this page lies."""
    total_count: int
    """How many the whole list has, 200 at most."""


@view(model.Rail, cache=PRIVATE)
class Rail:
    """A row of the first screen."""

    id: ID = edge(sona.rail_id)
    """Names the rail in `home(only:)`; the same as long as the rail is about the same."""
    title: str = edge(sona.rail_name)
    """What stands above it."""
    kind: model.RailKind
    """What it gathers."""
    content: Content | None = edge(sona.rail_content, cost=3)
    """The title it starts from; null where it starts from none."""
    genre: Genre | None = edge(sona.rail_genre)
    """Its genre; null where it is of several."""
    items: Connection[Content] = page(sona.rail_items, cost=30)
    """Its titles; the first ten of a rail are not among the first ten of another, as far as possible."""


@view(sona.SimilarEdge, cache=PART, access=PUBLIC)
class SimilarEdge:
    """A title like another, and in what."""

    node: Content
    """The title."""
    cursor: str
    """Continue behind it with `after`."""
    score: float
    """From 0 to 1: how high it stands by every kind that was asked for."""
    kinds: list[model.SimilarityKind]
    """In what it is alike."""
    similarity: float | None
    """How near its meaning is: the cosine, at most 1; null where that is not known to be near."""
    people: list[Person] = edge(sona.shared_people, cost=3, list_size=5)
    """Who made or appears in both, most important first."""
    genres: list[Genre] = plain(list_size=5)
    """The genres of both."""
    keywords: list[str]
    """The themes of both, rarest first."""


@view(sona.SimilarPage, cache=PART, access=PUBLIC)
class SimilarConnection:
    """A page of similar titles."""

    edges: list[SimilarEdge]
    """The titles with what they share."""
    nodes: list[Content]
    """The titles alone."""
    page_info: PageInfo
    """Where this page lies."""
    total_count: int
    """How many the whole list has, 60 at most."""


@extends(Content)
class ContentOfSona:
    """What is like a title."""

    similar: SimilarConnection = page(sona.similar, cost=1500)
    """Films, series and albums like it, closest first; like its whole, for an episode or a track."""


@view(access=PUBLIC)
class SonaQuery:
    """Being recommended something."""

    recommendations: RecommendationConnection = page(
        sona.recommendations, cost=900, access=own(Scope.READ_RECOMMENDATIONS)
    )
    """Titles for the viewer, best first, never what was watched, begun or disliked; for everybody, what is
    trending and popular."""
    home: list[Rail] = edge(sona.home, cost=1500, list_size=12, access=own(Scope.READ_RECOMMENDATIONS))
    """The first screen: rails in their order, each with something to show."""


TYPES = (
    BecauseWatched,
    BecauseLiked,
    BecauseSaved,
    SharedPerson,
    SharedTheme,
    SharedGenre,
    FitsMood,
    Trending,
    Popular,
    OnWatchlist,
)
