"""Keyset paging: a page is cut by the sort key of a row, so rows that come or go never shift it."""

import base64
import binascii
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

import orjson

from domain.platform.errors import BadInput
from domain.platform.values import value

T = TypeVar("T")
U = TypeVar("U")

DEFAULT_SIZE = 20
MAX_SIZE = 100


@dataclass(frozen=True, slots=True)
class Cut:
    """Which part of a list is wanted: `size` rows after `after` and before `before`, from one end."""

    size: int = DEFAULT_SIZE
    after: str | None = None
    before: str | None = None
    backwards: bool = False

    @staticmethod
    def of(first: int | None, after: str | None, last: int | None = None, before: str | None = None) -> "Cut":
        """Relay's arguments; raises `BadInput` for what they do not allow."""
        if first is not None and last is not None:
            raise BadInput("Give `first` or `last`, not both.")
        size = last if last is not None else first
        if size is not None and not 1 <= size <= MAX_SIZE:
            name = "last" if last is not None else "first"
            raise BadInput(f"`{name}` must be between 1 and {MAX_SIZE}, and is {size}.", argument=name)
        return Cut(
            size=DEFAULT_SIZE if size is None else size,
            after=after,
            before=before,
            backwards=last is not None,
        )


@value
class Entry(Generic[T]):
    """A row of a page with the cursor that continues behind it."""

    node: T
    cursor: str


@value
class PageInfo:
    """Where a page lies in its list."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@value
class Page(Generic[T]):
    """A part of a list, in the list's own order."""

    nodes: list[T]
    cursor_at: Callable[[int], str]
    """The cursor of the node with this index; most pages are asked for few or none of them."""
    has_next: bool
    has_previous: bool
    count: Callable[[], Awaitable[int]]
    """Answers the size of the whole list."""

    @property
    def edges(self) -> list[Entry[T]]:
        return [Entry(node, self.cursor_at(index)) for index, node in enumerate(self.nodes)]

    @property
    def page_info(self) -> PageInfo:
        last = len(self.nodes) - 1
        return PageInfo(
            has_next_page=self.has_next,
            has_previous_page=self.has_previous,
            start_cursor=self.cursor_at(0) if self.nodes else None,
            end_cursor=self.cursor_at(last) if self.nodes else None,
        )

    def of(self, found: Callable[[T], U | None]) -> "Page[U]":
        """The same page of what `found` answers for its nodes, less those for which that is nothing."""
        pairs = [
            (index, other) for index, node in enumerate(self.nodes) if (other := found(node)) is not None
        ]
        indices = [index for index, _ in pairs]
        return Page(
            [other for _, other in pairs],
            lambda index: self.cursor_at(indices[index]),
            self.has_next,
            self.has_previous,
            self.count,
        )


