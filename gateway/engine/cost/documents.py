"""The costs of a document: of each of its operations, for each choice of what they skip and include."""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final

from graphql import (
    DirectiveNode,
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLObjectType,
    Node,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    value_from_ast_untyped,
)

from domain.platform.values import value
from gateway.engine.cost.amounts import Values
from gateway.engine.cost.analysis import Analysis
from gateway.engine.cost.tree import CostTree
from gateway.engine.cost.weights import Weights

KEPT_CHOICES: Final = 16
"""Of one operation. Who tries more pays for an analysis each time, which is cheaper than a new document."""


@value
class Estimate:
    """What one request is expected to cost, and by what tree."""

    cost: float
    tree: CostTree
    values: Values


class OperationCost:
    """One operation, analysed when it first runs."""

    def __init__(
        self,
        weights: Weights,
        operation: OperationDefinitionNode,
        fragments: dict[str, FragmentDefinitionNode],
        conditions: tuple[str, ...],
    ) -> None:
        self._weights = weights
        self._operation = operation
        self._fragments = fragments
        self._conditions = conditions
        self._defaults = {
            definition.variable.name.value: value_from_ast_untyped(definition.default_value)
            for definition in operation.variable_definitions or ()
            if definition.default_value is not None
        }
        self._trees: OrderedDict[tuple[bool, ...], CostTree] = OrderedDict()

    def estimate(self, variables: Values | None) -> Estimate:
        """The most that the operation can cost with these variables, in some µs once it was seen.

        BadInput where a list is left without the size that it insists on.
        """
        values = {**self._defaults, **(variables or {})}
        tree = self._tree(values)
        return Estimate(tree.requested(values), tree, values)

    def _tree(self, values: Values) -> CostTree:
        choice = tuple([values.get(name) is True for name in self._conditions])
        found = self._trees.get(choice)
        if found is None:
            found = self._trees[choice] = self._analyse(dict(zip(self._conditions, choice, strict=True)))
            if len(self._trees) > KEPT_CHOICES:
                self._trees.popitem(last=False)
        return found

    def _analyse(self, conditions: Values) -> CostTree:
        root = self._weights.schema.get_root_type(self._operation.operation)
        assert isinstance(root, GraphQLObjectType)  # noqa: S101 - validated
        return Analysis(self._weights, self._fragments, conditions).tree(root, self._operation.selection_set)


class DocumentCosts:
    """Of a document that was found to be valid."""

    def __init__(self, weights: Weights, document: DocumentNode) -> None:
        self._weights = weights
        self._document = document
        self._operations: dict[str | None, OperationCost] = {}

    def of(self, name: str | None) -> OperationCost:
        """Of the operation with this name, None for one that has none. LookupError where there is none."""
        found = self._operations.get(name)
        if found is None:
            found = self._operations[name] = self._made(name)
        return found

    def _made(self, name: str | None) -> OperationCost:
        definitions = self._document.definitions
        fragments = {
            node.name.value: node for node in definitions if isinstance(node, FragmentDefinitionNode)
        }
        operations = {
            node.name.value if node.name else None: node
            for node in definitions
            if isinstance(node, OperationDefinitionNode)
        }
        return OperationCost(self._weights, operations[name], fragments, _conditions(self._document))


def _conditions(document: DocumentNode) -> tuple[str, ...]:
    """The variables that something is skipped or included by, in alphabetical order."""
    found: set[str] = set()
    for node in _selections(document):
        for directive in node.directives or ():
            found.update(_condition(directive))
    return tuple(sorted(found))


def _selections(document: DocumentNode) -> Iterator[SelectionNode]:
    waiting: list[Node] = list(document.definitions)
    while waiting:
        inner = getattr(waiting.pop(), "selection_set", None)
        if isinstance(inner, SelectionSetNode):
            yield from inner.selections
            waiting.extend(inner.selections)


def _condition(directive: DirectiveNode) -> Iterator[str]:
    if directive.name.value in {"skip", "include"}:
        for argument in directive.arguments or ():
            if isinstance(argument.value, VariableNode):
                yield argument.value.name.value
