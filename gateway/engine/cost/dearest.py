"""Where most of an operation's cost comes from, in words that help to mend it."""

from dataclasses import dataclass

from gateway.engine.cost.amounts import Results, amount_in
from gateway.engine.cost.documents import Estimate
from gateway.engine.cost.tree import FieldCost, SelectionCost


@dataclass(frozen=True, slots=True)
class Dearest:
    """The longest list on the way to the field that costs most."""

    path: str
    """The names of the answer that lead to the most expensive field, with dots between."""
    list_path: str | None
    """To the field whose argument, or whose own length, multiplies it most; None where nothing does."""
    argument: str | None
    """What says how long the list gets; None where nothing does."""
    items: int | None


@dataclass(frozen=True, slots=True)
class _Long:
    path: tuple[str, ...]
    argument: str | None
    items: float


def dearest(estimate: Estimate) -> Dearest:
    """Follows the most expensive field of each selection."""
    results = estimate.tree.program.run(estimate.values)
    selection: SelectionCost | None = estimate.tree.root
    path: tuple[str, ...] = ()
    longest = _Long((), None, 0.0)
    while selection is not None and (field := _most(selection, results)) is not None:
        path = (*path, field.key)
        if field.size is not None:
            # The later of two that are as long: there it takes least to ask for less.
            longest = max(_long(field, path, results), longest, key=lambda long: long.items)
        selection = field.selection
    return Dearest(
        path=".".join(path),
        list_path=".".join(longest.path) or None,
        argument=longest.argument,
        items=int(longest.items) or None,
    )


def _most(selection: SelectionCost, results: Results) -> FieldCost | None:
    fields = [field for shape in selection.shapes for field in shape.fields]
    return max(fields, key=lambda field: amount_in(results, field.total), default=None)


def _long(field: FieldCost, path: tuple[str, ...], results: Results) -> _Long:
    assert field.size is not None  # noqa: S101 - asked by the caller
    argument = field.size.arguments[0] if field.size.arguments else None
    items = amount_in(results, field.size.items)
    return _Long(path[:-1] if field.sized_above else path, argument, items)
