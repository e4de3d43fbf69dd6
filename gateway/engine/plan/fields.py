"""How a field gets its value: the least that gives what strawberry's own resolver would give."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from keyword import iskeyword
from typing import Any, Final, TypeAlias
from uuid import UUID

from graphql import FieldNode, GraphQLField, GraphQLSchema, VariableNode, Visitor, visit
from graphql.execution.values import VariableValues, get_argument_values
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.arguments import convert_arguments
from strawberry.types.base import StrawberryContainer, get_object_definition
from strawberry.types.field import StrawberryField
from strawberry.types.info import Info
from strawberry.types.lazy_type import LazyType
from strawberry.types.unset import UnsetType

BATCH: Final = "__batch__"
"""The attribute of a resolver that holds its batch function."""
_MADE_BY: Final = "GraphQLCoreConverter.from_resolver.<locals>."
_IMMUTABLE: Final = (
    str, int, float, bool, bytes, type(None), Enum, date, time, timedelta, Decimal, UUID, UnsetType,
)  # fmt: skip

Arguments: TypeAlias = dict[str, Any]


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
    """A function of many sources: `function(sources, **arguments)` answers a value for each, in order."""

    function: Callable[..., Any]
    field: StrawberryField
    info_name: str | None


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
        return Batch(batch, field, info.name if info else None)
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


class ArgumentsOf:
    """The arguments of one field of an operation: made once where they cannot be changed, else each time."""

    __slots__ = ("_converts", "_definition", "_field", "_node", "constant", "reads_variables")

    def __init__(self, definition: GraphQLField, node: FieldNode, way: Way) -> None:
        self._definition = definition
        self._node = node
        self._field = way.field if isinstance(way, Call | Batch) else None
        self._converts: Mapping[str, Any] | None = None
        self.reads_variables = _reads_variables(node)
        self.constant: Arguments | None = None
        """What is the same in every execution and safe to share between calls."""

    def prepare(self, schema: GraphQLSchema) -> "ArgumentsOf":
        owner = getattr(schema, "_strawberry_schema", None)
        if self._field is not None and owner is not None:
            converter = owner.schema_converter
            self._converts = {"scalar_registry": converter.scalar_registry, "config": converter.config}
        if not self.reads_variables:
            try:
                made = self.make(VariableValues({}, {}), hide_suggestions=False)
            except Exception:  # noqa: BLE001 - told at the field itself, whenever it is executed
                self.reads_variables = True
            else:
                self.constant = made if is_immutable(made) else None
        return self

    def make(self, variables: VariableValues, *, hide_suggestions: bool) -> Arguments:
        """A fresh set; raises what graphql-core and strawberry raise for values that do not fit."""
        if not self._definition.args:
            return {}
        values = get_argument_values(
            self._definition, self._node, variables, hide_suggestions=hide_suggestions
        )
        if self._converts is None or self._field is None:
            return values
        return convert_arguments(values, self._field.arguments, **self._converts)


def is_immutable(arguments: Arguments) -> bool:
    return all(isinstance(value, _IMMUTABLE) for value in arguments.values())


def usable(name: str) -> bool:
    """Whether `source.name` can be written."""
    return name.isidentifier() and not iskeyword(name)


class _Variables(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.found = False

    def enter_variable(self, _node: VariableNode, *_args: Any) -> None:
        self.found = True


def _reads_variables(node: FieldNode) -> bool:
    seen = _Variables()
    for argument in node.arguments or ():
        visit(argument, seen)
    return seen.found
