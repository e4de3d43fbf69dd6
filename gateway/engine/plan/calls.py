"""What the text of a plan calls for values that are not as it expects."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from inspect import iscoroutinefunction
from typing import Any, Final, Protocol

from graphql import GraphQLNonNull, Undefined, is_abstract_type
from graphql.execution.executor import Executor
from graphql.execution.values import VariableValues
from graphql.pyutils import Path

from gateway.engine.plan import leaves
from gateway.engine.plan.arguments import Arguments, ArgumentsOf, is_immutable
from gateway.engine.plan.failures import Failures, field_path, path_of
from gateway.engine.plan.fields import Resolve
from gateway.engine.plan.info import LateInfo
from gateway.engine.plan.positions import At, Chunk, Leaves, Position, Raised

MAX_CLASSES: Final = 256
"""Combinations that are remembered of leaves that are looked at together."""
_NO_LIST = (str, bytes, bytearray, memoryview, Mapping)


class Occasion(Protocol):
    """What one execution is about."""

    @property
    def root_value(self) -> Any: ...
    @property
    def context(self) -> Any: ...
    @property
    def variables(self) -> VariableValues: ...
    @property
    def executor(self) -> Executor[Any] | None: ...
    def make_executor(self) -> Executor[Any]:
        """Asked at most once, where there is none yet."""
        ...


class Calls(ABC):
    """Answers the value to go on with, which is None after a failure was recorded.

    What is odder than a leaf of another type or a list of another class is left to graphql-core, so that it
    comes out as there.
    """

    def __init__(self, occasion: Occasion) -> None:
        self.context = occasion.context
        self.given: Any = None
        """What takes the place of a value for which `kind` found no body, or `items` none."""
        self._occasion = occasion
        self._executor = occasion.executor
        self._failures: Failures | None = None
        self._arguments: dict[int, Arguments | Exception] = {}

    @property
    def executor(self) -> Executor[Any]:
        """Graphql-core's, which is not there before something is odd."""
        if self._executor is None:
            self._executor = self._occasion.make_executor()
        return self._executor

    @abstractmethod
    def _later(self, value: Awaitable[Any], position: Position, depth: int, path: Path) -> None:
        """Puts a completed value to its path as soon as it is there."""

    def read(self, source: object, names: Sequence[str]) -> list[Any]:
        """The attributes of `source`, one by one, as reading them together raised."""
        found: list[Any] = []
        for name in names:
            try:
                found.append(getattr(source, name))
            except Exception as error:  # noqa: BLE001 - whatever a property raises is the field's
                found.append(Raised(error))
        return found

    def info(self, position: Position, chunk: Chunk, at: At) -> LateInfo:
        """What strawberry gives a resolver of a source at `at`."""
        return LateInfo(self, position, chunk, at)

    def raw_info(self, position: Position, chunk: Chunk, at: At) -> Any:
        """What graphql-core gives it."""
        path = field_path(position, chunk, at)
        parent = self.executor.schema.type_map[path.typename or ""]
        return self.executor.build_resolve_info(position.definition, position.nodes, parent, path)  # type: ignore[arg-type]

    def resolver(self, position: Position) -> Callable[..., Any]:
        way = position.way
        function = (way.function if isinstance(way, Resolve) else None) or self.executor.field_resolver
        middleware = self.executor.middleware_manager
        return function if middleware is None else middleware.get_field_resolver(function)

    def arguments(self, position: Position) -> Arguments:
        """Of a field, from the variables; raises what does not fit."""
        if position.arguments is None:
            return {}
        if position.arguments.constant is not None:
            return position.arguments.constant
        kept = self._arguments.get(position.number)
        if kept is None:
            kept = self._made(position.arguments)
            if isinstance(kept, Exception) or is_immutable(kept):
                self._arguments[position.number] = kept
        if isinstance(kept, Exception):
            raise kept
        return kept

    def _made(self, arguments: ArgumentsOf) -> Arguments | Exception:
        try:
            return arguments.make(self._occasion.variables)
        except Exception as error:  # noqa: BLE001 - told wherever the field is executed
            return error

    def leaf(self, position: Position, depth: int, value: Any, chunk: Chunk, at: At) -> Any:
        """A leaf that is not plainly of its type."""
        if _is_ordinary(value) and not self._is_awaitable(value, position, depth, chunk):
            position.kinds[value.__class__] = 0
            try:
                return self.executor.complete_leaf_value(position.item, value)
            except Exception as error:  # noqa: BLE001 - as graphql-core does
                return self._fail(error, position, depth, chunk, at)
        return self._hand_over(position, depth, value, chunk, at)

    def called(self, position: Position, value: Any, chunk: Chunk, at: At) -> tuple[Any, Any]:
        """A leaf that a resolver answered and that is not plainly of its type, or None and what to await."""
        if hasattr(value.__class__, "__await__"):
            return None, value
        return self.leaf(position, 0, value, chunk, at), None

    def together(self, group: Leaves, values: Sequence[Any], chunk: Chunk, at: At) -> list[Any]:
        """Leaves of one object whose classes were not met together yet, or of which one is not plainly of its
        type.
        """
        positions = group.positions
        expected = (leaves.CLASSES[position.item] for position in positions)
        if len(group.classes) < MAX_CLASSES and all(
            value.__class__ is class_
            or (value is None and not isinstance(position.levels[0], GraphQLNonNull))
            for class_, position, value in zip(expected, positions, values, strict=True)
        ):
            group.classes.add(tuple(value.__class__ for value in values))
        return [
            None
            if value is None and not isinstance(position.levels[0], GraphQLNonNull)
            else self.leaf(position, 0, value, chunk, at)
            for position, value in zip(positions, values, strict=True)
        ]

    def leaves(
        self, position: Position, depth: int, values: Sequence[Any], chunk: Chunk, at: At
    ) -> list[Any]:
        """Items of a list, of which one at least is not plainly of its type."""
        may_be_null = not isinstance(position.levels[depth], GraphQLNonNull)
        return [
            None if value is None and may_be_null else self.leaf(position, depth, value, chunk, (*at, index))
            for index, value in enumerate(values)
        ]

    def items(self, position: Position, depth: int, value: Any, chunk: Chunk, at: At) -> list[Any] | None:
        """The items of a list that is neither `list` nor `tuple`; or None, see `given`."""
        if (
            isinstance(value, Collection)
            and not isinstance(value, _NO_LIST)
            and _is_ordinary(value)
            and not self._is_awaitable(value, position, depth, chunk)
            and not self.executor.is_async_iterable(value)
        ):
            try:
                return list(value)
            except Exception as error:  # noqa: BLE001 - as graphql-core does
                self._fail(error, position, depth, chunk, at)
                self.given = None
        else:
            self.given = self._hand_over(position, depth, value, chunk, at)
        return None

    def kind(self, position: Position, depth: int, value: Any, chunk: Chunk, at: At) -> int:
        """Which body an object has, or -1 where `given` is its completed value."""
        group = None
        if _is_ordinary(value) and not self._is_awaitable(value, position, depth, chunk):
            try:
                group = self._group(position, value, chunk, at)
            except Exception:  # noqa: BLE001 - raised again below, where graphql-core tells of it
                group = None
        if group is None:
            self.given = self._hand_over(position, depth, value, chunk, at)
            return -1
        return group

    def _group(self, position: Position, value: Any, chunk: Chunk, at: At) -> int | None:
        """None where the type has to be awaited or is not to be had."""
        executor, info = self.executor, None
        type_: Any = position.item
        if is_abstract_type(type_):
            resolve_type = type_.resolve_type or executor.type_resolver
            if iscoroutinefunction(resolve_type):
                return None
            info = self._field_info(position, chunk, at)
            name = resolve_type(value, info, type_)
            if name not in position.groups:
                self._forgo(name)
                return None
            type_ = executor.schema.type_map[name]
        if type_.is_type_of is not None:
            if iscoroutinefunction(type_.is_type_of):
                return None
            is_one = type_.is_type_of(value, info or self._field_info(position, chunk, at))
            if executor.is_awaitable(is_one) or not is_one:
                self._forgo(is_one)
                return None
        group = position.groups[type_.name]
        if position.by_class:
            position.kinds[value.__class__] = group
            position.names[value.__class__] = type_.name
        return group

    def _forgo(self, told: object) -> None:
        """What will be asked for again; others that it waits for may be inside."""
        if self.executor.is_awaitable(told):
            self.executor.settle_in_background([told])

    # -- failures, and what graphql-core completes

    def _fail(self, error: Exception, position: Position, depth: int, chunk: Chunk, at: At) -> None:
        path = path_of(position, depth, chunk, at)
        assert path is not None  # noqa: S101 - a field has a path
        self._recorded(error, position, depth, path)

    def _recorded(self, error: Exception, position: Position, depth: int, path: Path) -> None:
        if self._failures is None:
            self._failures = Failures(self.executor.collected_errors)
        self._failures.record(error, position, depth, path)

    def _hand_over(self, position: Position, depth: int, value: Any, chunk: Chunk, at: At) -> Any:
        """The value as graphql-core completes it; None for now where that takes time."""
        executor, type_ = self.executor, position.levels[depth]
        path = path_of(position, depth, chunk, at)
        assert path is not None  # noqa: S101 - a field has a path
        info = self._field_info(position, chunk, at)
        if isinstance(value, Raised):
            return self._recorded(value.error, position, depth, path)
        try:
            if not self._is_awaitable(value, position, depth, chunk):
                done = executor.complete_value(type_, position.details, info, path, value, None)
            elif depth:
                done = executor.complete_awaitable_list_item_value(
                    value, type_, position.details, info, path, None
                )
            else:
                done = executor.complete_awaitable_value(type_, position.details, info, path, value, None)
        except Exception as error:  # noqa: BLE001 - as graphql-core does
            return self._recorded(error, position, depth, path)
        if not executor.is_awaitable(done):
            return done

        self._later(done, position, depth, path)
        return None

    def _is_awaitable(self, value: object, position: Position, depth: int, chunk: Chunk) -> bool:
        awaited = chunk.arrived and chunk.position is position and depth == 0
        return not awaited and bool(self.executor.is_awaitable(value))

    def _field_info(self, position: Position, chunk: Chunk, at: At) -> Any:
        """The info of the field in which a value is."""
        path = path_of(position, 0, chunk, at)
        assert path is not None  # noqa: S101 - a field has a path
        parent = self.executor.schema.type_map[path.typename or ""]
        return self.executor.build_resolve_info(position.definition, position.nodes, parent, path)  # type: ignore[arg-type]


def _is_ordinary(value: object) -> bool:
    return value is not None and value is not Undefined and not isinstance(value, Exception | Raised)
