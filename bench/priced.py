"""The operations that prices are found by: each has little but what it is about, and much of that."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Priced:
    """One operation; it is timed as the account of `bench/account.py`."""

    about: str
    document: str
    arguments: tuple[str, ...] = ()
    """Variables that it takes: `slug`, `query`, `id`, `ids` (50 of them)."""


def _titles(selection: str, first: int = 50) -> str:
    return f"{{ contents(first: {first}) {{ nodes {{ {selection} }} }} }}"


def _title(selection: str) -> str:
    return f"query ($slug: String!) {{ content(by: {{slug: $slug}}) {{ {selection} }} }}"


def _search(selection: str, mode: str) -> str:
    return f"query ($query: String!) {{ search(query: $query, mode: {mode}, first: 20) {{ {selection} }} }}"


def _mine(selection: str) -> str:
    return f"{{ viewer {{ {selection} }} }}"


_WORKS: Final = "nodes { person { works(first: 5) { nodes { id } } } }"
_OWN: Final = "myProgress { fraction } myWatchlistEntry { addedAt } myReaction { stars }"
_REPORT: Final = "reportProgress(input: {contentId: $id, positionSeconds: 900})"

RESOLVED: Final = frozenset(
    {
        *("account", "artwork", "autocomplete", "availability", "content", "contents", "continueWatching"),
        *("credits", "devices", "externalIds", "facets", "highlights", "history", "home", "items", "links"),
        *("myProgress", "myReaction", "myWatchlistEntry", "nextEpisode", "nodes", "quality", "ratings"),
        *("recommendations", "reportProgress", "search", "seasons", "similar", "totalCount", "trending"),
        *("watchlist", "works"),
    }
)
"""Fields that somebody is asked for; all others are read off values."""

OPERATIONS: Final = (
    Priced("nothing", "{ __typename }"),
    Priced("one title", _title("id title year"), ("slug",)),
    Priced("50 ids", "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ("ids",)),
    Priced("1 title of a list", _titles("id", 1)),
    Priced("20 titles", _titles("id title year", 20)),
    Priced("50 titles", _titles("id title year")),
    Priced("100 titles", _titles("id title year", 100)),
    Priced("100 titles with genres", _titles("id title genres { id name }", 100)),
    Priced("50 titles, counted", "{ contents(first: 50) { nodes { id } totalCount } }"),
    Priced("pictures", _titles("id artwork { url }")),
    Priced("ratings", _titles("id ratings { value }")),
    Priced("external ids", _titles("id externalIds { imdb others { value } }")),
    Priced("quality", _titles("id quality { score }")),
    Priced("offers", _titles("id availability { kind }")),
    Priced("offers with prices", _titles("id availability { kind price { amount } platform { id name } }")),
    Priced("offers with links", _titles("id availability { links { url } }", 20)),
    Priced("credits", _titles("id credits(first: 8) { nodes { role } }")),
    Priced("credits with people", _titles("id credits(first: 8) { nodes { role person { id name } } }")),
    Priced("works of people", _titles(f"credits(first: 2) {{ {_WORKS} }}", 5)),
    Priced("like one title", _title("similar(first: 20) { nodes { id } }"), ("slug",)),
    Priced("like 5 titles", _titles("id similar(first: 5) { nodes { id } }", 5)),
    Priced("seasons", _titles("id ... on Series { seasons { number } nextEpisode { id } }", 100)),
    Priced("own progress", _titles("id myProgress { fraction }")),
    Priced("own everything", _titles(f"id {_OWN}")),
    Priced("search by words", _search("nodes { id }", "KEYWORD"), ("query",)),
    Priced("search by words, facets", _search("facets { values { count } }", "KEYWORD"), ("query",)),
    Priced("search by words, marks", _search("edges { highlights { field } }", "KEYWORD"), ("query",)),
    Priced("search by meaning", _search("nodes { id }", "SEMANTIC"), ("query",)),
    Priced("search by both", _search("nodes { id }", "HYBRID"), ("query",)),
    Priced("completions", "query ($query: String!) { autocomplete(prefix: $query) { text } }", ("query",)),
    Priced("trends", "{ trending(first: 20) { nodes { id } } }"),
    Priced("recommendations", "{ recommendations(first: 20) { nodes { id } } }"),
    Priced("recommendations, reasons", "{ recommendations(first: 20) { edges { reasons { text } } } }"),
    Priced("rails", "{ home { id } }"),
    Priced("home", "{ home { id items(first: 20) { nodes { id title } } } }"),
    Priced("watchlist", _mine("watchlist(first: 20) { nodes { addedAt content { id } } }")),
    Priced("continue watching", _mine("continueWatching(first: 20) { nodes { fraction content { id } } }")),
    Priced("history", _mine("history(first: 50) { nodes { fraction } }")),
    Priced("devices", _mine("devices { id name online }")),
    Priced("account", _mine("account { id displayName }")),
    Priced("a change", f"mutation ($id: ID!) {{ {_REPORT} {{ progress {{ fraction }} }} }}", ("id",)),
)
