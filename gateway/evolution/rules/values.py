"""What a name promises, the type keeps: times, lengths, ids, addresses, lists."""

import re
from collections.abc import Iterator
from typing import Final

from graphql import (
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    GraphQLType,
    get_named_type,
    is_leaf_type,
)

from gateway.evolution.rules.walk import Departure, Element, elements

TIME: Final = re.compile(r"\w+(At|From|Until)")
OTHER_UNITS: Final = re.compile(r"\w+(Ms|Millis|Milliseconds|Minutes|Hours)")
ONE_ID: Final = re.compile(r"id|\w+Id")
MANY_IDS: Final = re.compile(r"ids|\w+Ids")
ADDRESS: Final = re.compile(r"url|\w+Url")


def times(schema: GraphQLSchema) -> Iterator[Departure]:
    for element in _typed(schema):
        is_time = _named(element) == "DateTime"
        if element.name.endswith("At") and not is_time:
            yield Departure(element.coordinate, f"what happens At a time is a DateTime, not {element.type}")
        if is_time and not TIME.fullmatch(element.name):
            yield Departure(element.coordinate, "a DateTime is named …At, …From or …Until")


def lengths(schema: GraphQLSchema) -> Iterator[Departure]:
    for element in _typed(schema):
        if element.name.lower().endswith("seconds") and _named(element) != "Int":
            yield Departure(element.coordinate, f"lengths are whole seconds, Int, not {element.type}")
        if OTHER_UNITS.fullmatch(element.name):
            yield Departure(element.coordinate, "lengths are in seconds, named …Seconds")


def ids(schema: GraphQLSchema) -> Iterator[Departure]:
    for element in _typed(schema):
        if not is_leaf_type(get_named_type(element.type)):
            continue  # an object that holds or names ids
        if ONE_ID.fullmatch(element.name) and _named(element) != "ID":
            yield Departure(element.coordinate, f"an id is an ID, not {element.type}")
        if MANY_IDS.fullmatch(element.name) and str(element.type) not in {"[ID!]!", "[ID!]"}:
            yield Departure(element.coordinate, f"ids are [ID!], not {element.type}")
        is_choice = isinstance(element.owner, GraphQLInputObjectType) and element.owner.is_one_of
        if element.name == "id" and not is_choice and str(element.type) == "ID":
            yield Departure(element.coordinate, "an object, and who asks for it, always has its id: ID!")


def addresses(schema: GraphQLSchema) -> Iterator[Departure]:
    for element in _typed(schema):
        if ADDRESS.fullmatch(element.name) and _named(element) != "URL":
            yield Departure(element.coordinate, f"an address is a URL, not {element.type}")


def list_items(schema: GraphQLSchema) -> Iterator[Departure]:
    for element in _typed(schema):
        if _has_gaps(element.type):
            yield Departure(element.coordinate, f"lists have no gaps: [T!], not {element.type}")


def lists(schema: GraphQLSchema) -> Iterator[Departure]:
    for element in _typed(schema):
        is_answer = "(" not in element.coordinate and not isinstance(element.owner, GraphQLInputObjectType)
        if is_answer and isinstance(element.type, GraphQLList):
            yield Departure(element.coordinate, f"an empty list says that there is nothing: {element.type}!")


def _typed(schema: GraphQLSchema) -> Iterator[Element]:
    return (element for element in elements(schema) if element.type is not None)


def _named(element: Element) -> str:
    return get_named_type(element.type).name if element.type is not None else ""


def _has_gaps(type_: GraphQLType | None) -> bool:
    match type_:
        case GraphQLNonNull():
            return _has_gaps(type_.of_type)
        case GraphQLList():
            return not isinstance(type_.of_type, GraphQLNonNull) or _has_gaps(type_.of_type)
    return False
