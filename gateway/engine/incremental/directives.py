"""The @defer and @stream of a document: whether a request asks for parts, and the document without them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from graphql import (
    REMOVE,
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    IntValueNode,
    Node,
    NullValueNode,
    OperationDefinitionNode,
    ValueNode,
    VariableNode,
    Visitor,
    value_from_ast_untyped,
    visit,
)

NAMES: Final = frozenset({"defer", "stream"})


@dataclass(frozen=True, slots=True)
class Switch:
    """One of the directives, where an operation meets it."""

    condition: str | None
    """The variable that turns it on; None where it is on in any case."""
    count: DirectiveNode | None
    """Itself, where a variable says how many items come at once."""


class IncrementalDocument:
    """A valid document that has such directives."""

    def __init__(self, document: DocumentNode) -> None:
        self.document = document
        self._defaults: dict[str | None, dict[str, Any]] = {}
        self._switches: dict[str | None, tuple[Switch, ...]] = {}
        fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        for node in document.definitions:
            if isinstance(node, OperationDefinitionNode):
                name = node.name.value if node.name else None
                self._defaults[name] = _defaults(node)
                self._switches[name] = tuple(map(_switch, _met(node, fragments)))

    @staticmethod
    def of(document: DocumentNode, text: str) -> "IncrementalDocument | None":
        """None for a document without them."""
        # Few documents have them, so the search for the characters spares the others the walk.
        if not any(name in text for name in NAMES) or not _directives(document):
            return None
        return IncrementalDocument(document)

    @property
    def mistakes(self) -> list[GraphQLError]:
        """What validation does not see: lists that are to begin with fewer items than none."""
        return [_negative(directive) for directive in _directives(self.document) if _is_negative(directive)]

    @cached_property
    def whole(self) -> DocumentNode:
        """The document that is answered in one piece."""
        without: DocumentNode = visit(self.document, _Without())
        return without

    def asks(self, operation: str | None, variables: Mapping[str, Any] | None) -> bool:
        """Whether anything of the operation is to come later, as far as its text tells."""
        values = self._values(operation, variables)
        return any(
            switch.condition is None or values.get(switch.condition) is not False
            for switch in self._switches[operation]
        )

    def check(self, operation: str | None, variables: Mapping[str, Any] | None) -> None:
        """GraphQLError where a variable asks for fewer items than none."""
        values = self._values(operation, variables)
        for switch in self._switches[operation]:
            if switch.count is not None:
                argument = _argument(switch.count, "initialCount")
                assert isinstance(argument, VariableNode)  # noqa: S101 - `_switch` looked
                given = values.get(argument.name.value, 0)
                # What is no number at all is refused like any other variable of a wrong type.
                if given is None or (isinstance(given, int | float) and given < 0):
                    raise _negative(switch.count)

    def _values(self, operation: str | None, variables: Mapping[str, Any] | None) -> Mapping[str, Any]:
        return {**self._defaults[operation], **(variables or {})}


def _defaults(operation: OperationDefinitionNode) -> dict[str, Any]:
    return {
        definition.variable.name.value: value_from_ast_untyped(definition.default_value)
        for definition in operation.variable_definitions or ()
        if definition.default_value is not None
    }


def _met(
    operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> Iterator[DirectiveNode]:
    """The directives of an operation and of the fragments it spreads, without those that are off."""
    waiting: list[Node] = [operation]
    left = dict(fragments)
    while waiting:
        found = _Found()
        visit(waiting.pop(), found)
        yield from (directive for directive in found.directives if not _is_off(directive))
        waiting.extend(left.pop(name) for name in found.spread if name in left)


def _switch(directive: DirectiveNode) -> Switch:
    condition = _argument(directive, "if")
    count = _argument(directive, "initialCount")
    return Switch(
        condition=condition.name.value if isinstance(condition, VariableNode) else None,
        count=directive if isinstance(count, VariableNode) else None,
    )


def _is_off(directive: DirectiveNode) -> bool:
    condition = _argument(directive, "if")
    return isinstance(condition, BooleanValueNode) and not condition.value


def _is_negative(directive: DirectiveNode) -> bool:
    count = _argument(directive, "initialCount")
    return isinstance(count, NullValueNode) or (isinstance(count, IntValueNode) and int(count.value) < 0)


def _negative(directive: DirectiveNode) -> GraphQLError:
    return GraphQLError("`initialCount` of @stream is 0 or more.", directive)


def _argument(directive: DirectiveNode, name: str) -> ValueNode | None:
    return next(
        (argument.value for argument in directive.arguments or () if argument.name.value == name), None
    )


def _directives(document: DocumentNode) -> list[DirectiveNode]:
    found = _Found()
    visit(document, found)
    return found.directives


class _Found(Visitor):
    """The directives met, and the fragments spread."""

    def __init__(self) -> None:
        super().__init__()
        self.directives: list[DirectiveNode] = []
        self.spread: dict[str, None] = {}

    def enter_directive(self, node: DirectiveNode, *_: object) -> None:
        if node.name.value in NAMES:
            self.directives.append(node)

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: object) -> None:
        self.spread[node.name.value] = None


class _Without(Visitor):
    """Takes them out."""

    def enter_directive(self, node: DirectiveNode, *_: object) -> Any:
        return REMOVE if node.name.value in NAMES else None
