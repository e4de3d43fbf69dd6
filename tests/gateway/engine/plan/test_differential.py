"""Plans answer whatever is asked of whatever schema as graphql-core does.

`MEDIA_GATEWAY_TEST_EXAMPLES=20000 pytest tests/gateway/engine/plan/test_differential.py` tries as many cases
instead of the 300 that are tried otherwise; which ones is decided by their number alone.
"""

from collections import Counter

import pytest
from hypothesis import given

from tests.gateway.engine.plan.cases import CASES, EXAMPLES, PROFILE, SEED, Case, Everything, Expected
from tests.gateway.engine.plan.twins import Answer, Told

pytestmark = [
    pytest.mark.usefixtures("swept"),
    pytest.mark.filterwarnings(
        "ignore:coroutine .* was never awaited:RuntimeWarning",
        "ignore::pytest.PytestUnraisableExceptionWarning",
    ),
]


@SEED
@PROFILE
@given(case=CASES)
async def test_a_plan_answers_as_graphql_core_does(case: Case) -> None:
    expected = await case.expected()

    for found in (*await case.answers(), await case.planned()):
        assert await expected.allows(case, found), f"plan: {found}\ngraphql-core: {expected.answer}"


async def test_the_cases_are_valid_and_of_all_kinds(corpus: list[tuple[Case, Expected]]) -> None:
    kinds = Counter(kind for case, expected in corpus for kind in kinds_of(case, expected.answer))

    assert kinds["valid"] == len(corpus) >= EXAMPLES * 0.9
    assert kinds["without errors"] > len(corpus) * 0.3
    assert kinds["errors"] > len(corpus) * 0.2
    assert kinds["errors in part"] > len(corpus) * 0.15
    assert kinds["no data"] > len(corpus) * 0.02
    assert kinds["mutation"] > len(corpus) * 0.1
    assert kinds["variables"] > len(corpus) * 0.3


def kinds_of(case: Case, answer: Answer) -> list[str]:
    found = {
        "valid": case.is_valid,
        "without errors": not answer.errors,
        "errors": bool(answer.errors),
        "errors in part": bool(answer.errors and answer.data),
        "no data": answer.data is None,
        "mutation": case.operation.text.startswith("mutation"),
        "variables": bool(case.operation.variables),
    }
    return [kind for kind, holds in found.items() if holds]


# -- What else is allowed, and what is not


def error(*path: str | int) -> Told:
    return Told("bad", path, ())


EVERYTHING = Everything(
    errors=[error("a", "x"), error("a", "y"), error("a", "soft"), error("b")],
    firm={
        ("a",): False,
        ("a", "x"): True,
        ("a", "y"): True,
        ("a", "soft"): False,
        ("b",): False,
    },
)
"""Two fields of which either makes `a` null, one that is lost with it, and one beside it."""


@pytest.mark.parametrize(
    "told",
    [
        (error("a", "x"), error("b")),
        (error("b"), error("a", "y")),
        (error("a", "soft"), error("a", "y"), error("b")),
    ],
)
def test_any_one_of_the_errors_that_make_a_position_null_may_be_told(told: tuple[Told, ...]) -> None:
    assert EVERYTHING.allow(told)


@pytest.mark.parametrize(
    "told",
    [
        (error("b"),),
        (error("a", "x"),),
        (error("a", "soft"), error("b")),
        (error("a", "x"), error("a", "y"), error("b")),
        (error("a", "x"), error("b"), error("b")),
        (error("a", "z"), error("b")),
        (error("a", "x"), Told("worse", ("b",), ())),
        (error("a", "x"), Told("bad", ("b",), ((1, 1),))),
    ],
)
def test_no_error_may_be_missing_doubled_or_made_up(told: tuple[Told, ...]) -> None:
    assert not EVERYTHING.allow(told)


def test_data_differs_by_types_and_the_order_of_keys() -> None:
    same = Answer({"a": [1, float("nan")], "b": None})

    assert same.is_same(Answer({"a": [1, float("nan")], "b": None}))
    assert not same.is_same(Answer({"b": None, "a": [1, float("nan")]}))
    assert not same.is_same(Answer({"a": [1.0, float("nan")], "b": None}))
    assert not Answer({"a": True}).is_same(Answer({"a": 1}))
    assert not Answer({"a": 0.0}).is_same(Answer({"a": -0.0}))
