"""Pages by keyset: in memory, and the same in SQL."""

import base64
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.platform.errors import BadInput
from domain.platform.paging import DEFAULT_SIZE, MAX_SIZE, Cut, Keyset, Page, SortKey, paged
from domain.platform.postgres import Database
from tests.servers import StatementCounter

BY_SCORE = Keyset(
    "score",
    (
        SortKey("score", "float8", descending=True),
        SortKey("coalesce(year, 0)", "int"),
        SortKey('title COLLATE "C"', "text", descending=True),
        SortKey("id", "bigint"),
    ),
)
BY_MOMENT = Keyset("moment", (SortKey("at", "timestamptz", descending=True), SortKey("id", "bigint")))

SLOWLY = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass(frozen=True)
class Item:
    id: int
    score: float
    year: int | None
    title: str

    @property
    def key(self) -> tuple[float, int, str, int]:
        return self.score, self.year or 0, self.title, self.id


def in_order(items: Sequence[Item]) -> list[Item]:
    by_id = sorted(items, key=lambda item: item.id)
    by_title = sorted(by_id, key=lambda item: item.title.encode(), reverse=True)
    return sorted(by_title, key=lambda item: (-item.score, item.year or 0))


# Few values, so that keys are often equal; PostgreSQL holds every character but NUL.
scores = st.sampled_from([0.0, 0.1, 1 / 3, 1e-300, 99.99999999999999, -2.5])
titles = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=3)
years = st.none() | st.sampled_from([1800, 1999, 2100])


@st.composite
def lists(draw: st.DrawFn) -> list[Item]:
    ids = draw(st.lists(st.integers(1, 2**63 - 1), unique=True, max_size=14))
    return [Item(id, draw(scores), draw(years), draw(titles)) for id in ids]  # noqa: A001


def in_memory(items: Sequence[Item]) -> Callable[[Cut], Page[Item]]:
    ordered = in_order(items)
    return lambda cut: paged(ordered, lambda item: item.key, BY_SCORE, cut)


def walked(page_of: Callable[[Cut], Page[Item]], sizes: Sequence[int], *, backwards: bool) -> list[Item]:
    """The list as a client meets it that walks by pages of these sizes."""
    found: list[Item] = []
    cursor = None
    for turn in range(200):
        size = sizes[turn % len(sizes)]
        page = page_of(Cut.of(None, None, size, cursor) if backwards else Cut.of(size, cursor))
        found = [*page.nodes, *found] if backwards else [*found, *page.nodes]
        info = page.page_info
        if not (info.has_previous_page if backwards else info.has_next_page):
            return found
        cursor = info.start_cursor if backwards else info.end_cursor
    raise AssertionError("the list has no end")


@given(items=lists(), sizes=st.lists(st.integers(1, 5), min_size=1), backwards=st.booleans())
def test_walking_by_pages_of_any_size_meets_the_whole_list(
    items: list[Item], sizes: list[int], *, backwards: bool
) -> None:
    assert walked(in_memory(items), sizes, backwards=backwards) == in_order(items)


@given(data=st.data(), size=st.integers(1, 4), backwards=st.booleans())
def test_what_comes_and_goes_between_pages_neither_repeats_nor_hides_the_rest(
    data: st.DataObject, size: int, *, backwards: bool
) -> None:
    every = data.draw(lists())
    lasting = [item for item in every if data.draw(st.booleans())]
    passing = [item for item in every if item not in lasting]

    def page_of(cut: Cut) -> Page[Item]:
        there = lasting + [item for item in passing if data.draw(st.booleans())]
        return in_memory(there)(cut)

    found = walked(page_of, [size], backwards=backwards)

    assert len(found) == len(set(found))
    assert set(lasting) <= set(found)
    assert found == in_order(found)


@given(items=lists(), data=st.data(), size=st.integers(1, 4), backwards=st.booleans())
def test_a_page_between_two_cursors_is_cut_from_what_lies_between(
    items: list[Item], data: st.DataObject, size: int, *, backwards: bool
) -> None:
    ordered = in_order(items)
    start = data.draw(st.integers(0, len(ordered)))
    stop = data.draw(st.integers(start, len(ordered)))
    after = None if start == 0 else BY_SCORE.cursor(ordered[start - 1].key)
    before = None if stop == len(ordered) else BY_SCORE.cursor(ordered[stop].key)

    page = in_memory(items)(Cut(size, after, before, backwards))

    between = ordered[start:stop]
    assert page.nodes == (between[-size:] if backwards else between[:size])


