"""The selection sets of an operation: their fields by type, and which types are answered alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Any

from graphql import GraphQLObjectType, is_abstract_type
from graphql.execution.collect_fields import FieldDetailsList
from graphql.execution.executor import Executor

from gateway.engine.plan.cuts import MARK, Cuts
from gateway.engine.plan.facts import Facts
from gateway.engine.plan.fallback import Fallback, Unplannable
from gateway.engine.plan.fields import Attribute, Batch, Call, Resolve, Way
from gateway.engine.plan.positions import Position

Grouped = Mapping[str, FieldDetailsList]


@dataclass(frozen=True, slots=True)
class Body:
    """A selection set on one type, or on several whose fields are answered alike."""

    types: Sequence[GraphQLObjectType]
    fields: Grouped


@dataclass(frozen=True, slots=True)
class Bodies:
    """The selection sets of objects of several types: what all of them begin with, then each group's own."""

    common: Body
    rest: Sequence[Body]


class Selections:
    """Those of one operation; `wrapped` where middleware is around every resolver."""

    def __init__(self, executor: Executor[Any], *, wrapped: bool, cuts: Cuts | None = None) -> None:
        self._executor = executor
        self._cuts = cuts
        self._wrapped = wrapped
        self._facts = Facts.of(executor.schema)

    def way(self, definition: Any) -> Way:
        way = self._facts.way(definition)
        if self._wrapped and not isinstance(way, Resolve):
            return Resolve(definition.resolve, is_async=False)
        return way

    def bodies(self, position: Position) -> Bodies:
        """The selection sets of a position, by the types its objects may have."""
        schema, type_ = self._executor.schema, position.item
        possible = list(schema.get_possible_types(type_)) if is_abstract_type(type_) else [type_]
        position.by_class = all(map(_decided_by_class, [type_, *possible]))
        fields = {type_: self._collect(type_, position.details) for type_ in possible}
        signatures: dict[Any, list[GraphQLObjectType]] = {}
        for type_ in possible:
            alike = self._signature(type_, fields[type_]) if position.by_class else (type_.name,)
            signatures.setdefault(alike, []).append(type_)
        shared = _length_of_common_start(list(signatures)) if position.by_class else 0
        for number, types in enumerate(signatures.values()):
            position.groups.update({type_.name: number for type_ in types})
        rest = [
            Body(types, dict(islice(fields[types[0]].items(), shared, None))) for types in signatures.values()
        ]
        start = dict(islice(fields[possible[0]].items(), shared)) if shared else {}
        return Bodies(Body(possible, start), rest)

    def _collect(self, type_: GraphQLObjectType, details: FieldDetailsList) -> Grouped:
        collected = self._executor.collect_subfields(type_, details)
        if self._cuts is not None:
            return self._cuts.split(type_, collected)
        if collected.new_defer_usages:
            raise Unplannable(Fallback.DEFER)
        return collected.grouped_field_set

    def _signature(self, type_: GraphQLObjectType, fields: Grouped) -> Any:
        """Equal for types whose fields are answered by the same text."""
        return tuple(self._alike(type_, key, details) for key, details in fields.items())

    def _alike(self, type_: GraphQLObjectType, key: str, details: FieldDetailsList) -> Any:
        name = details[0].node.name.value
        nodes = tuple(id(detail.node) for detail in details)
        if name == "__typename":
            return key, name, nodes
        if name == MARK:
            return key, type_.name, nodes
        definition = self._executor.schema.get_field(type_, name)
        if definition is None:
            raise Unplannable(Fallback.UNKNOWN_FIELD)
        match self.way(definition):
            case Attribute(attribute):
                answered: Any = attribute
            case Call(function=function) | Batch(function=function):
                answered = id(function)
            case _:
                answered = type_.name
        return key, nodes, self._facts.type(definition), answered


def _length_of_common_start(sequences: Sequence[Sequence[Any]]) -> int:
    return sum(1 for _ in takewhile(lambda row: len(set(row)) == 1, zip(*sequences, strict=False)))


def _decided_by_class(type_: Any) -> bool:
    """Whether an object's class alone decides its type: functions that look at nothing else say so."""
    asked = type_.resolve_type if is_abstract_type(type_) else type_.is_type_of
    if asked is None:
        return not is_abstract_type(type_)
    return bool(getattr(asked, "by_class", False))
