"""A mutation takes one input and answers one payload."""

from collections.abc import Iterator

from graphql import (
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    is_composite_type,
)

from gateway.evolution.rules.walk import Departure


def inputs(schema: GraphQLSchema) -> Iterator[Departure]:
    for coordinate, field in _mutations(schema):
        argument = field.args.get("input")
        type_ = argument.type.of_type if argument and isinstance(argument.type, GraphQLNonNull) else None
        named = isinstance(type_, GraphQLInputObjectType) and type_.name.endswith("Input")
        if len(field.args) != 1 or not named:
            yield Departure(coordinate, "a mutation takes `input: SomeInput!` and nothing else")


def payloads(schema: GraphQLSchema) -> Iterator[Departure]:
    for coordinate, field in _mutations(schema):
        type_ = field.type.of_type if isinstance(field.type, GraphQLNonNull) else None
        if not isinstance(type_, GraphQLObjectType) or not type_.name.endswith("Payload"):
            yield Departure(coordinate, "a mutation answers `SomePayload!`")
            continue
        errors = type_.fields.get("userErrors")
        if errors is None or str(errors.type) != "[UserError!]!":
            yield Departure(type_.name, "a payload has `userErrors: [UserError!]!`")
        for name, changed in type_.fields.items():
            if isinstance(changed.type, GraphQLNonNull) and is_composite_type(changed.type.of_type):
                yield Departure(
                    f"{type_}.{name}", "a refused mutation changed nothing: the object is nullable"
                )


def _mutations(schema: GraphQLSchema) -> Iterator[tuple[str, GraphQLField]]:
    if schema.mutation_type is not None:
        for name, field in schema.mutation_type.fields.items():
            yield f"{schema.mutation_type}.{name}", field
