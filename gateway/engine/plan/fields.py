"""How a field gets its value: the least that gives what strawberry's own resolver would give."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from keyword import iskeyword
from typing import Any, Final, TypeAlias

from graphql import GraphQLField, GraphQLSchema
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.base import StrawberryContainer, get_object_definition
from strawberry.types.field import StrawberryField
from strawberry.types.info import Info
from strawberry.types.lazy_type import LazyType

BATCH: Final = "__batch__"
"""The attribute of a resolver that holds its batch function."""
_MADE_BY: Final = "GraphQLCoreConverter.from_resolver.<locals>."


@dataclass(frozen=True, slots=True)
class Attribute:
    """A field without a resolver: `getattr(source, name)`."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A resolver that nothing is wrapped around, called as strawberry would call it."""

    function: Callable[..., Any]
    field: StrawberryField
    source_first: bool
    """Whether the source is the first positional argument."""
    source_names: tuple[str, ...]
    """Keyword arguments that take the source."""
    info_name: str | None
    is_async: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """`function(sources, info, **arguments)` answers a value for each source, in their order."""

    function: Callable[..., Any]
    field: StrawberryField


@dataclass(frozen=True, slots=True)
class Resolve:
    """Whatever graphql-core would call: for extensions, permissions, introspection, another library."""

    function: Callable[..., Any] | None
    """None for the executor's default resolver."""
    is_async: bool


Way: TypeAlias = Attribute | Call | Batch | Resolve


def way_of(field: GraphQLField, schema: GraphQLSchema) -> Way:
    """The shortest way to the value of `field` that cannot be told from strawberry's own."""
    strawberry_schema = getattr(schema, "_strawberry_schema", None)
    known = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    resolve = field.resolve
    if (
        strawberry_schema is None
        or resolve is None
        or not isinstance(known, StrawberryField)
        or type(known).get_result is not StrawberryField.get_result
        or not getattr(resolve, "__qualname__", "").startswith(_MADE_BY)
    ):
        return Resolve(resolve, inspect.iscoroutinefunction(resolve))
    config = strawberry_schema.config
    if known.is_basic_field and resolve.__name__ == "_get_basic_result":
        if config.default_resolver is getattr and known.python_name.isidentifier():
            return Attribute(known.python_name)
    elif (
        known.base_resolver is not None
        and not known.extensions
        and not strawberry_schema.exception_handlers
        and config.info_class is Info
        and not any(_builds_itself(argument.type, set()) for argument in known.arguments)
    ):
        return _call(known)
    return Resolve(resolve, inspect.iscoroutinefunction(resolve))


def _call(field: StrawberryField) -> Call | Batch:
    resolver = field.base_resolver
    assert resolver is not None  # noqa: S101 - the caller looked
    info = resolver.info_parameter
    named = [
        parameter.name for parameter in (resolver.parent_parameter, resolver.root_parameter) if parameter
    ]
    function: Any = resolver.wrapped_func
    batch = getattr(function, BATCH, None)
    if batch is not None:
        return Batch(batch, field)
    return Call(
        function=function,
        field=field,
        source_first=resolver.self_parameter is not None,
        source_names=tuple(named),
        info_name=info.name if info else None,
        is_async=inspect.iscoroutinefunction(function),
    )


def _builds_itself(type_: Any, seen: set[Any]) -> bool:
    """Whether an input type, or one within it, has a hook that builds its value and may ask for the info."""
    while isinstance(type_, StrawberryContainer | LazyType):
        type_ = type_.of_type if isinstance(type_, StrawberryContainer) else type_.resolve_type()
    definition = get_object_definition(type_)
    if definition is None or definition.origin in seen:
        return False
    seen.add(definition.origin)
    return definition.from_input is not None or any(_builds_itself(f.type, seen) for f in definition.fields)


def usable(name: str) -> bool:
    """Whether `source.name` can be written."""
    return name.isidentifier() and not iskeyword(name)
