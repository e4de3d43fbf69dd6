"""A run of a plan that gives fields of the root object away as soon as they are complete."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from gateway.engine.plan.calls import Occasion
from gateway.engine.plan.run import Arrival, Entries, Run

if TYPE_CHECKING:
    from gateway.engine.plan.plan import Plan

WIDE: Final = 50
"""Values of one position that have to come last, for a field to be worth the trouble."""

Finish: TypeAlias = Callable[[str, Any], Any]
"""Makes of a field of the root object, by its response key and value, what stands for it in the data."""


class AheadRun(Run):
    """Has wide fields of the root object finished one by one, while others of them are awaited.

    Several lists of many objects take more memory than a processor has at hand. Each is written while what
    came last of it still is, and what it took serves the next. It goes for plans with `branches`.
    """

    def __init__(self, plan: "Plan", occasion: Occasion, given: Mapping[str, Any], finish: Finish) -> None:
        super().__init__(plan, occasion, given)
        self._finish = finish

    def _receive(self, arrivals: list[Arrival]) -> None:
        branches = self._plan.branches
        by_branch: defaultdict[str, list[Arrival]] = defaultdict(list)
        for arrival in arrivals:
            by_branch[branches[arrival[0].position.number]].append(arrival)
        for key, arrived in by_branch.items():
            self._take(arrived)
            if any(type(what) is Entries and len(what.targets) >= WIDE for what, _ in arrived):
                self._finish_where_complete(key)

    def _finish_where_complete(self, key: str) -> None:
        # An error is put into its place at the end, which may be anywhere.
        if self._failures is None and not self._awaits(key):
            self._data[key] = self._finish(key, self._data[key])

    def _awaits(self, key: str) -> bool:
        """Whether the field of the root object has anything to wait for."""
        branches = self._plan.branches
        return any(
            column.entries and branches[column.positions[0].number] == key for column in self.columns
        ) or any(branches[what.position.number] == key for what in self._waiting.everything())
