"""One execution of a plan: its functions, and the waiting between them."""

import asyncio
from collections.abc import Awaitable, Coroutine, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from graphql import ExecutionResult
from graphql.pyutils import Path

from domain.platform.values import value
from gateway.engine.plan.calls import Calls, Occasion
from gateway.engine.plan.failures import Data, field_path
from gateway.engine.plan.fields import Batch
from gateway.engine.plan.info import LateInfo
from gateway.engine.plan.positions import Chunk, Column, Entry, Position, Raised
from gateway.engine.plan.waiting import Waiting, discard, outcome

if TYPE_CHECKING:
    from gateway.engine.plan.plan import Plan, Root

ROOT: Final = Chunk(None, ())
_NOTHING: Final[Mapping[str, Any]] = {}


class BatchMismatch(Exception):
    """A batch function answered something else than one value for each source."""


@value
class Entries:
    """Entries of a position that get their values together."""

    position: Position
    targets: Sequence[Data]
    origins: Sequence[tuple[Any, ...]]
    batch: bool
    """Whether one awaitable answers all of them."""


@value
class Stray:
    """A value that graphql-core completes."""

    position: Position
    depth: int
    path: Path


Arrival: TypeAlias = tuple[Entries | Stray, Any]
"""What was waited for, and its value."""


