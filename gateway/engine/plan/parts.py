"""Runs of a plan that is cut: the first leaves what was cut off, each of the others completes some of it."""

from abc import abstractmethod
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

from graphql import ExecutionResult, GraphQLError
from graphql.execution.executor import CollectedErrors
from graphql.pyutils import Path

from gateway.engine.plan.calls import Occasion
from gateway.engine.plan.cuts import Cut, Cuts, streamed
from gateway.engine.plan.failures import Data, Failures, holder_path, null_at, path_of
from gateway.engine.plan.plan import Plan
from gateway.engine.plan.positions import At, Chunk, Position
from gateway.engine.plan.run import Entries, Run

ITEMS_AT_ONCE: Final = 25
"""Of a list: enough to be worth asking for together, and few enough to be shown before the next."""

Keys: TypeAlias = tuple[str | int, ...]
MayWait: TypeAlias = Callable[[int], bool]
"""Whether so many more objects or lists may be completed later."""


@dataclass(slots=True)
class Fragment:
    """A deferred fragment on some objects."""

    position: Position
    """The mark in its place."""
    cut: Cut
    sources: list[Any] = field(default_factory=list)
    paths: list[Path | None] = field(default_factory=list)
    """Of the objects."""


@dataclass(slots=True)
class Rest:
    """Items of a list that come later."""

    label: str | None
    chunk: Chunk
    entry: int
    """Of the list, in its chunk."""
    path: Path
    items: Sequence[Any]
    first: int
    """The index of the first of them."""

    def after(self) -> "Rest":
        """What comes after the next of them."""
        return replace(self, items=self.items[ITEMS_AT_ONCE:], first=self.first + ITEMS_AT_ONCE)


@dataclass(slots=True)
class Done:
    """What became of a fragment on one object, or of the rest of one list."""

    value: Any
    """An object or items: none where there was an error in each."""
    errors: list[GraphQLError] = field(default_factory=list)
    """Of what is there."""
    lost: GraphQLError | None = None
    """Why the object is not there, or why there are no more items."""


class PartFailures(Failures):
    """Nulls end at the object of the fragment, or at the item of the list, that is being completed."""

    __slots__ = ("_body", "_is_item", "_list", "lost")

    def __init__(self, collected: CollectedErrors, body: Cut | None, list_: Position | None) -> None:
        super().__init__(collected)
        self._body = body
        self._list = list_
        self._is_item = False
        self.lost: list[tuple[Keys, GraphQLError]] = []
        """Of objects and items that must not be null, and what error left them so."""

    def record(self, error: Exception, position: Position, depth: int, path: Path) -> Path | None:
        self._is_item = False
        told = len(self.collected.errors)
        null = super().record(error, position, depth, path)
        if len(self.collected.errors) > told:
            self._note(null, self.collected.errors[-1])
        return null

    def _note(self, null: Path | None, error: GraphQLError) -> None:
        if self._is_item or self._body is not None:
            self.lost.append((keys_of(null), error))

    def _ends_at(self, place: Position, depth: int) -> bool:
        self._is_item = place is self._list and depth == 1
        return self._is_item

    def _around(self, place: Position | Cut) -> Position | None:
        if place.parent is not None or place.cut is None or place.cut is self._body:
            return place.parent
        # This fragment was completed with what is around it.
        return self._around(place.cut)


class PartRun(Run):
    """The first run of a plan. What is cut off collects, or is completed at once where it may not wait."""

    def __init__(self, plan: Plan, cuts: Cuts, occasion: Occasion, may_wait: MayWait) -> None:
        super().__init__(plan, occasion)
        self.plan = plan
        self.occasion = occasion
        self.may_wait = may_wait
        self.fragments: dict[int, Fragment] = {}
        """By the number of their mark."""
        self.rests: dict[int, tuple[Position, list[Rest]]] = {}
        """By the number of the list's position."""
        self.cuts = cuts
        self._body: Cut | None = None
        self._list: Position | None = None

    def is_null(self, path: Path | None) -> bool:
        """Whether an error left null what is there, or what is around it."""
        return self._failures is not None and self._failures.is_lost(path)

    def begin(self, position: Position, items: Sequence[Any], chunk: Chunk, at: At) -> Sequence[Any]:
        """The items of a list that come at once."""
        stream = streamed(position.details, self.occasion.variables)
        count = int(stream["initialCount"]) if stream is not None else len(items)
        if stream is None or len(items) <= count or not self.may_wait(1):
            return items
        path = path_of(position, 0, chunk, at)
        assert path is not None  # noqa: S101 - a field has a path
        rest = Rest(stream.get("label"), chunk, at[0], path, items[count:], count)
        self.rests.setdefault(position.number, (position, []))[1].append(rest)
        return items[:count]

    def _await_each(self, values: Sequence[Any], entries: Entries) -> None:
        position = entries.position
        if not isinstance(position.way, Cut):
            super()._await_each(values, entries)
        elif values:
            self._cut_off(position, position.way, values, entries)

    def _cut_off(self, position: Position, cut: Cut, values: Sequence[Any], entries: Entries) -> None:
        paths = [holder_path(position, chunk, tuple(at)) for chunk, *at in entries.origins]
        if not self.may_wait(len(values)):
            self._plan.blocks[position.number](self, Chunk(None, paths), values, entries.targets)
            return
        fragment = self.fragments.setdefault(position.number, Fragment(position, cut))
        fragment.sources += values
        fragment.paths += paths

    def _recorded(self, error: Exception, position: Position, depth: int, path: Path) -> None:
        if self._failures is None:
            self._failures = PartFailures(self.executor.collected_errors, self._body, self._list)
        super()._recorded(error, position, depth, path)


