"""One execution of a plan: its functions, and the waiting between them."""

import asyncio
from collections.abc import Awaitable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from graphql import ExecutionResult
from graphql.pyutils import Path

from gateway.engine.plan.calls import Calls, Occasion
from gateway.engine.plan.failures import Data, field_path
from gateway.engine.plan.fields import Batch
from gateway.engine.plan.info import LateInfo
from gateway.engine.plan.positions import Chunk, Column, Position, Raised
from gateway.engine.plan.waiting import Waiting, discard, outcome

if TYPE_CHECKING:
    from gateway.engine.plan.plan import Plan, Root

ROOT: Final = Chunk(None, ())
_NOTHING: Final[Mapping[str, Any]] = {}


class BatchMismatch(Exception):
    """A batch function answered something else than one value for each source."""


@dataclass(frozen=True, slots=True)
class Entries:
    """Entries of a column that get their values together."""

    column: int
    targets: list[Data]
    origins: list[tuple[Any, ...]]
    batch: bool
    """Whether one awaitable answers all of them."""


@dataclass(frozen=True, slots=True)
class Stray:
    """A value that graphql-core completes."""

    position: Position
    depth: int
    path: Path


class Run(Calls):
    """Executes a plan once."""

    def __init__(self, plan: "Plan", occasion: Occasion, given: Mapping[str, Any] = _NOTHING) -> None:
        """`given` has fields of the root object that are known already."""
        super().__init__(occasion)
        self._given = given
        self.columns = [Column(position) for position in plan.columns]
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
            self._take(await self._waiting.arrivals())
            self._start()
            if self._failures is not None and len(self._failures.collected.errors) != told:
                told = len(self._failures.collected.errors)
                self._waiting.drop(self._is_lost)

    def _start(self) -> None:
        """Asks for all that the last texts left to wait for; what needs no waiting is completed at once."""
        waits = True
        while waits:
            waits = False
            for number, column in enumerate(self.columns):
                if column.targets:
                    waits = True
                    values, entries = self._taken(number, column)
                    if isinstance(column.position.way, Batch):
                        self._ask(column.position, values, entries)
                    else:
                        self._await_each(values, entries)

    def _taken(self, number: int, column: Column) -> tuple[list[Any], Entries]:
        """What stands in a column, less what will not be shown."""
        is_batch = isinstance(column.position.way, Batch)
        values, entries = column.values, Entries(number, column.targets, column.origins, is_batch)
        column.clear()
        if self._failures is None or not self._failures.collected.errors:
            return values, entries
        kept, targets, origins = [], [], []
        for value, target, origin in zip(values, entries.targets, entries.origins, strict=True):
            if not self._is_entry_lost(column.position, origin):
                kept.append(value)
                targets.append(target)
                origins.append(origin)
            elif not is_batch:
                discard(value)
        return kept, Entries(number, targets, origins, is_batch)

    def _ask(self, position: Position, sources: list[Any], entries: Entries) -> None:
        way = position.way
        assert isinstance(way, Batch)  # noqa: S101 - the caller looked
        if not sources:
            return
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

    def _await_each(self, values: list[Any], entries: Entries) -> None:
        there: list[tuple[Entries, Any]] = []
        for value, target, origin in zip(values, entries.targets, entries.origins, strict=True):
            entry = Entries(entries.column, [target], [origin], batch=False)
            if isinstance(value, Raised):
                there.append((entry, value))
            elif asyncio.isfuture(value) and value.done():
                there.append((entry, outcome(value)))
            else:
                self._waiting.add(value, entry)
        self._take(there)

    def _take(self, arrivals: Sequence[tuple[Entries | Stray, Any]]) -> None:
        """Completes what has come; single values of one column together."""
        singles: dict[int, tuple[Entries, list[Any]]] = {}
        for what, value in arrivals:
            if isinstance(what, Stray):
                self._put(what, value)
            elif what.batch:
                self._answered(what, value)
            else:
                entries, values = singles.setdefault(
                    what.column, (Entries(what.column, [], [], batch=False), [])
                )
                entries.targets.extend(what.targets)
                entries.origins.extend(what.origins)
                values.append(value)
        for entries, values in singles.values():
            self._complete(entries, values)

    def _answered(self, entries: Entries, answered: Any) -> None:
        """Completes what a batch function answered."""
        count = len(entries.targets)
        if not isinstance(answered, Raised) and (
            not isinstance(answered, Sequence) or len(answered) != count
        ):
            way = self.columns[entries.column].position.way
            got = len(answered) if isinstance(answered, Sequence) else type(answered).__name__
            name = getattr(getattr(way, "function", None), "__qualname__", "The batch function")
            answered = Raised(BatchMismatch(f"{name} answered {got} for {count} sources."))
        self._complete(entries, [answered] * count if isinstance(answered, Raised) else answered)

    def _complete(self, entries: Entries, values: Sequence[Any]) -> None:
        chunk = Chunk(self.columns[entries.column].position, entries.origins, arrived=True)
        self._plan.blocks[entries.column](self, chunk, values, entries.targets)

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
        position = self.columns[what.column].position
        return all(self._is_entry_lost(position, origin) for origin in what.origins)

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
