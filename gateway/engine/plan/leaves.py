"""How leaves of known types are written without a call."""

from dataclasses import dataclass
from enum import Flag
from typing import Any, Final

from graphql import (
    GraphQLBoolean,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLString,
)
from strawberry.schema.schema_converter import CustomGraphQLEnumType

CLASSES: Final[dict[Any, type]] = {
    GraphQLString: str,
    GraphQLID: str,
    GraphQLInt: int,
    GraphQLFloat: float,
    GraphQLBoolean: bool,
}
"""The class of values that are written as they are."""

BOUNDS: Final[dict[Any, str]] = {
    GraphQLInt: "-2147483648 <= {0} <= 2147483647",
    # Neither infinity nor NaN is left of itself by taking it away.
    GraphQLFloat: "{0} - {0} == 0.0",
}
"""What has to hold of them besides."""


@dataclass(frozen=True, slots=True)
class EnumNames:
    """An enum whose members are written by a look-up."""

    members: type
    names: dict[str, str]
    """In GraphQL, by the member's name in Python."""


def enum_names(type_: GraphQLLeafType) -> EnumNames | None:
    """None where the values of an enum are no members of a Python enum, or one has no name in GraphQL.

    Members of a flag put together are of its class as well, but none of its members.
    """
    if not isinstance(type_, CustomGraphQLEnumType) or issubclass(type_.wrapped_cls, Flag):
        return None
    members: Any = type_.wrapped_cls
    try:
        names = {member.name: type_.coerce_output_value(member) for member in members}
    except Exception:  # noqa: BLE001 - then each value is coerced by itself, and the error told there
        return None
    return EnumNames(members, names)


def is_plain(type_: Any) -> bool:
    return type_ in CLASSES


def guard(type_: Any, variable: str) -> str:
    """What holds of a value of a plain type that is written as it is."""
    test = f"{variable}.__class__ is {CLASSES[type_].__name__}"
    bounds = BOUNDS.get(type_)
    return test if bounds is None else f"{test} and {bounds.format(variable)}"
