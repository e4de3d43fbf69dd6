"""What an answer really cost: the tree of its operation, added up over the objects that came."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias

import orjson

from gateway.engine.cost.amounts import Results, amount_in
from gateway.engine.cost.documents import Estimate
from gateway.engine.cost.tree import FieldCost, SelectionCost, Shape

Objects: TypeAlias = list[dict[str, Any]]


class Counted(NamedTuple):
    """Something of an answer that costs."""

    field: FieldCost | None
    """None for the objects themselves, and for values of scalars and enums."""
    weight: float
    """Of one."""
    times: int


def measured(estimate: Estimate, data: Any) -> float:
    """The cost of `data`; as much as was expected where it is no object, or nothing in it may cost less.

    Where an object does not tell its type, it counts as the dearest of those that have its fields.
    """
    if not isinstance(data, dict) or (estimate.tree.fixed and not _kept(data)):
        return estimate.cost
    return sum([weight * times for _, weight, times in counted(estimate, data)])


def of_event(estimate: Estimate, data: Any) -> float:
    """What one event of a subscription cost: without the field itself, which is paid for at the start."""
    results = estimate.tree.program.run(estimate.values)
    started = [amount_in(results, field.own) for shape in estimate.tree.root.shapes for field in shape.fields]
    return measured(estimate, data) - sum(started)


def counted(estimate: Estimate, data: dict[str, Any]) -> Iterator[Counted]:
    """Everything in `data` that costs. A field is read off all objects of a selection at once."""
    results = estimate.tree.program.run(estimate.values)
    waiting: list[tuple[SelectionCost, Objects]] = [(estimate.tree.root, [data])]
    kept = _kept(data)
    while waiting:
        selection, objects = waiting.pop()
        for shape, members in _by_shape(selection, objects, results):
            yield Counted(None, shape.weight, len(members))
            for field in shape.fields:
                if kept and selection is estimate.tree.root and field.key in kept:
                    # Nobody pays for it twice.
                    continue
                yield Counted(field, amount_in(results, field.own), len(members))
                if field.selection is None and not field.leaf:
                    continue
                found = _answers(field, members)
                if field.selection is None:
                    yield Counted(None, field.leaf, len(found))
                elif found:
                    waiting.append((field.selection, found))


def _kept(data: dict[str, Any]) -> set[str]:
    """The keys of what was worked out for somebody before."""
    return {key for key, value in data.items() if isinstance(value, orjson.Fragment)}


def _answers(field: FieldCost, members: Objects) -> list[Any]:
    key = field.key
    found = [answer for member in members if (answer := member.get(key)) is not None]
    for _ in range(field.lists):
        found = [item for items in found for item in items if item is not None]
    return found


def _by_shape(
    selection: SelectionCost, objects: Objects, results: Results
) -> Iterable[tuple[Shape, Objects]]:
    shapes = selection.shapes
    if len(shapes) == 1:
        return ((shapes[0], objects),)
    groups: dict[int, Objects] = {}
    for item in objects:
        groups.setdefault(_shape(selection, item, results), []).append(item)
    return [(shapes[place], members) for place, members in groups.items()]


def _shape(selection: SelectionCost, item: dict[str, Any], results: Results) -> int:
    for key in selection.typename_keys:
        for place, shape in enumerate(selection.shapes):
            if item.get(key) in shape.types:
                return place
    keys = item.keys()
    fitting = [place for place, shape in enumerate(selection.shapes) if any(k == keys for k in shape.keys)]
    return max(
        fitting or range(len(selection.shapes)),
        key=lambda place: amount_in(results, selection.shapes[place].total),
    )
