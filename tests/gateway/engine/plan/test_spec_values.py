"""Value completion, rule by rule: https://spec.graphql.org/September2025/#sec-Value-Completion.

Each rule holds however a field gets its value.
"""

import enum
import math
from collections.abc import AsyncIterator, Generator, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import strawberry
from strawberry.scalars import JSON

from tests.gateway.engine.plan.twins import Answer, Told
from tests.gateway.engine.plan.ways import ATTRIBUTE, IN_TURN, WAYS, Odd, complete

# What batch functions answer is no awaitable, whatever is in it.
NOT_BATCHED = tuple(way for way in WAYS if way != "batched")


async def value(annotation: Any, result: Any) -> Any:
    """What becomes of a resolver's result without an error."""
    found = await complete(annotation, lambda: result)
    assert found.errors == ()
    return found.data["v"]


async def refusal(annotation: Any, result: Any) -> str:
    """The message for a result that does not fit a nullable field."""
    found = await complete(annotation | None, lambda: result)
    [error] = found.errors
    assert found.data == {"v": None}
    assert (error.path, error.locations) == (("v",), ((1, 3),))
    return error.message


class Text(str):
    __slots__ = ()


class Whole(int):
    pass


class Number(enum.IntEnum):
    SEVEN = 7


# -- Null: https://spec.graphql.org/September2025/#CompleteValue()


@pytest.mark.parametrize(
    "annotation", [int, str, float, bool, strawberry.ID, date, list[int], list[list[int]]]
)
async def test_null_is_null_where_it_may_be(annotation: Any) -> None:
    assert await value(annotation | None, None) is None


@pytest.mark.parametrize("annotation", [int, str, date, list[int]])
async def test_null_is_an_error_where_it_must_not_be(annotation: Any) -> None:
    found = await complete(annotation, lambda: None)

    message = "Cannot return null for non-nullable field Query.v."
    assert found == Answer(None, (Told(message, ("v",), ((1, 3),)),))


# -- Scalars: https://spec.graphql.org/September2025/#sec-Scalars.Built-in-Scalars


@pytest.mark.parametrize(
    ("annotation", "result", "written"),
    [
        (int, 3, 3),
        (int, True, 1),
        (int, 3.0, 3),
        (int, "12", 12),
        (int, Whole(4), 4),
        (int, Number.SEVEN, 7),
        (int, Decimal(5), 5),
        (int, 2**31 - 1, 2**31 - 1),
        (int, -(2**31), -(2**31)),
        (float, 1.5, 1.5),
        (float, 3, 3.0),
        (float, 2**40, float(2**40)),
        (float, True, 1),
        (float, "1.5", 1.5),
        (float, -0.0, -0.0),
        (str, "a", "a"),
        (str, "", ""),
        (str, Text("a"), "a"),
        (str, 1, "1"),
        (str, 1.5, "1.5"),
        (str, True, "true"),
        (bool, True, True),
        (bool, False, False),
        (bool, 1, True),
        (bool, 0, False),
        (bool, 0.0, False),
        (strawberry.ID, "a", "a"),
        (strawberry.ID, 12, "12"),
    ],
)
async def test_a_scalar_is_coerced_as_its_type_says(annotation: Any, result: Any, written: Any) -> None:
    found = await value(annotation, result)

    assert (found, str(found)) == (written, str(written))


@pytest.mark.parametrize("result", [2**31, -(2**31) - 1, 1.5, "x", "", math.nan, math.inf, [1], {}, object])
async def test_what_is_no_int_of_32_bits_is_an_error(result: Any) -> None:
    assert (await refusal(int, result)).startswith("Int cannot represent non")


@pytest.mark.parametrize("result", [math.nan, math.inf, -math.inf, "x", "", [1.0], {}])
async def test_what_is_no_finite_number_is_an_error(result: Any) -> None:
    assert (await refusal(float, result)).startswith("Float cannot represent non numeric value")


@pytest.mark.parametrize("result", [["a"], {"a": 1}, object])
async def test_what_is_no_text_is_an_error(result: Any) -> None:
    assert (await refusal(str, result)).startswith("String cannot represent value")


@pytest.mark.parametrize("result", ["true", "", [True], math.nan])
async def test_what_is_no_truth_is_an_error(result: Any) -> None:
    assert (await refusal(bool, result)).startswith("Boolean cannot represent a non boolean value")


@pytest.mark.parametrize("result", [1.5, True, ["a"], {}])
async def test_what_is_no_id_is_an_error(result: Any) -> None:
    assert (await refusal(strawberry.ID, result)).startswith("ID cannot represent value")