class LaterRun(PartRun):
    """A run that completes what was cut off; it may be cut itself."""

    _paths: Sequence[Path | None]
    """Of the objects or lists. All are at one place of the operation."""

    def complete(self) -> "list[Done] | Coroutine[Any, Any, list[Done]]":
        """What became of each object or list, or what to await for it."""
        self._places = {keys_of(path): number for number, path in enumerate(self._paths)}
        self._length = len(keys_of(self._paths[0]))
        self._begin_all()
        self._start()
        return self._completed() if self._waiting else self._done()

    async def _completed(self) -> list[Done]:
        await self._wait(iter(()))
        return self._done()

    def _done(self) -> list[Done]:
        done = [Done(value) for value in self._values]
        if self._failures is None:
            return done
        assert isinstance(self._failures, PartFailures)  # noqa: S101 - `_recorded` made them
        for null in map(keys_of, self._failures.nulls):
            if len(null) > self._length:
                value, keys = self._within(list(null))
                null_at(value, keys)
        for keys_, error in self._failures.lost:
            self._lose(done[self._place(keys_)], keys_, error)
        for error in self._failures.collected.errors:
            one = done[self._place(error.path or ())]
            if self._is_shown(one, error):
                one.errors.append(error)
        return done

    def _place(self, keys: Sequence[str | int]) -> int:
        return self._places[tuple(keys[: self._length])]

    def _result(self) -> ExecutionResult:
        """Nothing: each object and list has its own."""
        return ExecutionResult()

    @property
    @abstractmethod
    def _values(self) -> Sequence[Any]:
        """The objects or items."""

    @abstractmethod
    def _begin_all(self) -> None:
        """Runs the text."""

    @abstractmethod
    def _lose(self, done: Done, keys: Keys, error: GraphQLError) -> None:
        """Notes that an error may have left nothing of it, or of what comes after an item."""

    def _is_shown(self, done: Done, error: GraphQLError) -> bool:  # noqa: ARG002 - of an object all or none
        """Whether the error is of what is left."""
        return True


class FragmentRun(LaterRun):
    """Completes a fragment on all objects that it stands on."""

    def __init__(self, around: PartRun, fragment: Fragment) -> None:
        super().__init__(around.plan, around.cuts, around.occasion, around.may_wait)
        self._fragment = fragment
        self._body = fragment.cut
        self._paths = fragment.paths
        self._targets: list[Data] = [{} for _ in fragment.sources]

    @property
    def _values(self) -> Sequence[Any]:
        return self._targets

    def _begin_all(self) -> None:
        chunk = Chunk(None, self._paths)
        self._plan.blocks[self._fragment.position.number](self, chunk, self._fragment.sources, self._targets)

    def _within(self, keys: list[str | int]) -> tuple[Any, list[str | int]]:
        return self._targets[self._place(keys)], keys[self._length :]

    def _lose(self, done: Done, keys: Keys, error: GraphQLError) -> None:
        if len(keys) <= self._length and done.lost is None:
            done.value, done.lost = None, error


class RestRun(LaterRun):
    """Completes the next items of all lists that a field answered."""

    def __init__(self, around: PartRun, position: Position, rests: Sequence[Rest]) -> None:
        super().__init__(around.plan, around.cuts, around.occasion, around.may_wait)
        self._list = position
        self._rests = rests
        self._paths = [rest.path for rest in rests]
        self._items: list[list[Any]] = []

    @property
    def _values(self) -> Sequence[Any]:
        return self._items

    def _begin_all(self) -> None:
        assert self._list is not None  # noqa: S101 - given at the start
        complete = self.cuts.items[self._list.number]
        for rest in self._rests:
            items = rest.items[:ITEMS_AT_ONCE]
            self._items.append(complete(self, rest.chunk, rest.entry, items, rest.first))

    def following(self, done: Sequence[Done]) -> "tuple[list[int], RestRun] | None":
        """Which lists go on, and the run for their next items."""
        assert self._list is not None  # noqa: S101 - as above
        places = [
            place
            for place, rest in enumerate(self._rests)
            if done[place].lost is None and len(rest.items) > ITEMS_AT_ONCE
        ]
        return (
            (places, RestRun(self, self._list, [self._rests[p].after() for p in places])) if places else None
        )

    def _within(self, keys: list[str | int]) -> tuple[Any, list[str | int]]:
        return self._items[self._place(keys)], [self._index(keys), *keys[self._length + 1 :]]

    def is_null(self, path: Path | None) -> bool:
        """Also what comes after an item that was lost."""
        keys = keys_of(path)
        return super().is_null(path) or self._index(keys) >= len(self._items[self._place(keys)])

    def _lose(self, done: Done, keys: Keys, error: GraphQLError) -> None:
        index = self._index(keys)
        if index < len(done.value):
            # The list that others look at: what is in it is there.
            del done.value[index:]
            done.lost = error

    def _is_shown(self, done: Done, error: GraphQLError) -> bool:
        return self._index(error.path or ()) < len(done.value)

    def _index(self, keys: Sequence[str | int]) -> int:
        """Among the items of its list that come later."""
        index = keys[self._length]
        assert isinstance(index, int)  # noqa: S101 - it is in a list
        return index - self._rests[self._place(keys)].first


def keys_of(path: Path | None) -> Keys:
    return () if path is None else tuple(path.as_list())
