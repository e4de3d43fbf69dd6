"""For how long an answer stays true, rule by rule as Apollo defines it."""

from typing import Annotated

import pytest
import strawberry

from gateway.engine.execution import Engine
from gateway.engine.plan.cache_policy import Policy
from gateway.engine.plan.launch import Launch
from gateway.engine.requests import OperationRequest
from schema.caching import CacheControl, CacheControlScope

MINUTE = CacheControl(max_age=60)
SHORT = CacheControl(max_age=5)
INHERITS = CacheControl(inherit_max_age=True)
PRIVATE = CacheControl(scope=CacheControlScope.PRIVATE)
NEVER = CacheControl(max_age=0)


@strawberry.type(directives=[INHERITS])
class Part:
    word: str


@strawberry.type
class Unhinted:
    word: str


@strawberry.interface(directives=[MINUTE])
class Named:
    name: str


@strawberry.type(directives=[MINUTE])
class Thing(Named):
    word: str
    short: str = strawberry.field(directives=[SHORT])
    secret: str = strawberry.field(directives=[PRIVATE])
    part: Part
    parts: list[Part]
    unhinted: Unhinted
    inheriting: Unhinted = strawberry.field(directives=[INHERITS])
    long: "Thing" = strawberry.field(directives=[CacheControl(max_age=900)])
    never: "Thing" = strawberry.field(directives=[NEVER])


@strawberry.type(directives=[MINUTE])
class Brief(Named):
    short: str = strawberry.field(directives=[SHORT])


@strawberry.type(directives=[CacheControl(max_age=30, scope=CacheControlScope.PRIVATE)])
class Own:
    word: str


Either = Annotated[Thing | Brief, strawberry.union("Either", directives=[CacheControl(max_age=40)])]


@strawberry.type
class Query:
    thing: Thing
    things: list[Thing | None]
    longer: Thing = strawberry.field(directives=[CacheControl(max_age=600)])
    unhinted: Unhinted
    word: str
    hinted: str = strawberry.field(directives=[MINUTE])
    part: Part
    inheriting: str = strawberry.field(directives=[INHERITS])
    named: Named
    either: Either
    own: Own


@strawberry.type
class Mutation:
    thing: Thing


ENGINE = Engine(strawberry.Schema(Query, Mutation))


def launched(text: str, **variables: object) -> Launch:
    operation = ENGINE.prepare(OperationRequest(text))
    launch = operation.prepared.launcher(operation.name, ENGINE.schema).launch(variables, None, None)
    assert isinstance(launch, Launch)
    return launch


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        # Fields of the root, and what leads to objects, stay true for no time unless a hint says so.
        ("{ word }", 0),
        ("{ unhinted { word } }", 0),
        ("{ part { word } }", 0),  # there is nothing to inherit from
        ("{ inheriting }", 0),
        ("{ hinted }", 60),
        # Leaves stay true for as long as what holds them.
        ("{ thing { word } }", 60),
        ("{ things { word } }", 60),
        ("{ thing { __typename } }", 60),
        # A field's own hint goes before its type's, whether it is shorter or longer.
        ("{ longer { word } }", 600),
        ("{ longer { long { word } } }", 600),
        ("{ thing { long { word } } }", 60),
        ("{ longer { never { word } } }", 0),
        # What inherits takes no time away; what could and does not, takes all.
        ("{ longer { part { word } parts { word } } }", 600),
        ("{ longer { unhinted { word } } }", 0),
        ("{ longer { inheriting { word } } }", 600),
        # An answer is as good as the worst of its fields, wherever they are.
        ("{ longer { word short } }", 5),
        ("{ hinted longer { word } }", 60),
        ("{ hinted word }", 0),
        ("{ longer { ...F } } fragment F on Thing { part { word } short }", 5),
        # So it is where the type is known at run time only.
        ("{ named { name } }", 60),
        ("{ named { name ... on Thing { short } } }", 5),
        ("{ either { ... on Named { name } } }", 40),
        ("{ either { ... on Brief { short } } }", 5),
        # What names types changes with the schema alone.
        ("{ hinted __typename }", 60),
        ("{ __typename }", 0),
        ("{ hinted __schema { queryType { name } } }", 0),
    ],
)
def test_how_long_an_answer_stays_true(text: str, seconds: int) -> None:
    assert launched(text).policy == Policy(seconds, private=False)


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("{ own { word } }", Policy(30, private=True)),
        ("{ hinted own { word } }", Policy(30, private=True)),
        ("{ thing { secret } }", Policy(60, private=True)),
        ("{ longer { long { secret } } }", Policy(600, private=True)),
        ("{ word own { word } }", Policy(0, private=True)),
    ],
)
def test_one_field_of_the_callers_own_makes_the_answer_theirs(text: str, policy: Policy) -> None:
    assert launched(text).policy == policy


def test_what_variables_leave_out_says_nothing() -> None:
    text = (
        "query($all: Boolean!) { longer { word short @include(if: $all) } own @include(if: $all) { word } }"
    )

    policies = [launched(text, all=everything).policy for everything in (True, False)]

    assert policies == [Policy(5, private=True), Policy(600, private=False)]


def test_the_fields_of_the_root_that_may_be_given_to_others_are_told_apart() -> None:
    plan = launched("{ a: hinted b: longer { short } c: own { word } d: word __typename }").plan

    assert plan is not None
    assert plan.common == {"a", "b"}
    assert plan.own == {"c", "d"}
    assert plan.common_policy == Policy(5, private=False)


def test_two_parts_of_one_field_are_one() -> None:
    plan = launched("{ thing { word } ...F } fragment F on Query { thing { secret } }").plan

    assert plan is not None
    assert not plan.common
    assert plan.own == {"thing"}


def test_a_mutation_has_nothing_to_give_to_others() -> None:
    plan = launched("mutation { thing { word } }").plan

    assert plan is not None
    assert not plan.common
    assert plan.own == {"thing"}