class Run(Calls):
    """Executes a plan once."""

    def __init__(self, plan: "Plan", occasion: Occasion, given: Mapping[str, Any] = _NOTHING) -> None:
        """`given` has fields of the root object that are known already."""
        super().__init__(occasion)
        self._given = given
        self.columns = [*map(Column, plan.columns, plan.feeders)]
        self._plan = plan
        self._data: Data = {}
        self._waiting: Waiting[Entries | Stray] = Waiting()

    def execute(self) -> ExecutionResult | Coroutine[Any, Any, ExecutionResult]:
        """The result, or what to await for it where a value has to be waited for."""
        roots = iter(self._plan.roots.items())
        self._advance(roots)
        return self._wait(roots) if self._waiting else self._result()

    def _advance(self, roots: Iterator[tuple[str, "Root"]]) -> None:
        """Goes through the fields of the root object, as far as none has to be waited for before the next."""
        serial, given, data = self._plan.serial, self._given, self._data
        for key, root in roots:
            if key in given:
                data[key] = given[key]
                continue
            root(self, self._occasion.root_value, ROOT, 0, data)
            if serial:
                self._start()
                if self._waiting or self._nothing_left:
                    return
        if self.columns:
            self._start()

    async def _wait(self, roots: Iterator[tuple[str, "Root"]]) -> ExecutionResult:
        """Goes on until nothing is waited for, and nothing comes after it."""
        try:
            while self._waiting:
                await self._settle()
                if self._nothing_left:
                    break
                self._advance(roots)
        finally:
            await self._waiting.close(self._abandon)
        return self._result()

    async def _settle(self) -> None:
        told = 0
        while self._waiting and not self._nothing_left:
            self._receive(await self._waiting.arrivals())
            self._start()
            while self._failures is not None and len(self._failures.collected.errors) != told:
                told = len(self._failures.collected.errors)
                self._waiting.drop(self._is_lost)
                self._start()  # what was to wait for something that was dropped

    def _receive(self, arrivals: list[Arrival]) -> None:
        """Completes what came in one turn of the event loop."""
        self._take(arrivals)

    def _start(self) -> None:
        """Asks for all that the last texts left to wait for; what needs no waiting is completed at once."""
        waits = True
        while waits:
            waits = False
            for column in self.columns:
                if column.entries and not (self._waiting and self._is_fed(column)):
                    waits = True
                    there, column.entries = column.entries, []
                    for position in column.positions:
                        self._start_at(position, there)

    def _is_fed(self, column: Column) -> bool:
        """Whether more may come to it from what is awaited now: then that is asked for together."""
        return any(
            isinstance(what, Entries) and what.position.number in column.feeders
            for what in self._waiting.everything()
        )

    def _start_at(self, position: Position, there: Sequence[Entry]) -> None:
        """Asks for what waits at a position, less what will not be shown."""
        is_batch = isinstance(position.way, Batch)
        if self._failures is not None and self._failures.collected.errors:
            there = self._shown(position, there)
            if not there:
                return
        values, targets, origins = zip(*there, strict=True)
        entries = Entries(position, targets, origins, is_batch)
        if is_batch:
            self._ask(list(values), entries)
        else:
            self._await_each(values, entries)

    def _shown(self, position: Position, there: Sequence[Entry]) -> Sequence[Entry]:
        kept = []
        for entry in there:
            if not self._is_entry_lost(position, entry[2]):
                kept.append(entry)
            elif not isinstance(position.way, Batch):
                discard(entry[0])
        return kept

    def _ask(self, sources: list[Any], entries: Entries) -> None:
        position = entries.position
        way = position.way
        assert isinstance(way, Batch)  # noqa: S101 - the caller looked
        try:
            chunk, *at = entries.origins[0]
            info = LateInfo(self, position, chunk, tuple(at))
            answered = way.function(sources, info, **self.arguments(position))
        except Exception as error:  # noqa: BLE001 - each field's, whatever it is
            answered = Raised(error)
        if hasattr(answered, "__await__"):
            self._waiting.add(answered, entries)
        else:
            self._answered(entries, answered)

    def _await_each(self, values: Sequence[Any], entries: Entries) -> None:
        there: list[tuple[Entries, Any]] = []
        for given, target, origin in zip(values, entries.targets, entries.origins, strict=True):
            entry = Entries(entries.position, [target], [origin], batch=False)
            if isinstance(given, Raised):
                there.append((entry, given))
            elif asyncio.isfuture(given) and given.done():
                there.append((entry, outcome(given)))
            else:
                self._waiting.add(given, entry)
        self._take(there)

    def _take(self, arrivals: Sequence[Arrival]) -> None:
        """Completes what has come; single values of one column together."""
        singles: dict[int, tuple[Position, list[Any], list[Data], list[tuple[Any, ...]]]] = {}
        for what, arrived in arrivals:
            if isinstance(what, Stray):
                self._put(what, arrived)
            elif what.batch:
                self._answered(what, arrived)
            else:
                _, values, targets, origins = singles.setdefault(
                    what.position.number, (what.position, [], [], [])
                )
                values.append(arrived)
                targets.extend(what.targets)
                origins.extend(what.origins)
        for position, values, targets, origins in singles.values():
            self._complete(Entries(position, targets, origins, batch=False), values)

    def _answered(self, entries: Entries, answered: Any) -> None:
        """Completes what a batch function answered."""
        count = len(entries.targets)
        if type(answered) is list and len(answered) == count:  # nearly always
            self._complete(entries, answered)
            return
        if not isinstance(answered, Raised) and (
            not isinstance(answered, Sequence) or len(answered) != count
        ):
            way = entries.position.way
            got = len(answered) if isinstance(answered, Sequence) else type(answered).__name__
            name = getattr(getattr(way, "function", None), "__qualname__", "The batch function")
            answered = Raised(BatchMismatch(f"{name} answered {got} for {count} sources."))
        self._complete(entries, [answered] * count if isinstance(answered, Raised) else answered)

    def _complete(self, entries: Entries, values: Sequence[Any]) -> None:
        chunk = Chunk(entries.position, entries.origins, arrived=True)
        self._plan.blocks[entries.position.number](self, chunk, values, entries.targets)

    def _later(self, value: Awaitable[Any], position: Position, depth: int, path: Path) -> None:
        self._waiting.add(value, Stray(position, depth, path))

    def _abandon(self, awaitable: Awaitable[Any], what: "Entries | Stray") -> None:
        if isinstance(what, Stray):
            # Others that graphql-core made may be inside.
            self.executor.settle_in_background([awaitable])
        else:
            discard(awaitable)

    def _put(self, stray: Stray, value: Any) -> None:
        if isinstance(value, Raised):
            self._recorded(value.error, stray.position, stray.depth, stray.path)
            return
        holder, (*keys, last) = self._within(stray.path.as_list())
        for key in keys:
            holder = holder[key]
        holder[last] = value

    def _within(self, keys: list[str | int]) -> tuple[Any, list[str | int]]:
        """What is being made, and where in that a path leads."""
        return self._data, keys

    def _is_lost(self, what: Entries | Stray) -> bool:
        """Whether nothing of what is waited for will be shown."""
        if isinstance(what, Stray):
            return self._failures is not None and self._failures.is_lost(what.path)
        return all(self._is_entry_lost(what.position, origin) for origin in what.origins)

    def _is_entry_lost(self, position: Position, origin: tuple[Any, ...]) -> bool:
        chunk, *at = origin
        return self._failures is not None and self._failures.is_lost(field_path(position, chunk, tuple(at)))

    @property
    def _nothing_left(self) -> bool:
        return self._failures is not None and self._failures.nothing_left

    def _result(self) -> ExecutionResult:
        if self._executor is None:
            return ExecutionResult(self._data)
        data = self._data if self._failures is None else self._failures.apply(self._data)
        return self._executor.build_response(data)  # type: ignore[return-value]