def test_nothing_lies_between_cursors_in_the_wrong_order() -> None:
    items = [Item(number, 0.0, None, "") for number in (1, 2, 3)]
    first, last = BY_SCORE.cursor(items[0].key), BY_SCORE.cursor(items[2].key)

    page = in_memory(items)(Cut(5, after=last, before=first))

    assert page.nodes == []
    assert page.page_info.start_cursor is None
    assert page.page_info.end_cursor is None


async def test_a_page_tells_how_long_the_whole_list_is() -> None:
    page = in_memory([Item(number, 0.0, None, "") for number in range(1, 8)])(Cut(2))

    assert await page.count() == 7


@pytest.fixture
async def table(shared_database: Database) -> AsyncIterator[Database]:
    await shared_database.execute("DROP TABLE IF EXISTS paging_item")
    await shared_database.execute(
        "CREATE UNLOGGED TABLE paging_item (id bigint, score float8, year int, title text, at timestamptz)"
    )
    yield shared_database
    await shared_database.execute("DROP TABLE paging_item")


async def fill(database: Database, items: Sequence[Item]) -> None:
    await database.execute("TRUNCATE paging_item")
    await database.execute(
        "INSERT INTO paging_item SELECT * FROM unnest($1::bigint[], $2::float8[], $3::int[], $4::text[])",
        [item.id for item in items],
        [item.score for item in items],
        [item.year for item in items],
        [item.title for item in items],
    )


async def in_sql(database: Database, cut: Cut) -> Page[Item]:
    arguments: list[Any] = []
    beyond, order = BY_SCORE.clauses(cut, arguments)
    rows = await database.rows(
        f"SELECT id, score, year, title, {BY_SCORE.select()} FROM paging_item"
        f" WHERE {beyond} ORDER BY {order} LIMIT {cut.size + 1}",
        *arguments,
    )

    async def count() -> int:
        return int(await database.value("SELECT count(*) FROM paging_item"))

    return BY_SCORE.page(rows, cut, lambda row: Item(row[0], row[1], row[2], row[3]), count)


@SLOWLY
@given(items=lists(), size=st.integers(1, 6), backwards=st.booleans(), data=st.data())
async def test_sql_cuts_the_same_pages_as_memory(
    table: Database, items: list[Item], size: int, data: st.DataObject, *, backwards: bool
) -> None:
    await fill(table, items)
    cursors = st.sampled_from([None, *(BY_SCORE.cursor(item.key) for item in items)])
    cut = Cut(size, data.draw(cursors), data.draw(cursors), backwards)

    page = await in_sql(table, cut)

    expected = in_memory(items)(cut)
    assert page.edges == expected.edges
    if backwards:
        assert page.has_previous == (len(in_memory(items)(Cut(100, cut.after, cut.before)).nodes) > size)
    else:
        assert page.has_next == (len(in_memory(items)(Cut(100, cut.after, cut.before)).nodes) > size)


@SLOWLY
@given(data=st.data(), size=st.integers(1, 4), backwards=st.booleans())
async def test_rows_that_come_and_go_do_not_shift_pages_of_sql(
    table: Database, data: st.DataObject, size: int, *, backwards: bool
) -> None:
    every = data.draw(lists())
    lasting = [item for item in every if data.draw(st.booleans())]
    found: list[Item] = []
    cursor = None
    more = True

    while more:
        await fill(table, [item for item in every if item in lasting or data.draw(st.booleans())])
        page = await in_sql(table, Cut.of(None, None, size, cursor) if backwards else Cut.of(size, cursor))
        found = [*page.nodes, *found] if backwards else [*found, *page.nodes]
        more = page.has_previous if backwards else page.has_next
        cursor = page.page_info.start_cursor if backwards else page.page_info.end_cursor

    assert len(found) == len(set(found))
    assert set(lasting) <= set(found)


async def test_moments_are_told_apart_by_the_microsecond(table: Database) -> None:
    start = datetime(2026, 3, 1, 12, 0, 0, 999_998, tzinfo=UTC)
    for number in range(4):
        await table.execute(
            "INSERT INTO paging_item (id, at) VALUES ($1, $2)", number, start + timedelta(microseconds=number)
        )
    arguments: list[Any] = []
    cursor = BY_MOMENT.cursor([start + timedelta(microseconds=2), 2])

    beyond, order = BY_MOMENT.clauses(Cut(after=cursor), arguments)
    rows = await table.rows(f"SELECT id FROM paging_item WHERE {beyond} ORDER BY {order}", *arguments)

    assert [row[0] for row in rows] == [1, 0]


