"""Everything says what it is, and what is going says what takes its place."""

import re
from collections.abc import Iterator
from typing import Final

from graphql import GraphQLSchema

from gateway.evolution.rules.walk import Departure, Element, elements, types

SENTENCE: Final = re.compile(r"[.:!?)`]\s*$")
INSTEAD: Final = re.compile(r"\buse `([^`]+)`", re.IGNORECASE)


def descriptions(schema: GraphQLSchema) -> Iterator[Departure]:
    for coordinate, description in _described(schema):
        if not description.strip():
            yield Departure(coordinate, "it has no description")


def sentences(schema: GraphQLSchema) -> Iterator[Departure]:
    for coordinate, description in _described(schema):
        if description.strip() and not SENTENCE.search(description):
            yield Departure(coordinate, f"its description does not end as a sentence does: {description!r}")


def deprecations(schema: GraphQLSchema) -> Iterator[Departure]:
    coordinates = {element.coordinate for element in elements(schema)}
    for element in elements(schema):
        reason = getattr(element.definition, "deprecation_reason", None)
        if reason is None:
            continue
        named = INSTEAD.findall(reason)
        if not named:
            yield Departure(
                element.coordinate, "the reason does not say what to use instead: write use `name`"
            )
        for name in named:
            if not {name, f"{_place(element)}{name}", f"{_place(element)}{name}:)"} & coordinates:
                yield Departure(element.coordinate, f"the reason names `{name}`, which is not there")


def _place(element: Element) -> str:
    """What stands before the name in the coordinate: `Movie.` of `Movie.title`."""
    return re.sub(rf"{element.name}(:\))?$", "", element.coordinate)


def _described(schema: GraphQLSchema) -> Iterator[tuple[str, str]]:
    for type_ in types(schema):
        yield type_.name, type_.description or ""
    for element in elements(schema):
        yield element.coordinate, element.definition.description or ""
