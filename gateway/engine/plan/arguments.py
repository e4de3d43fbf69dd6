"""The arguments of a field, from its document and the variables."""

from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from types import SimpleNamespace
from typing import Any, Final, NamedTuple, TypeAlias
from uuid import UUID

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLNonNull,
    GraphQLSchema,
    VariableNode,
    is_required_argument,
)
from graphql.execution.values import VariableValues, get_argument_values
from strawberry import ID
from strawberry.types.arguments import convert_arguments
from strawberry.types.base import StrawberryOptional
from strawberry.types.unset import UnsetType

from gateway.engine.plan.fields import Batch, Call, Way
from gateway.engine.plan.inputs import Template, probes, template, variables_in
from gateway.engine.plan.leaves import is_plain

_IMMUTABLE: Final = (
    str, int, float, bool, bytes, type(None), Enum, date, time, timedelta, Decimal, UUID, UnsetType,
)  # fmt: skip
_NO_VARIABLES: Final = VariableValues({}, {})
_ABSENT: Final = object()
_PLAIN: Final = frozenset({str, int, float, bool, ID})

Arguments: TypeAlias = dict[str, Any]


class Passed(NamedTuple):
    """A variable that is an argument as it is."""

    name: str
    """Of the argument in Python."""
    variable: str
    may_be_null: bool
    default: Any
    """What the argument is where the variable has no value; `_ABSENT` if it is not given either."""


class ArgumentsOf:
    """The arguments of one field of an operation."""

    def __init__(self, definition: GraphQLField, node: FieldNode, way: Way, schema: GraphQLSchema) -> None:
        self._definition = definition
        self._node = node
        self._field = way.field if isinstance(way, Call | Batch) else None
        owner = getattr(schema, "_strawberry_schema", None)
        self._converter = owner.schema_converter if owner is not None else None
        self.variables: frozenset[str] = frozenset()
        """The names of those that it reads."""
        self.constant: Arguments | None = None
        """What is the same in every execution, and safe to share between calls."""
        self._fixed: Arguments = {}
        self._passed: tuple[Passed, ...] | None = None
        """Where variables are nothing but passed on; then `_fixed` has all other arguments."""
        self._templates: dict[str, Template] = {}
        """Input objects that variables are passed on in."""
        try:
            self._look_ahead()
        except Exception:  # noqa: BLE001 - told at the field itself, whenever it is executed
            self.constant = self._passed = None

    def make(self, variables: VariableValues) -> Arguments:
        """A fresh set; raises what graphql-core and strawberry raise for values that do not fit."""
        if self._passed is not None:
            made = dict(self._fixed)
            coerced = variables.coerced
            for name, variable, may_be_null, default in self._passed:
                value = coerced.get(variable, default)
                if value is None and not may_be_null:
                    break
                if value is not _ABSENT:
                    made[name] = value
            else:
                for name, template_ in self._templates.items():
                    made[name] = template_.make(coerced)
                    if made[name] is None:
                        return self._interpreted(self._definition, variables)
                return made
        return self._interpreted(self._definition, variables)

    def _look_ahead(self) -> None:
        """Finds out what does not depend on variables."""
        nodes = {argument.name.value: argument.value for argument in self._node.arguments or ()}
        read = {name: variables_in(node) for name, node in nodes.items()}
        self.variables = frozenset().union(*read.values())
        reading = {name for name, variables in read.items() if variables}
        if not reading:
            made = self._interpreted(self._definition, _NO_VARIABLES)
            self.constant = made if is_immutable(made) else None
            return
        definitions = self._definition.args
        whole = {name for name in reading if isinstance(nodes[name], VariableNode)}
        if not all(is_plain(_named(definitions[name])) for name in whole):
            return
        templates = [self._template(name, nodes[name], definitions[name]) for name in reading - whole]
        others = {name: arg for name, arg in definitions.items() if name not in reading}
        fixed = self._interpreted(SimpleNamespace(args=others), _NO_VARIABLES)
        passed = [self._pass_on(name, nodes[name], definitions[name]) for name in whole]
        if is_immutable(fixed) and all(passed) and all(templates):
            self._fixed = fixed
            self._templates = dict(one for one in templates if one is not None)
            self._passed = tuple(one for one in passed if one is not None)

    def _pass_on(self, name: str, node: Any, definition: GraphQLArgument) -> Passed | None:
        """None where strawberry would make something else of the value."""
        python_name = definition.out_name or name
        if self._field is not None and self._converter is not None:
            converter = self._converter.config.name_converter
            argument = next(a for a in self._field.arguments if converter.from_argument(a) == name)
            type_ = argument.type.of_type if type(argument.type) is StrawberryOptional else argument.type
            if type_ not in _PLAIN:
                return None
            python_name = argument.python_name
        default: Any = None
        if not is_required_argument(definition):
            alone: Any = SimpleNamespace(args={name: definition})
            made = get_argument_values(alone, FieldNode(name=self._node.name, arguments=()), _NO_VARIABLES)
            default = next(iter(made.values()), _ABSENT)
        may_be_null = not isinstance(definition.type, GraphQLNonNull)
        return Passed(python_name, node.name.value, may_be_null, default)

    def _template(self, name: str, node: Any, definition: GraphQLArgument) -> tuple[str, Template] | None:
        """By the argument's name in Python; None where there is more to do than to pass values on."""
        given = probes(definition.type, node)
        if given is None:
            return None
        alone = SimpleNamespace(args={name: definition})
        [(python_name, made)] = self._interpreted(alone, VariableValues({}, given)).items()
        found = template(made, given, _is_immutable)
        return None if found is None else (python_name, found)

    def _interpreted(self, definition: Any, variables: VariableValues) -> Arguments:
        values = get_argument_values(definition, self._node, variables)
        if self._field is None or self._converter is None:
            return values
        return convert_arguments(
            values,
            self._field.arguments,
            scalar_registry=self._converter.scalar_registry,
            config=self._converter.config,
        )


def is_immutable(arguments: Arguments) -> bool:
    return all(map(_is_immutable, arguments.values()))


def _is_immutable(value: Any) -> bool:
    return isinstance(value, _IMMUTABLE)


def _named(argument: GraphQLArgument) -> Any:
    type_ = argument.type
    return type_.of_type if isinstance(type_, GraphQLNonNull) else type_
