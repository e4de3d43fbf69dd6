"""Which operations ran, and which fields they asked for: counted in memory, written down now and then."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from graphql import (
    DocumentNode,
    ExecutableDefinitionNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_operation_ast,
    visit,
)

from gateway.engine.documents import Prepared
from gateway.engine.execution import Operation
from gateway.engine.kept import Kept

MOST_OPERATIONS: Final = 5_000
_MAX_NAME_CHARACTERS: Final = 100
_KEPT_COORDINATES: Final = 2_000


@dataclass(frozen=True, slots=True, order=True)
class OperationKey:
    """One operation of one document; all that are too many to be told apart are under empty texts."""

    hash: str
    name: str


OTHERS: Final = OperationKey("", "")


@dataclass(slots=True)
class Use:
    """How often an operation ran."""

    prepared: Prepared
    trusted: bool
    count: int = 0


@dataclass(frozen=True, slots=True)
class Tally:
    """What ran since the tally before."""

    operations: Mapping[OperationKey, tuple[int, bool]] = field(default_factory=dict)
    """How often each ran, and whether it was published."""
    coordinates: Mapping[str, int] = field(default_factory=dict)
    """How often each field (`Type.field`) was asked for, by operations run."""


class Usage:
    """Counts what runs, at the cost of one look-up an operation; at most so many different ones at a time."""

    def __init__(self, schema: GraphQLSchema, most: int = MOST_OPERATIONS) -> None:
        self._schema = schema
        self._most = most
        self._uses: dict[tuple[str, str | None], Use] = {}
        self._others = 0
        self._coordinates = Kept[str, frozenset[str]](_KEPT_COORDINATES, _KEPT_COORDINATES, lambda _: 1)

    def count(self, operation: Operation, *, trusted: bool) -> None:
        prepared = operation.prepared
        key = (prepared.id, operation.name)
        use = self._uses.get(key)
        if use is None:
            if len(self._uses) >= self._most:
                self._others += 1
                return
            use = self._uses[key] = Use(prepared, trusted)
        use.count += 1

    def take(self) -> Tally:
        """What was counted, which is then forgotten here."""
        uses, self._uses = self._uses, {}
        others, self._others = self._others, 0
        operations: dict[OperationKey, tuple[int, bool]] = {}
        coordinates: Counter[str] = Counter()
        for (text_hash, name), use in uses.items():
            operations[OperationKey(text_hash, (name or "")[:_MAX_NAME_CHARACTERS])] = (
                use.count,
                use.trusted,
            )
            for coordinate in self._asked_for(use.prepared, name):
                coordinates[coordinate] += use.count
        if others:
            operations[OTHERS] = (others, False)
        return Tally(operations, coordinates)

    def _asked_for(self, prepared: Prepared, name: str | None) -> frozenset[str]:
        key = f"{prepared.id}:{name}"
        found = self._coordinates.get(key)
        if found is None:
            found = coordinates_of(self._schema, prepared.document, name)
            self._coordinates.put(key, found)
        return found


def coordinates_of(schema: GraphQLSchema, document: DocumentNode, name: str | None) -> frozenset[str]:
    """The fields that an operation asks for, each as `Type.field`; those of introspection are left out."""
    types = TypeInfo(schema)
    found = _Fields(types)
    waiting: list[ExecutableDefinitionNode | None] = [get_operation_ast(document, name)]
    fragments = {
        node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
    }
    while waiting:
        node = waiting.pop()
        if node is not None:
            visit(node, TypeInfoVisitor(types, found))
        waiting.extend(fragments.pop(name, None) for name in found.spread & fragments.keys())
    return frozenset(found.coordinates)


class _Fields(Visitor):
    """The fields met, and the fragments spread."""

    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self._types = types
        self.coordinates: set[str] = set()
        self.spread: set[str] = set()

    def enter_field(self, node: FieldNode, *_: object) -> None:
        parent = self._types.get_parent_type()
        if parent is not None and not parent.name.startswith("__") and not node.name.value.startswith("__"):
            self.coordinates.add(f"{parent.name}.{node.name.value}")

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: object) -> None:
        self.spread.add(node.name.value)


def merged(tallies: Iterable[Tally]) -> Tally:
    """Several as if they were one."""
    operations: dict[OperationKey, tuple[int, bool]] = {}
    coordinates: Counter[str] = Counter()
    for tally in tallies:
        coordinates.update(tally.coordinates)
        for key, (count, trusted) in tally.operations.items():
            before, _ = operations.get(key, (0, trusted))
            operations[key] = (before + count, trusted)
    return Tally(operations, coordinates)
