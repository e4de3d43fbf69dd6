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

GUARDS: Final[dict[Any, str]] = {
    GraphQLString: "{0}.__class__ is str",
    GraphQLID: "{0}.__class__ is str",
    GraphQLInt: "{0}.__class__ is int and -2147483648 <= {0} <= 2147483647",
    # Neither infinity nor NaN is left of itself by taking it away.
    GraphQLFloat: "{0}.__class__ is float and {0} - {0} == 0.0",
    GraphQLBoolean: "{0}.__class__ is bool",
}
"""What holds of a value that is written as it is."""


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
    return type_ in GUARDS
