"""Batched resolvers: asked once for many by plans, and gathered where graphql-core asks one by one."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import strawberry
from strawberry.types import Info

from resolvers.batching import batched
from tests.gateway.engine.plan.twins import Answer, Told, answered, ask


@dataclass
class Asked:
    """The context: what each call was given, and where graphql-core gathers."""

    calls: list[tuple[list[str], str]] = field(default_factory=list)
    gathered: dict[Any, Any] = field(default_factory=dict)


@strawberry.type
class Book:
    title: str

    async def _shelf(books: list["Book"], info: Info[Asked, None], room: str = "hall") -> list[str | None]:  # type: ignore[misc] # noqa: N805
        titles = [book.title for book in books]
        info.context.calls.append((titles, room))
        return [None if title == "lost" else f"{title} in the {room}" for title in titles]

    async def _pages(books: list["Book"], info: Info[Asked, None]) -> Sequence[int]:  # type: ignore[misc] # noqa: N805
        if any(book.title == "burnt" for book in books):
            raise ValueError("the library burns")
        return tuple(len(book.title) for book in books)

    async def _lent(books: list["Book"], info: Info[Asked, None]) -> list[int | None]:  # type: ignore[misc] # noqa: N805
        found: list[Any] = [ValueError(f"{book.title} is lent") if book.title == "b" else 1 for book in books]
        return found

    async def _short(books: list["Book"], info: Info[Asked, None]) -> list[int | None]:  # type: ignore[misc] # noqa: N805
        return [1]

    async def _next(books: list["Book"], info: Info[Asked, None]) -> list["Book"]:  # type: ignore[misc] # noqa: N805
        info.context.calls.append(([book.title for book in books], "next"))
        return [Book(title=f"{book.title}+") for book in books]

    shelf: str | None = strawberry.field(resolver=batched(_shelf))
    pages: int | None = strawberry.field(resolver=batched(_pages))
    lent: int | None = strawberry.field(resolver=batched(_lent))
    short: int | None = strawberry.field(resolver=batched(_short))
    next: "Book" = strawberry.field(resolver=batched(_next))


@strawberry.type
class Query:
    @strawberry.field
    def books(self, titles: list[str]) -> list[Book]:
        return [Book(title=title) for title in titles]


schema = strawberry.Schema(Query)


async def calls(document: str, *, plans: bool) -> list[tuple[list[str], str]]:
    """What batch functions were given for a document."""
    asked = Asked()
    found = await answered(schema, document, context=asked, plans=plans)
    assert found.errors == ()
    return asked.calls


@pytest.fixture(params=[False, True], ids=["graphql-core", "plan"])
def plans(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def of(titles: str, selection: str) -> str:
    listed = ", ".join(f'"{title}"' for title in titles.split())
    return f"{{ books(titles: [{listed}]) {{ {selection} }} }}"


async def test_one_call_answers_all_sources_in_their_order(plans: bool) -> None:  # noqa: FBT001
    assert await calls(of("c a b a", "shelf"), plans=plans) == [(["c", "a", "b", "a"], "hall")]


async def test_each_source_gets_its_own_answer() -> None:
    found = await ask(schema, of("c lost a", "shelf"), context=Asked)

    assert found == Answer(
        {"books": [{"shelf": "c in the hall"}, {"shelf": None}, {"shelf": "a in the hall"}]}
    )


async def test_each_set_of_arguments_is_asked_for_by_itself(plans: bool) -> None:  # noqa: FBT001
    found = await calls(of("a b", 'shelf other: shelf(room: "attic")'), plans=plans)

    assert sorted(found) == [(["a", "b"], "attic"), (["a", "b"], "hall")]


async def test_batches_below_a_batch_are_batches_again(plans: bool) -> None:  # noqa: FBT001
    found = await calls(of("a b", "next { next { title } }"), plans=plans)

    assert found == [(["a", "b"], "next"), (["a+", "b+"], "next")]


async def test_without_sources_nothing_is_asked(plans: bool) -> None:  # noqa: FBT001
    assert await calls(of("", "shelf"), plans=plans) == []


async def test_nothing_is_kept_for_another_request(plans: bool) -> None:  # noqa: FBT001
    document = of("a", "shelf")

    assert [await calls(document, plans=plans) for _ in range(2)] == [[(["a"], "hall")]] * 2


async def test_a_sequence_of_another_kind_is_an_answer() -> None:
    assert await ask(schema, of("a bb", "pages"), context=Asked) == Answer(
        {"books": [{"pages": 1}, {"pages": 2}]}
    )


async def test_an_exception_among_the_answers_is_the_error_of_its_source() -> None:
    found = await ask(schema, of("a b c", "lent"), context=Asked)

    assert found == Answer(
        {"books": [{"lent": 1}, {"lent": None}, {"lent": 1}]},
        (Told("b is lent", ("books", 1, "lent"), ((1, 36),)),),
    )


async def test_a_batch_that_fails_fails_for_all() -> None:
    found = await ask(schema, of("a burnt", "pages"), context=Asked)

    assert found.data == {"books": [{"pages": None}, {"pages": None}]}
    assert found.told == [("the library burns", "books.0.pages"), ("the library burns", "books.1.pages")]


async def test_arguments_that_do_not_fit_are_an_error_of_each_source() -> None:
    document = 'query ($room: String) { books(titles: ["a", "b"]) { shelf(room: $room) } }'

    found = await ask(schema, document, {"room": None}, context=Asked)

    assert found.data == {"books": [{"shelf": None}, {"shelf": None}]}
    assert [error.path for error in found.errors] == [("books", 0, "shelf"), ("books", 1, "shelf")]


async def test_too_few_answers_are_an_error_for_all(plans: bool) -> None:  # noqa: FBT001
    found = await answered(schema, of("a b", "short"), context=Asked(), plans=plans)

    assert found.data == {"books": [{"short": None}, {"short": None}]}
    assert [error.path for error in found.errors] == [("books", 0, "short"), ("books", 1, "short")]


async def test_a_plan_says_which_batch_function_answered_too_little() -> None:
    found = await answered(schema, of("a b", "short"), context=Asked(), plans=True)

    assert found.errors[0].message == "Book._short answered 1 for 2 sources."


async def test_strawberry_sees_a_resolver_of_one_source() -> None:
    resolve: Callable[..., Any] = batched(Book._shelf)
    signature = inspect.signature(resolve)

    assert inspect.iscoroutinefunction(resolve)
    assert list(signature.parameters) == ["books", "info", "room"]
    assert signature.return_annotation == str | None
    assert 'shelf(room: String! = "hall"): String' in schema.as_str()