@dataclass(frozen=True, slots=True)
class SortKey:
    """One column of an order: an SQL expression that is never null, its cast, and its direction."""

    expression: str
    cast: Literal["text", "int", "bigint", "float8", "timestamptz"]
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Keyset:
    """A total order of rows; its name stands in the cursor, so that a cursor fits one order only."""

    name: str
    keys: tuple[SortKey, ...]
    _selected: str = field(init=False, repr=False, compare=False)
    _orders: tuple[str, str] = field(init=False, repr=False, compare=False)
    """Forwards and backwards."""

    def __post_init__(self) -> None:
        selected = ", ".join(f"{key.expression} AS k{index}" for index, key in enumerate(self.keys))
        object.__setattr__(self, "_selected", selected)
        object.__setattr__(self, "_orders", (self._order(backwards=False), self._order(backwards=True)))

    def cursor(self, values: Sequence[Any]) -> str:
        return base64.urlsafe_b64encode(orjson.dumps([self.name, *values])).decode().rstrip("=")

    def values(self, cursor: str, argument: str) -> list[Any]:
        """The sort key in a cursor; raises `BadInput` when it is not one of this order."""
        try:
            padded = cursor + "=" * (-len(cursor) % 4)
            name, *values = orjson.loads(base64.urlsafe_b64decode(padded))
            if name == self.name:
                return [READERS[key.cast](value) for key, value in zip(self.keys, values, strict=True)]
        except (binascii.Error, ValueError, TypeError, orjson.JSONDecodeError):
            pass
        raise BadInput(
            f"`{argument}` is not a cursor of this list: pass one that its `pageInfo` or `edges` gave.",
            argument=argument,
        )

    def select(self) -> str:
        """The key's columns, to be selected last as `k0, k1, …`."""
        return self._selected

    def clauses(self, cut: Cut, arguments: list[Any]) -> tuple[str, str]:
        """The condition and the order of a cut; appends the values it needs to `arguments`."""
        conditions = []
        if cut.after is not None:
            conditions.append(self._beyond(self.values(cut.after, "after"), arguments, forward=True))
        if cut.before is not None:
            conditions.append(self._beyond(self.values(cut.before, "before"), arguments, forward=False))
        return " AND ".join(conditions) or "TRUE", self._orders[cut.backwards]

    def page(
        self, rows: Sequence[Any], cut: Cut, build: Callable[[Any], T], count: Callable[[], Awaitable[int]]
    ) -> Page[T]:
        """A page from up to `cut.size + 1` rows that carry `k0, k1, …`."""
        more = len(rows) > cut.size
        kept = list(rows[: cut.size])
        if cut.backwards:
            kept.reverse()
        width = range(len(self.keys))
        return Page(
            nodes=[build(row) for row in kept],
            cursor_at=lambda index: self.cursor([kept[index][f"k{key}"] for key in width]),
            has_next=cut.before is not None if cut.backwards else more,
            has_previous=more if cut.backwards else cut.after is not None,
            count=count,
        )

    def _order(self, *, backwards: bool) -> str:
        return ", ".join(
            f"{key.expression} {'DESC' if key.descending != backwards else 'ASC'}" for key in self.keys
        )

    def _beyond(self, values: list[Any], arguments: list[Any], *, forward: bool) -> str:
        """`(a, b, …)` lies beyond `values`; written out, as directions may differ from key to key."""
        places = []
        for known, key in zip(values, self.keys, strict=True):
            arguments.append(known if isinstance(known, str) else orjson.dumps(known).decode().strip('"'))
            places.append(f"${len(arguments)}::text::{key.cast}")
        alternatives = []
        for index, (key, place) in enumerate(zip(self.keys, places, strict=True)):
            equal = [f"{self.keys[i].expression} = {places[i]}" for i in range(index)]
            sign = "<" if key.descending == forward else ">"
            alternatives.append(" AND ".join([*equal, f"{key.expression} {sign} {place}"]))
        # Implied by the rest; it tells the planner where in the order's index to begin.
        bound = f"{self.keys[0].expression} {'<' if self.keys[0].descending == forward else '>'}= {places[0]}"
        return f"({bound} AND (" + " OR ".join(f"({alternative})" for alternative in alternatives) + "))"


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError(value)
    return value


def _whole(bits: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if type(value) is not int or not -(1 << bits - 1) <= value < 1 << bits - 1:
            raise ValueError(value)
        return value

    return read


def _real(value: Any) -> float:
    if type(value) not in {int, float} or not math.isfinite(value):
        raise ValueError(value)
    return float(value)


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(value)
    return moment


# A cursor comes from outside: what the server could not read as its column's type must not reach it.
READERS: dict[str, Callable[[Any], Any]] = {
    "text": _text,
    "int": _whole(32),
    "bigint": _whole(64),
    "float8": _real,
    "timestamptz": _moment,
}


def paged(items: Sequence[T], key: Callable[[T], Sequence[Any]], keyset: Keyset, cut: Cut) -> Page[T]:
    """A page of a list that is held in memory, already in the order of `keyset`.

    A cursor whose row has gone continues where it would stand.
    """
    if cut.after is None and cut.before is None and not cut.backwards:
        return _beginning(items, key, keyset, cut.size)
    start, stop = 0, len(items)
    if cut.after is not None:
        start = _place(items, key, keyset, keyset.values(cut.after, "after"), behind=True)
    if cut.before is not None:
        stop = _place(items, key, keyset, keyset.values(cut.before, "before"), behind=False)
    window = range(start, max(start, stop))
    chosen = window[-cut.size :] if cut.backwards else window[: cut.size]
    nodes = list(items[chosen.start : chosen.stop])

    async def count() -> int:
        return len(items)

    first, last = (chosen[0], chosen[-1]) if chosen else (start, stop - 1)
    return Page(
        nodes,
        lambda index: keyset.cursor(key(nodes[index])),
        has_next=last < len(items) - 1,
        has_previous=first > 0,
        count=count,
    )


def _beginning(items: Sequence[T], key: Callable[[T], Sequence[Any]], keyset: Keyset, size: int) -> Page[T]:
    """The first page: what nearly all ask for."""

    async def count() -> int:
        return len(items)

    return Page(
        list(items[:size]),
        lambda index: keyset.cursor(key(items[index])),
        has_next=len(items) > size,
        has_previous=False,
        count=count,
    )


def _place(
    items: Sequence[T], key: Callable[[T], Sequence[Any]], keyset: Keyset, values: list[Any], *, behind: bool
) -> int:
    for index, item in enumerate(items):
        order = _compare(list(key(item)), values, keyset)
        if order > 0 or (order == 0 and not behind):
            return index
        if order == 0:
            return index + 1
    return len(items)


def _compare(left: list[Any], right: list[Any], keyset: Keyset) -> int:
    for a, b, sort in zip(left, right, keyset.keys, strict=True):
        if a != b:
            return 1 if (a > b) != sort.descending else -1
    return 0
