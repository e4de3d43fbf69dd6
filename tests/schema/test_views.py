"""How the graph shows domain values, on a small graph of its own."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import strawberry
from strawberry import Parent
from strawberry.types import ExecutionResult

from resolvers.ids import decode
from schema.graph import Graph, Shape
from schema.node import Node
from schema.views import choices, edge, extends, view


class Weight(StrEnum):
    """How heavy something is."""

    LIGHT = "light"
    """Can be lifted."""
    HEAVY = "heavy"
    """Cannot."""


@dataclass(frozen=True, slots=True)
class Thing:
    id: int
    label: str
    weight: Weight


@dataclass(frozen=True, slots=True)
class Box(Thing):
    lid: bool


@dataclass(frozen=True, slots=True)
class Ball(Thing):
    inches: int


HELD = [Box(1, "box", Weight.HEAVY, lid=True), Ball(2, "ball", Weight.LIGHT, inches=9)]


def shouted(thing: Parent[Thing]) -> str:
    return thing.label.upper()


def everything() -> list[Thing]:
    return list(HELD)


def first() -> Thing:
    return HELD[0]


choices(Weight)


@view(Thing, interface=True)
class ThingView(Node):
    """Something.

    It is held.
    """

    label: str
    """What is written on it."""
    weight: Weight
    """How heavy it is."""
    undescribed: str = edge(shouted, description="Said here.")
    """Not said here."""


@view(Box, name="Box")
class BoxView(ThingView):
    """A box."""

    lid: bool
    """Whether it closes."""


@view(Ball, name="Ball")
class BallView(ThingView):
    """A ball."""

    inches: int
    """Its width."""
    label: str
    """What is written around it."""


@extends(ThingView)
class Shouting:
    """What a loud context adds."""

    shouted: str = edge(shouted)
    """The label, loudly."""


@extends(BallView)
class Bouncing:
    """What a playful context adds."""

    bounces: bool = edge(lambda: True)
    """It does."""


@view()
class ThingsQuery:
    """What there is."""

    things: list[ThingView] = edge(everything)
    """All of it."""
    either: BoxView | BallView = edge(first)
    """One of it."""


@dataclass(frozen=True)
class Part:
    query: tuple[type, ...]
    extensions: tuple[type, ...]
    mutation: tuple[type, ...] = ()
    subscription: tuple[type, ...] = ()
    types: tuple[type, ...] = ()
    shared: tuple[type, ...] = ()


def small_graph() -> Graph:
    part: Any = Part((ThingsQuery,), (Shouting, Bouncing))
    return Graph(
        shape=Shape({"things": part}, None),
        query=strawberry.type(type("Query", (ThingsQuery,), {}), description="Everything."),
        types=[BoxView, BallView],
    )


QUERY = """{ things { __typename id label weight shouted undescribed
  ... on Box { lid } ... on Ball { inches bounces } } either { __typename } }"""


async def test_plain_fields_are_read_off_the_value_and_edges_are_answered() -> None:
    found = await small_graph().execute(QUERY)

    assert isinstance(found, ExecutionResult)
    assert found.errors is None
    assert found.data is not None
    box, ball = found.data["things"]
    assert decode(box.pop("id")) == ("Box", "1")
    assert decode(ball.pop("id")) == ("Ball", "2")
    assert box == {
        "__typename": "Box",
        "label": "box",
        "weight": "HEAVY",
        "shouted": "BOX",
        "undescribed": "BOX",
        "lid": True,
    }
    assert ball == {
        "__typename": "Ball",
        "label": "ball",
        "weight": "LIGHT",
        "shouted": "BALL",
        "undescribed": "BALL",
        "inches": 9,
        "bounces": True,
    }
    assert found.data["either"] == {"__typename": "Box"}


def test_docstrings_below_are_descriptions() -> None:
    types: Any = small_graph()._schema.type_map

    assert types["Box"].description == "A box."
    assert types["ThingView"].description == "Something.\n\nIt is held."
    assert types["Box"].fields["lid"].description == "Whether it closes."
    assert types["Box"].fields["shouted"].description == "The label, loudly."
    assert types["Box"].fields["undescribed"].description == "Said here."
    assert types["Weight"].description == "How heavy something is."
    assert {name: value.description for name, value in types["Weight"].values.items()} == {
        "LIGHT": "Can be lifted.",
        "HEAVY": "Cannot.",
    }


def test_a_view_may_describe_a_field_of_its_interface_anew() -> None:
    types: Any = small_graph()._schema.type_map

    assert types["Box"].fields["label"].description == "What is written on it."
    assert types["Ball"].fields["label"].description == "What is written around it."


def test_only_types_with_an_id_have_a_key() -> None:
    sdl = small_graph().as_str()

    keyed = {line.split()[1] for line in sdl.splitlines() if line.startswith("type ") and "@key" in line}
    assert keyed == {"Box", "Ball"}


def test_extensions_reach_the_types_they_name_and_what_implements_them() -> None:
    types: Any = small_graph()._schema.type_map

    assert "shouted" in types["ThingView"].fields
    assert "shouted" in types["Box"].fields
    assert "bounces" in types["Ball"].fields
    assert "bounces" not in types["Box"].fields


def test_showing_an_enum_twice_is_showing_it_once() -> None:
    before = vars(Weight)["__strawberry_definition__"]

    choices(Weight)

    assert vars(Weight)["__strawberry_definition__"] is before
