"""Where this graph departs from its own conventions (`media-gateway schema lint`), and why."""

from collections.abc import Mapping
from typing import Final

EXCEPTIONS: Final[Mapping[tuple[str, str], str]] = {
    ("lengths", "SearchConnection.tookMs"): "a search takes parts of a second, and clients show them",
    ("ids", "ContentLookup.imdbId"): "an id of IMDb, not of this graph",
    ("ids", "ContentLookup.tmdbId"): "an id of TMDB, not of this graph",
    ("ids", "ContentLookup.tvdbId"): "an id of TheTVDB, not of this graph",
    ("ids", "LoginSession.clientId"): "as OAuth calls an application, which has no id in this graph",
    ("list-items", "Query.nodes"): "as Relay has it: an id that names nothing is null, in its place",
    ("paging", "Query.autocomplete"): "the best few completions; nobody pages through them",
}
"""By rule and coordinate. `lint` also tells those that nothing needs any more."""
