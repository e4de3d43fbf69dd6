"""Faults to seed into how a plan waits, and into what it finishes meanwhile."""

from collections.abc import Sequence
from typing import Any

from graphql import is_leaf_type

from gateway.engine.plan import ahead, calls, run
from gateway.engine.plan.positions import Raised
from gateway.engine.plan.waiting import Waiting
from tests.gateway.engine.plan.seeding import FAULTS, WAITING, Patch, around, fault

__all__ = ["FAULTS"]


@fault("fields of a mutation wait side by side", WAITING)
def _serial(patch: Patch) -> None:
    patch.setattr("gateway.engine.plan.executor.is_serial", lambda *_args: False)


@fault("what a batch function answers is off by one", WAITING)
def _batch(patch: Patch) -> None:
    def answered(original: Any, self: Any, entries: Any, found: Any) -> None:
        rotated = [*found[1:], *found[:1]] if isinstance(found, list) else found
        original(self, entries, rotated)

    around(patch, run.Run, "_answered", answered)


@fault("one exception of a batch is that of all", WAITING)
def _all(patch: Patch) -> None:
    def answered(original: Any, self: Any, entries: Any, found: Any) -> None:
        failed = [one for one in found if isinstance(one, Exception)] if isinstance(found, list) else []
        original(self, entries, failed[:1] * len(found) if failed else found)

    around(patch, run.Run, "_answered", answered)


@fault("what is awaited is not raised but null", WAITING)
def _raised(patch: Patch) -> None:
    def complete(original: Any, self: Any, entries: Any, values: Sequence[Any]) -> None:
        original(self, entries, [None if isinstance(value, Raised) else value for value in values])

    around(patch, run.Run, "_complete", complete)


@fault("an awaitable item is put into the first place of its list", WAITING)
def _put(patch: Patch) -> None:
    def later(original: Any, self: Any, value: Any, position: Any, depth: int, path: Any) -> None:
        original(self, value, position, depth, path._replace(key=0) if isinstance(path.key, int) else path)

    around(patch, run.Run, "_later", later)


@fault("an awaitable is an object", WAITING)
def _awaitable(patch: Patch) -> None:
    def is_awaitable(original: Any, self: Any, value: Any, position: Any, *args: Any) -> bool:
        return is_leaf_type(position.item) and bool(original(self, value, position, *args))

    around(patch, calls.Calls, "_is_awaitable", is_awaitable)


@fault("what a leaf answers is awaited as often as it likes", WAITING)
def _often(patch: Patch) -> None:
    def is_awaitable(_original: Any, self: Any, value: Any, *_args: Any) -> bool:
        return bool(self.executor.is_awaitable(value))

    around(patch, calls.Calls, "_is_awaitable", is_awaitable)


# -- fields of the root object that are finished ahead of the others


@fault("a field is finished while anything of it is awaited", WAITING)
def _awaited(patch: Patch) -> None:
    patch.setattr(ahead.AheadRun, "_awaits", lambda _self, _key: False)


@fault("a field is finished while something of it is to be asked for", WAITING)
def _to_be_asked(patch: Patch) -> None:
    def awaits(original: Any, self: Any, key: str) -> bool:
        columns, self.columns = self.columns, []
        found = bool(original(self, key))
        self.columns = columns
        return found

    around(patch, ahead.AheadRun, "_awaits", awaits)


@fault("a field is finished while something of it was asked for", WAITING)
def _asked(patch: Patch) -> None:
    def awaits(original: Any, self: Any, key: str) -> bool:
        waiting, self._waiting = self._waiting, Waiting()
        found = bool(original(self, key))
        self._waiting = waiting
        return found

    around(patch, ahead.AheadRun, "_awaits", awaits)


@fault("a field is finished before all that has come is in its place", WAITING)
def _one_by_one(patch: Patch) -> None:
    def receive(original: Any, self: Any, arrivals: Sequence[Any]) -> None:
        for arrival in arrivals:
            original(self, [arrival])

    around(patch, ahead.AheadRun, "_receive", receive)


@fault("a field is finished although an error is to be put into it", WAITING)
def _with_errors(patch: Patch) -> None:
    def finish(original: Any, self: Any, key: str) -> None:
        failures, self._failures = self._failures, None
        original(self, key)
        self._failures = failures

    around(patch, ahead.AheadRun, "_finish_where_complete", finish)


@fault("a field is finished in the middle of asking", WAITING)
def _middle(patch: Patch) -> None:
    def take(self: Any, arrivals: Sequence[Any]) -> None:
        run.Run._take(self, arrivals)
        for what, _ in arrivals:
            self._finish_where_complete(self._plan.branches[what.position.number])

    patch.setattr(ahead.AheadRun, "_take", take)
