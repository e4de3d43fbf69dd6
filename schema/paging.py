"""Connections, as Relay specifies them."""

from collections.abc import Callable
from inspect import signature
from typing import Any, Generic, TypeVar

from domain.identity.policy import PUBLIC
from domain.platform import paging
from resolvers import paging as answers
from schema.caching import PART
from schema.costs import sliced
from schema.views import edge, view

T = TypeVar("T")


def page(resolver: Callable[..., Any], *, cost: int | None = None, **options: Any) -> Any:
    """An edge to a page, whose lists are as long as `first` or `last` says."""
    arguments = [name for name in ("first", "last") if name in signature(resolver).parameters]
    size = sliced(arguments, paging.DEFAULT_SIZE, ("edges", "nodes"))
    return edge(resolver, cost=cost, list_size=size, **options)


@view(paging.PageInfo, cache=PART, access=PUBLIC)
class PageInfo:
    """Where a page lies in its list."""

    has_next_page: bool
    """Whether more follow."""
    has_previous_page: bool
    """Whether some came before."""
    start_cursor: str | None
    """The cursor of the first edge; null on an empty page."""
    end_cursor: str | None
    """The cursor of the last edge, for `after`; null on an empty page."""


@view(cache=PART, access=PUBLIC)
class Edge(Generic[T]):
    """One entry of a list."""

    node: T
    """What is listed."""
    cursor: str
    """Continue behind it with `after`."""


@view(cache=PART, access=PUBLIC)
class Connection(Generic[T]):
    """A page of a list."""

    edges: list[Edge[T]]
    """The entries with their cursors."""
    nodes: list[T]
    """The entries alone."""
    page_info: PageInfo
    """Where this page lies."""
    total_count: int = edge(answers.total_count, cost=20)
    """How many the whole list has."""
