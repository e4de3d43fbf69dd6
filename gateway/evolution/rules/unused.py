"""Nothing stands in the schema that nobody can meet."""

from collections.abc import Iterator

from graphql import GraphQLInterfaceType, GraphQLNamedType, GraphQLSchema, GraphQLUnionType, get_named_type

from gateway.evolution.rules.walk import Departure, types


def unused_types(schema: GraphQLSchema) -> Iterator[Departure]:
    """Types that are met from no root, and in no argument of a directive."""
    met: set[str] = set()
    ahead: list[GraphQLNamedType | None] = [schema.query_type, schema.mutation_type, schema.subscription_type]
    ahead += [get_named_type(argument.type) for one in schema.directives for argument in one.args.values()]
    while ahead:
        type_ = ahead.pop()
        if type_ is not None and type_.name not in met:
            met.add(type_.name)
            ahead += _next(type_, schema)
    for type_ in types(schema):
        if type_.name not in met:
            yield Departure(type_.name, "nothing leads to this type")


def _next(type_: GraphQLNamedType, schema: GraphQLSchema) -> Iterator[GraphQLNamedType]:
    # What `_entities` lists is what federation asks for, not what leads there.
    for name, field in getattr(type_, "fields", {}).items():
        if not name.startswith("_"):
            yield get_named_type(field.type)
            yield from (get_named_type(argument.type) for argument in getattr(field, "args", {}).values())
    yield from getattr(type_, "interfaces", ())
    if isinstance(type_, GraphQLInterfaceType | GraphQLUnionType):
        yield from schema.get_possible_types(type_)
