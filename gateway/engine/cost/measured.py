"""What an answer really cost: the tree of its operation, added up over the objects that came."""

from collections.abc import Iterable
from typing import Any, TypeAlias

from gateway.engine.cost.amounts import Results, amount_in
from gateway.engine.cost.documents import Estimate
from gateway.engine.cost.tree import FieldCost, SelectionCost, Shape

Objects: TypeAlias = list[dict[str, Any]]


def measured(estimate: Estimate, data: Any) -> float:
    """The cost of `data`; of nothing, or of what is no tree of dictionaries, as much as was expected.

    Fields are taken for all objects of a selection at once, so this costs some 50 ns per object. Where an
    object does not tell its type, it counts as the dearest of those that have the fields it has.
    """
    if not isinstance(data, dict) or estimate.tree.fixed:
        return estimate.cost
    results = estimate.tree.program.run(estimate.values)
    total = 0.0
    waiting: list[tuple[SelectionCost, Objects]] = [(estimate.tree.root, [data])]
    while waiting:
        selection, objects = waiting.pop()
        for shape, members in _by_shape(selection, objects, results):
            total += shape.weight * len(members)
            for field in shape.fields:
                total += amount_in(results, field.own) * len(members)
                if field.selection is None and not field.leaf:
                    continue
                found = _answers(field, members)
                if field.selection is None:
                    total += field.leaf * len(found)
                elif found:
                    waiting.append((field.selection, found))
    return total


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
