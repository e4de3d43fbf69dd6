"""What an answer really cost: the tree of its operation, added up over the objects that came."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

import orjson

from gateway.engine.cost.amounts import Results, amount_in
from gateway.engine.cost.documents import Estimate
from gateway.engine.cost.tree import FieldCost, SelectionCost, Shape

Objects: TypeAlias = list[dict[str, Any]]
_NOTHING: Final[Mapping[str, float]] = {}


class Counted(NamedTuple):
    """Something of an answer that costs."""

    field: FieldCost | None
    """None for the objects themselves, and for values of scalars and enums."""
    weight: float
    """Of one."""
    times: int


def measured(estimate: Estimate, data: Any, ahead: Mapping[str, float] = _NOTHING) -> float:
    """The cost of `data`; as much as was expected where it is no object, or nothing in it may cost less.

    Where an object does not tell its type, it counts as the dearest of those that have its fields. `ahead`
    has what fields of the root object cost that were written before the others, by response key; whatever
    else is in bytes was worked out for somebody else, and nobody pays for it twice.
    """
    if not isinstance(data, dict) or (estimate.tree.fixed and _written(data) <= ahead.keys()):
        return estimate.cost
    return _added(counted(estimate, data)) + sum(ahead.values())


def of_field(estimate: Estimate, key: str, answer: Any) -> float:
    """What one field of the root object cost, with all that is below it."""
    results, data = estimate.tree.program.run(estimate.values), {key: answer}
    ((shape, roots),) = _by_shape(estimate.tree.root, [data], results)
    return sum(_added(_below(field, roots, results)) for field in shape.fields if field.key == key)


def of_event(estimate: Estimate, data: Any) -> float:
    """What one event of a subscription cost: without the field itself, which is paid for at the start."""
    results = estimate.tree.program.run(estimate.values)
    started = [amount_in(results, field.own) for shape in estimate.tree.root.shapes for field in shape.fields]
    return measured(estimate, data) - sum(started)


def counted(estimate: Estimate, data: dict[str, Any]) -> Iterator[Counted]:
    """Everything in `data` that costs, but for fields of the root object that are in bytes."""
    results = estimate.tree.program.run(estimate.values)
    written = _written(data)
    for shape, roots in _by_shape(estimate.tree.root, [data], results):
        yield Counted(None, shape.weight, len(roots))
        for field in shape.fields:
            if field.key not in written:
                yield from _below(field, roots, results)


def _below(field: FieldCost, members: Objects, results: Results) -> Iterator[Counted]:
    """A field of `members`, and what costs below it; read off all objects of a selection at once."""
    waiting = [(field, members)]
    while waiting:
        field, members = waiting.pop()
        yield Counted(field, amount_in(results, field.own), len(members))
        if field.selection is None and not field.leaf:
            continue
        found = _answers(field, members)
        if field.selection is None:
            yield Counted(None, field.leaf, len(found))
        elif found:
            for shape, those in _by_shape(field.selection, found, results):
                yield Counted(None, shape.weight, len(those))
                waiting.extend((inner, those) for inner in shape.fields)


def _added(counts: Iterable[Counted]) -> float:
    return sum([weight * times for _, weight, times in counts])


def _written(data: dict[str, Any]) -> set[str]:
    """The keys of what is in bytes."""
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