@pytest.mark.parametrize(
    ("annotation", "result", "written"),
    [
        (date, date(2024, 2, 29), "2024-02-29"),
        (datetime, datetime(2024, 2, 29, tzinfo=UTC), "2024-02-29T00:00:00+00:00"),
        (Decimal, Decimal("1.50"), "1.50"),
        (UUID, UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (JSON, {"a": [1, None]}, {"a": [1, None]}),
    ],
)
async def test_a_custom_scalar_is_written_by_its_own_function(
    annotation: Any, result: Any, written: Any
) -> None:
    assert await value(annotation, result) == written
    assert await value(list[annotation], [result, result]) == [written, written]


async def test_a_custom_scalar_that_refuses_a_value_is_an_error() -> None:
    assert "isoformat" in await refusal(date, "2024-02-29")


async def test_each_item_of_a_custom_scalar_is_judged_by_itself() -> None:
    """Also after a value of the same class has been written well."""
    found = await complete(list[Odd | None], lambda: [1, 2, 3, 0, None])

    assert found.data == {"v": [1, None, 3, None, None]}
    message = "Expected `Odd.coerce_output_value(0)` to return non-nullable value, returned: None"
    assert found.told == [("2 is even", "v.1"), (message, "v.3")]


# -- Enums: https://spec.graphql.org/September2025/#sec-Enums.Result-Coercion


@strawberry.enum
class Colour(enum.Enum):
    RED = "r"
    BLUE = "b"
    ROUGE = "r"  # noqa: PIE796 - a second name of one member


async def test_an_enum_is_written_as_the_name_of_its_value() -> None:
    assert await value(Colour, Colour.BLUE) == "BLUE"
    assert await value(list[Colour], [Colour.RED, Colour.BLUE]) == ["RED", "BLUE"]
    assert await value(Colour, Colour.ROUGE) == "RED"


async def test_what_an_enum_stands_for_is_written_as_its_name() -> None:
    assert await value(Colour, "b") == "BLUE"


@pytest.mark.parametrize("result", ["green", "RED", 1, ["r"], Number.SEVEN])
async def test_what_the_enum_lacks_is_an_error(result: Any) -> None:
    assert "Colour" in await refusal(Colour, result)


# -- Lists: https://spec.graphql.org/September2025/#sec-List.Result-Coercion


class Few:
    """A collection of its own kind."""

    def __len__(self) -> int:
        return 2

    def __iter__(self) -> Iterator[int]:
        return iter((1, 2))

    def __contains__(self, _item: object) -> bool:
        return True


def counting() -> Iterator[int]:
    yield from (1, 2)


async def arriving() -> AsyncIterator[int]:
    yield 1
    yield 2


@pytest.mark.parametrize(
    "make",
    [
        lambda: [1, 2],
        lambda: (1, 2),
        {1: "a", 2: "b"}.keys,
        lambda: range(1, 3),
        Few,
        counting,
        arriving,
    ],
)
async def test_whatever_can_be_gone_through_is_a_list(make: Any) -> None:
    found = await complete(list[int], make)

    assert found == Answer({"v": [1, 2]})


@pytest.mark.parametrize("result", [1, "ab", b"ab", None.__class__, object])
async def test_what_cannot_be_gone_through_is_an_error(result: Any) -> None:
    assert await refusal(list[int], result) == (
        "Expected Iterable, but did not find one for field 'Query.v'."
    )


@pytest.mark.parametrize(
    ("annotation", "result"),
    [
        (list[int], []),
        (list[list[int]], [[], [1], [2, 3]]),
        (list[list[list[str]]], [[["a"], []], []]),
        (list[int | None], [None, 1, None]),
        (list[list[int] | None], [None, [1]]),
        (list[list[int | None] | None], [None, [None, 1]]),
    ],
)
async def test_every_item_is_completed_in_its_order(annotation: Any, result: Any) -> None:
    assert await value(annotation, result) == result


async def test_the_answer_is_no_list_of_the_resolvers_own() -> None:
    kept = [1, 2]
    found = await complete(list[int], lambda: kept, ways=[ATTRIBUTE])

    found.data["v"].append(3)
    assert kept == [1, 2]


async def test_a_list_that_fails_while_it_is_gone_through_is_an_error() -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise ValueError("no more")

    found = await complete(list[int] | None, failing)

    assert found.data == {"v": None}
    assert [(error.message, error.path) for error in found.errors] == [("no more", ("v",))]


class Ready:
    """An awaitable that is no coroutine."""

    def __init__(self, result: Any) -> None:
        self.result = result

    def __await__(self) -> Generator[Any, Any, Any]:
        yield from ()
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


async def test_items_may_be_awaitable() -> None:
    found = await complete(
        list[int | None], lambda: [Ready(1), 2, Ready(None), Ready(ValueError("no"))], ways=NOT_BATCHED
    )

    assert found.data == {"v": [1, 2, None, None]}
    assert [(error.message, error.path) for error in found.errors] == [("no", ("v", 3))]


async def test_an_attribute_may_be_awaitable() -> None:
    found = await complete(int, lambda: Ready(3), ways=IN_TURN)

    assert found == Answer({"v": 3})


async def test_what_is_awaitable_after_it_was_awaited_is_no_leaf() -> None:
    found = await complete(int | None, lambda: Ready(Ready(3)), ways=IN_TURN)

    assert found.data == {"v": None}
    assert found.errors[0].message.startswith("Int cannot represent non-integer value")
