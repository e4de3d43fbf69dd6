"""What a schema says of its costs, by the directives @cost and @listSize.

They mean what https://ibm.github.io/graphql-specs/cost-spec.html says. A schema built from text has them in
its syntax tree, one built by strawberry in the definitions behind its types; both are read.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    Undefined,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    value_from_ast_untyped,
)
from graphql.utilities.coerce_input_value import coerce_default_value
from strawberry.types.unset import UNSET
from strawberry.utils.str_converters import to_camel_case

COMPOSITE: Final = 1.0
"""What an object, a field that answers one, and an input object weigh where nothing else is said."""
SIZED_BY: Final = "sizedBy"
"""Metadata of a strawberry field: the list argument whose length is the length of the answer."""
_BEHIND: Final = "strawberry-definition"


@dataclass(frozen=True, slots=True)
class ListSize:
    """How long a list gets."""

    assumed: int | None = None
    slicing: tuple[str, ...] = ()
    """Arguments that say how long."""
    sized: tuple[str, ...] = ()
    """The lists below the field that are as long; the field's own answer where there are none."""
    one_required: bool = False
    """Whether exactly one of `slicing` has to be given."""
    by_length: str | None = None
    """A list argument that is as long as the answer."""


@dataclass(frozen=True, slots=True, eq=False)
class InputWeight:
    """What an argument or an input field adds where it is used."""

    own: float
    fields: "Mapping[str, InputWeight] | None"
    """Those of its input object that can add something; None where it takes no object."""

    def of(self, value: Any) -> float:
        """For a value as JSON has it; nothing for null and for what was left open."""
        if value is None or value is Undefined:
            return 0.0
        total = self.own
        if self.fields:
            for item in value if isinstance(value, list) else (value,):
                if isinstance(item, Mapping):
                    total += sum(self.fields[name].of(item[name]) for name in item if name in self.fields)
        return total


@dataclass(frozen=True, slots=True, eq=False)
class FieldWeight:
    """One field of one object type; fields that weigh alike in every respect are one and the same object."""

    weight: float
    type: GraphQLNamedType
    lists: int
    """How many lists the answer is nested in."""
    size: ListSize | None
    arguments: Mapping[str, InputWeight]
    """Those that can add something."""
    defaults: Mapping[str, int]
    """Of the slicing arguments."""
    free: bool
    """Whether there is nothing to know of it: no weight, and no list that insists on its size."""


@dataclass(slots=True)
class Weights:
    """The weights of a schema, read when first asked for."""

    schema: GraphQLSchema
    list_size: int = 10
    """Of lists of which nothing is said. The specification would have them endless, and then useless."""
    _types: dict[str, float] = field(default_factory=dict)
    _fields: dict[tuple[str, str], FieldWeight] = field(default_factory=dict)
    _alike: dict[tuple[Any, ...], FieldWeight] = field(default_factory=dict)
    _inputs: dict[str, dict[str, InputWeight]] = field(default_factory=dict)

    def of_type(self, named: GraphQLNamedType) -> float:
        """Of one object, or of one value of a scalar or enum."""
        found = self._types.get(named.name)
        if found is None:
            default = 0.0 if is_leaf_type(named) else COMPOSITE
            found = self._types[named.name] = _weight(named, default)
        return found

    def of_field(self, owner: GraphQLObjectType, name: str) -> FieldWeight:
        """KeyError for a field that the type lacks."""
        found = self._fields.get((owner.name, name))
        if found is None:
            found = self._fields[owner.name, name] = self._read(owner.fields[name])
        return found

    def of_directive(self, name: str) -> Mapping[str, InputWeight]:
        """The arguments of a directive that can add something."""
        directive = self.schema.get_directive(name)
        return {} if directive is None else self._weighing(directive.args)

    def possible(self, named: GraphQLNamedType) -> Iterable[GraphQLObjectType]:
        if isinstance(named, GraphQLObjectType):
            return (named,)
        return self.schema.get_possible_types(named) if is_abstract_type(named) else ()

    def _read(self, shown: GraphQLField) -> FieldWeight:
        named = get_named_type(shown.type)
        weight = _weight(shown, 0.0 if is_leaf_type(named) else COMPOSITE)
        size = _list_size(shown)
        arguments = self._weighing(shown.args)
        defaults = {
            name: default
            for name in (size.slicing if size else ())
            if name in shown.args and isinstance(default := coerce_default_value(shown.args[name]), int)
        }
        key = (weight, named.name, _lists(shown.type), size, *_listed(arguments), *sorted(defaults.items()))
        insists = size is not None and size.one_required
        free = is_leaf_type(named) and not (weight or self.of_type(named) or arguments or insists)
        made = FieldWeight(weight, named, _lists(shown.type), size, arguments, defaults, free)
        return self._alike.setdefault(key, made)

    def _weighing(
        self, inputs: Mapping[str, GraphQLArgument] | Mapping[str, GraphQLInputField]
    ) -> dict[str, InputWeight]:
        found = {name: self._input(given) for name, given in inputs.items()}
        return {name: weight for name, weight in found.items() if weight.own or weight.fields is not None}

    def _input(self, given: GraphQLArgument | GraphQLInputField) -> InputWeight:
        named = get_named_type(given.type)
        if not isinstance(named, GraphQLInputObjectType):
            return InputWeight(_weight(given, 0.0), None)
        fields = self._inputs.get(named.name)
        if fields is None:
            # Known before it is full, as an input object may hold itself.
            fields = self._inputs[named.name] = {}
            fields |= self._weighing(named.fields)
        return InputWeight(_weight(given, COMPOSITE), fields)


def _weight(definition: Any, default: float) -> float:
    """The text of a number by IBM's specification, a whole number by Apollo's."""
    found = _applied(definition, "cost")
    return default if found is None else float(found["weight"])


def _list_size(shown: GraphQLField) -> ListSize | None:
    found = _applied(shown, "listSize")
    by_length = getattr(shown.extensions.get(_BEHIND), "metadata", {}).get(SIZED_BY)
    if found is None and by_length is None:
        return None
    found = found or {}
    slicing = tuple(found.get("slicingArguments") or ())
    return ListSize(
        found.get("assumedSize"),
        slicing,
        tuple(found.get("sizedFields") or ()),
        one_required=bool(slicing) and found.get("requireOneSlicingArgument", True) is not False,
        by_length=by_length,
    )


def _applied(definition: Any, name: str) -> Mapping[str, Any] | None:
    """The arguments of the directive of this name on a definition; nothing where it has none."""
    node = definition.ast_node
    for applied in (node.directives or ()) if node else ():
        if applied.name.value == name:
            return {
                argument.name.value: value_from_ast_untyped(argument.value) for argument in applied.arguments
            }
    behind = definition.extensions.get(_BEHIND)
    for applied in getattr(behind, "directives", None) or ():
        directive = type(applied).__strawberry_directive__
        if directive.graphql_name == name:
            return {
                shown.graphql_name or to_camel_case(shown.python_name): value
                for shown in directive.fields
                if (value := getattr(applied, shown.python_name)) is not UNSET
            }
    return None


def _lists(type_: Any) -> int:
    depth = 0
    while is_list_type(type_ := get_nullable_type(type_)):
        depth += 1
        type_ = type_.of_type
    return depth


def _listed(arguments: Mapping[str, InputWeight]) -> list[tuple[str, float, int]]:
    return [(name, weight.own, id(weight.fields)) for name, weight in sorted(arguments.items())]
