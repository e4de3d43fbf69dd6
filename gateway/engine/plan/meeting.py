"""Which values are waited for, so that a batch function is asked once for what several branches bring."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from gateway.engine.plan.fields import Batch
from gateway.engine.plan.positions import Position

Columns = Sequence[Sequence[Position]]


def feeders(columns: Columns) -> list[frozenset[int]]:
    """For each column the numbers of the positions that, while their values are awaited, may yet bring
    sources for one of its batch functions to a place as many waits deep.

    What is deeper down is not waited for: a branch of few levels would be kept back by one of many.
    """
    waiting = {position.number for column in columns for position in column}
    above = [{p.number: frozenset(_above(p, waiting)) for p in column} for column in columns]
    kin: defaultdict[tuple[object, int], set[int]] = defaultdict(set)
    for column, found in zip(columns, above, strict=True):
        for position in column:
            if isinstance(position.way, Batch):
                kin[position.way.function, len(found[position.number])] |= found[position.number]
    return [
        frozenset[int]().union(
            *(
                kin[position.way.function, len(found[position.number])]
                for position in column
                if isinstance(position.way, Batch)
            )
        )
        for column, found in zip(columns, above, strict=True)
    ]


def _above(position: Position, waiting: set[int]) -> Iterator[int]:
    """The positions around it whose values have to be waited for."""
    around = position.parent
    while around is not None:
        if around.number in waiting:
            yield around.number
        around = around.parent
