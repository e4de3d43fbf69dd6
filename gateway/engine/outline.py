"""The fields of each type, as plain names: what can be known of a document before it is parsed."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
)

FieldTypes = Mapping[str, str]
"""The name of the type behind each field of one type."""

NO_FIELDS: FieldTypes = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Outline:
    """The names in a schema."""

    fields: Mapping[str, FieldTypes]
    """Of each type that has any, by its name."""
    roots: Mapping[str, str]
    """The type behind `query`, `mutation` and `subscription`."""

    @classmethod
    def of(cls, schema: GraphQLSchema) -> "Outline":
        roots = {
            kind: root.name
            for kind, root in (
                ("query", schema.query_type),
                ("mutation", schema.mutation_type),
                ("subscription", schema.subscription_type),
            )
            if root is not None
        }
        fields = {}
        for name, type_ in schema.type_map.items():
            if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
                own = {key: get_named_type(field.type).name for key, field in type_.fields.items()}
                fields[name] = own | {"__typename": "String"}
            elif isinstance(type_, GraphQLUnionType):
                fields[name] = {"__typename": "String"}
        if "query" in roots:
            fields[roots["query"]] |= {"__schema": "__Schema", "__type": "__Type"}
        return cls(fields, roots)