def written(document: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(document)).decode().rstrip("=")


GOOD = ["score", 1.5, 1999, "Solaris", 7]


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "=",
        "no cursor",
        "ö",
        "\0",
        "!!!!",
        "A" * 10_000,
        written(None),
        written(7),
        written("score"),
        written([]),
        written({"score": 1, "1": 2, "2": 3, "3": 4, "4": 5}),
        written(["other", *GOOD[1:]]),
        written([None, *GOOD[1:]]),
        written([["score"], *GOOD[1:]]),
        written(GOOD[:-1]),
        written([*GOOD, 1]),
        written(["score", "1.5", 1999, "Solaris", 7]),
        written(["score", None, 1999, "Solaris", 7]),
        written(["score", True, 1999, "Solaris", 7]),
        written(["score", 1.5, 1999.5, "Solaris", 7]),
        written(["score", 1.5, 2**31, "Solaris", 7]),
        written(["score", 1.5, 1999, 7, 7]),
        written(["score", 1.5, 1999, "a\0b", 7]),
        written(["score", 1.5, 1999, "Solaris", 2**63]),
        written(["score", 1.5, 1999, "Solaris", "7"]),
        written(["score", 1.5, 1999, "Solaris", [7]]),
        base64.urlsafe_b64encode(b'["score",1e999,1999,"Solaris",7]').decode(),
        base64.urlsafe_b64encode(b'["score",NaN,1999,"Solaris",7]').decode(),
        base64.urlsafe_b64encode(b"[" * 5000).decode(),
        base64.urlsafe_b64encode(b'["score",\xff]').decode(),
    ],
)
@pytest.mark.parametrize("argument", ["after", "before"])
async def test_a_cursor_that_is_none_of_the_list_is_refused_before_anything_is_asked(
    table: Database, statements: StatementCounter, cursor: str, argument: str
) -> None:
    cut = Cut(after=cursor) if argument == "after" else Cut(before=cursor)
    statements.clear()

    with pytest.raises(BadInput, match=f"`{argument}` is not a cursor of this list") as refused:
        await in_sql(table, cut)

    assert refused.value.extensions == {"argument": argument}
    assert statements.seen == []
    with pytest.raises(BadInput):
        in_memory([Item(1, 0.0, None, "")])(cut)


@pytest.mark.parametrize("moment", ["yesterday", "2026-03-01T12:00:00", 5, None, ["2026-03-01T12:00:00Z"]])
def test_a_moment_without_its_zone_or_sense_is_no_cursor(moment: Any) -> None:
    with pytest.raises(BadInput):
        BY_MOMENT.values(written(["moment", moment, 1]), "after")


@given(values=st.tuples(st.floats(allow_nan=False, allow_infinity=False), st.integers(-99, 99), titles))
def test_a_cursor_holds_its_values_exactly(values: tuple[float, int, str]) -> None:
    cursor = BY_SCORE.cursor([*values, 1])

    assert BY_SCORE.values(cursor, "after") == [*values, 1]
    assert cursor.isascii()


@pytest.mark.parametrize("size", [1, DEFAULT_SIZE, MAX_SIZE])
def test_sizes_up_to_the_limit_are_taken(size: int) -> None:
    assert Cut.of(size, None) == Cut(size)
    assert Cut.of(None, None, size, None) == Cut(size, backwards=True)


@pytest.mark.parametrize("size", [0, -1, MAX_SIZE + 1, 2**31 - 1])
def test_sizes_beyond_the_limit_are_named(size: int) -> None:
    with pytest.raises(BadInput, match=f"`first` must be between 1 and 100, and is {size}"):
        Cut.of(size, None)
    with pytest.raises(BadInput, match=f"`last` must be between 1 and 100, and is {size}"):
        Cut.of(None, None, size, None)


def test_first_and_last_together_are_refused() -> None:
    with pytest.raises(BadInput, match="`first` or `last`, not both"):
        Cut.of(5, None, 5, None)


def test_a_page_has_twenty_entries_where_nothing_is_said() -> None:
    assert Cut.of(None, None) == Cut(size=20)
