"""From an operation to its cost tree: fields collected as execution would, for every type they can meet.

Each selection is looked at once, whatever number of paths lead to it, so a document whose fragments spread
each other costs what its text costs.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from graphql import (
    ArgumentNode,
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLObjectType,
    InlineFragmentNode,
    ListValueNode,
    Node,
    ObjectValueNode,
    SelectionSetNode,
    Undefined,
    ValueNode,
    VariableNode,
    is_abstract_type,
    value_from_ast_untyped,
)

from domain.platform.errors import BadInput
from gateway.engine.cost.amounts import Amount, Program, Values
from gateway.engine.cost.tree import CostTree, FieldCost, SelectionCost, Shape, Size
from gateway.engine.cost.weights import FieldWeight, InputWeight, ListSize, Weights

MAX_SELECTIONS: Final = 20_000
"""Different selections of one operation; only a document that is woven to has as many."""
_CONDITIONS: Final = frozenset({"skip", "include"})

Sets: TypeAlias = tuple[SelectionSetNode, ...]


@dataclass(frozen=True, slots=True)
class Sized:
    """A size that a field gives to lists below it."""

    size: Size
    fields: tuple[str, ...]


@dataclass(slots=True)
class _Collected:
    fields: dict[str, list[FieldNode]] = field(default_factory=dict)
    typename_keys: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)


class Analysis:
    """Of one operation, for given values of the variables that it skips and includes by."""

    def __init__(
        self, weights: Weights, fragments: Mapping[str, FragmentDefinitionNode], conditions: Values
    ) -> None:
        self._weights = weights
        self._fragments = fragments
        self._conditions = conditions
        self._program = Program()
        self._selections: dict[tuple[Any, ...], SelectionCost] = {}
        self._fields: dict[tuple[Any, ...], FieldCost] = {}
        self._sizes: dict[tuple[int, int], Size] = {}
        self._begun = 0
        self._has_lists = False
        self._insists = False

    def tree(self, root: GraphQLObjectType, selections: SelectionSetNode) -> CostTree:
        """BadInput for a document that is too intricate to be added up."""
        found = self._selection(root, (selections,), None)
        return CostTree(found, self._program, fixed=not self._has_lists, insists=self._insists)

    def _selection(self, of: GraphQLNamedType, sets: Sets, sized: Sized | None) -> SelectionCost:
        # Nodes of one document live as long as the analysis, so their identities are good keys.
        key = (of.name, tuple(map(id, sets)), sized)
        found = self._selections.get(key)
        if found is None:
            self._begun += 1
            if self._begun > MAX_SELECTIONS:
                raise BadInput(
                    "The operation is too intricate for its cost to be added up; use fewer aliases."
                )
            found = self._selections[key] = self._select(of, sets, sized)
        return found

    def _select(self, of: GraphQLNamedType, sets: Sets, sized: Sized | None) -> SelectionCost:
        alike: dict[tuple[Any, ...], list[tuple[str, frozenset[str]]]] = {}
        typename_keys: set[str] = set()
        for concrete in self._weights.possible(of):
            collected = self._collect(concrete, sets)
            typename_keys |= collected.typename_keys
            fields = [self._field(concrete, key, nodes, sized) for key, nodes in collected.fields.items()]
            costing = tuple(found for found in fields if found is not None)
            keys = frozenset(collected.fields) | collected.typename_keys
            alike.setdefault((self._weights.of_type(concrete), costing), []).append((concrete.name, keys))
        shapes = tuple(
            Shape(
                types=frozenset(name for name, _ in members),
                keys=tuple({keys for _, keys in members}),
                weight=weight,
                fields=fields,
                total=self._program.sum([weight, *(found.total for found in fields)]),
            )
            for (weight, fields), members in alike.items()
        )
        total = self._program.most([shape.total for shape in shapes]) if shapes else 0.0
        return SelectionCost(shapes, frozenset(typename_keys), total)

    def _collect(self, concrete: GraphQLObjectType, sets: Sets) -> _Collected:
        collected = _Collected()
        for selections in sets:
            self._collect_into(collected, concrete, selections)
        return collected

    def _collect_into(
        self, collected: _Collected, concrete: GraphQLObjectType, selections: SelectionSetNode
    ) -> None:
        for node in selections.selections:
            if node.directives and not self._included(node.directives):
                continue
            if isinstance(node, FieldNode):
                key = (node.alias or node.name).value
                if node.name.value == "__typename":
                    collected.typename_keys.add(key)
                elif not node.name.value.startswith("__"):
                    collected.fields.setdefault(key, []).append(node)
            elif isinstance(node, InlineFragmentNode):
                if node.type_condition is None or self._applies(node.type_condition.name.value, concrete):
                    self._collect_into(collected, concrete, node.selection_set)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in collected.seen:
                collected.seen.add(node.name.value)
                fragment = self._fragments[node.name.value]
                if self._applies(fragment.type_condition.name.value, concrete):
                    self._collect_into(collected, concrete, fragment.selection_set)

    def _included(self, directives: Iterable[DirectiveNode]) -> bool:
        for directive in directives:
            name = directive.name.value
            if name in _CONDITIONS and directive.arguments:
                value = _reader(directive.arguments[0].value)(self._conditions)
                if (value is True) is (name == "skip"):
                    return False
        return True

    def _applies(self, condition: str, concrete: GraphQLObjectType) -> bool:
        if condition == concrete.name:
            return True
        named = self._weights.schema.type_map[condition]
        return is_abstract_type(named) and self._weights.schema.is_sub_type(named, concrete)

    def _field(
        self, owner: GraphQLObjectType, key: str, nodes: list[FieldNode], sized: Sized | None
    ) -> FieldCost | None:
        """None for a field that costs nothing."""
        name = nodes[0].name.value
        weight = self._weights.of_field(owner, name)
        if weight.free and not any(node.directives for node in nodes):
            return None
        size_above = sized.size if sized is not None and name in sized.fields else None
        memo = (id(weight), key, tuple(map(id, nodes)), size_above)
        found = self._fields.get(memo)
        if found is None:
            found = self._fields[memo] = self._weigh(key, weight, nodes, size_above)
        return None if found.total == 0.0 else found

    def _weigh(
        self, key: str, weight: FieldWeight, nodes: list[FieldNode], size_above: Size | None
    ) -> FieldCost:
        own_size = self._size(weight, nodes[0]) if weight.size is not None else None
        size, sized = size_above, None
        if own_size is not None and weight.size is not None and weight.size.sized:
            sized = Sized(own_size, weight.size.sized)
        else:
            size = size or own_size
        sets = tuple(node.selection_set for node in nodes if node.selection_set)
        selection = self._selection(weight.type, sets, sized) if sets else None
        item: Amount = self._weights.of_type(weight.type) if selection is None else selection.total
        if weight.lists:
            self._has_lists = True
            size = size or Size(float(self._weights.list_size))
            nested = float(self._weights.list_size ** (weight.lists - 1))
            item = self._program.times(self._program.times(size.items, nested), item)
        own = self._own(weight, nodes)
        return FieldCost(
            name=nodes[0].name.value,
            key=key,
            own=own,
            lists=weight.lists,
            size=size if weight.lists else None,
            sized_above=size_above is not None,
            leaf=self._weights.of_type(weight.type) if selection is None else 0.0,
            selection=selection,
            total=self._program.sum([own, item]),
        )

    def _own(self, weight: FieldWeight, nodes: list[FieldNode]) -> Amount:
        """Of the resolver with its arguments and directives, and never less than nothing."""
        given = list(_given(weight.arguments, nodes[0].arguments))
        for directive in (directive for node in nodes for directive in node.directives or ()):
            if directive.name.value not in _CONDITIONS:
                inputs = self._weights.of_directive(directive.name.value)
                given += _given(inputs, directive.arguments)
        known = weight.weight + sum(found for found in given if isinstance(found, float))
        varying = [found for found in given if not isinstance(found, float)]
        if not varying:
            return max(0.0, known)
        return self._program.step(lambda values, _: max(0.0, known + sum([of(values) for of in varying])))

    def _size(self, weight: FieldWeight, node: FieldNode) -> Size:
        # Each call has a size of its own: fields that are written twice have the same arguments.
        key = (id(weight), id(node))
        found = self._sizes.get(key)
        if found is None:
            assert weight.size is not None  # noqa: S101 - asked by the caller
            found = self._sizes[key] = self._read_size(weight.size, weight, node)
        return found

    def _read_size(self, size: ListSize, weight: FieldWeight, node: FieldNode) -> Size:
        assumed = float(self._weights.list_size if size.assumed is None else size.assumed)
        arguments = {argument.name.value: argument.value for argument in node.arguments or ()}
        if size.by_length is not None and size.by_length in arguments:
            return Size(self._length(arguments[size.by_length], assumed), (size.by_length,))
        given = {name: arguments[name] for name in size.slicing if name in arguments}
        defaults = [float(value) for name, value in weight.defaults.items() if name not in given]
        readers = [_reader(value) for value in given.values()]
        told = tuple(given) or size.slicing

        def longest(values: Values) -> float:
            known = [number for read in readers if (number := _number(read(values))) is not None]
            if size.one_required and (len(known) or len(defaults)) != 1:
                raise BadInput(_one_of(size.slicing, node.name.value))
            return max([*known, *defaults], default=assumed)

        if not any(map(_varies, given.values())) and (not size.one_required or len(given) == 1):
            return Size(longest({}), told)
        self._insists = self._insists or size.one_required
        return Size(self._program.step(lambda values, _: longest(values)), told)

    def _length(self, value: ValueNode, assumed: float) -> Amount:
        read = _reader(value)

        def length(values: Values) -> float:
            items = read(values)
            if items is None or items is Undefined:
                return assumed
            # One item stands for a list of one.
            return float(len(items)) if isinstance(items, list) else 1.0

        return self._program.step(lambda values, _: length(values)) if _varies(value) else length({})


def _given(
    inputs: Mapping[str, InputWeight], arguments: Iterable[ArgumentNode] | None
) -> Iterator[float | Callable[[Values], float]]:
    """What each argument adds, or how to know it from the variables."""
    for argument in arguments or ():
        weight = inputs.get(argument.name.value)
        if weight is not None:
            yield _adding(weight, argument.value)


def _adding(weight: InputWeight, value: ValueNode) -> float | Callable[[Values], float]:
    read = _reader(value)
    return (lambda values: weight.of(read(values))) if _varies(value) else weight.of(read({}))


def _reader(value: ValueNode) -> Callable[[Values], Any]:
    """How to get the value as JSON has it; Undefined for a variable that is not given."""
    if isinstance(value, VariableNode):
        name = value.name.value
        return lambda values: values.get(name, Undefined)
    if isinstance(value, ObjectValueNode) and _varies(value):
        entries = [(entry.name.value, _reader(entry.value)) for entry in value.fields]
        return lambda values: {name: read(values) for name, read in entries}
    if isinstance(value, ListValueNode) and _varies(value):
        items = [_reader(item) for item in value.values]
        return lambda values: [read(values) for read in items]
    known = value_from_ast_untyped(value)
    return lambda _: known


def _varies(value: Node) -> bool:
    if isinstance(value, VariableNode):
        return True
    if isinstance(value, ListValueNode):
        return any(map(_varies, value.values))
    return isinstance(value, ObjectValueNode) and any(_varies(entry.value) for entry in value.fields)


def _number(value: Any) -> float | None:
    """As a size; what is none is left to execution, which refuses it."""
    return max(0.0, float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _one_of(arguments: Iterable[str], name: str) -> str:
    named = ", ".join(f"`{argument}`" for argument in arguments)
    return f"Give exactly one of {named} to `{name}`: it says how much is asked for."
