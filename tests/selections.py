"""Operations that ask for all there is below a field."""

from collections.abc import Callable
from typing import TypeAlias

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)

Admits: TypeAlias = Callable[[str, GraphQLField], bool]
"""Is told `Type.field`."""


def everything(
    schema: GraphQLSchema, field: GraphQLField, depth: int, admits: Admits = lambda _name, _field: True
) -> str:
    """The selection below `field`, so many objects deep: what `admits` and needs no argument.

    Fields of types behind an interface have the type's name in their own, as two may answer differently.
    """
    type_ = get_named_type(field.type)
    return "" if is_leaf_type(type_) else _of(schema, type_, depth, admits)


def _of(schema: GraphQLSchema, type_: object, depth: int, admits: Admits) -> str:
    parts = ["__typename"]
    if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
        parts += _fields(schema, type_, depth, admits, "")
    if isinstance(type_, GraphQLInterfaceType | GraphQLUnionType):
        known = set(type_.fields) if isinstance(type_, GraphQLInterfaceType) else set()
        for possible in schema.get_possible_types(type_):
            own = [
                text
                for text in _fields(schema, possible, depth, admits, f"{possible.name}_")
                if text.partition(": ")[2].partition(" ")[0] not in known
            ]
            parts += [f"... on {possible.name} {{ {' '.join(own)} }}"] if own else []
    return f"{{ {' '.join(parts)} }}"


def _fields(
    schema: GraphQLSchema,
    type_: GraphQLObjectType | GraphQLInterfaceType,
    depth: int,
    admits: Admits,
    prefix: str,
) -> list[str]:
    found = []
    for name, field in type_.fields.items():
        if not admits(f"{type_.name}.{name}", field) or any(
            is_required_argument(argument) for argument in field.args.values()
        ):
            continue
        shown = get_named_type(field.type)
        leads = not is_leaf_type(shown)
        if leads and depth <= 1:
            continue
        below = f" {_of(schema, shown, depth - 1, admits)}" if leads else ""
        found.append(f"{prefix}{name}: {name}{below}")
    return found
