"""graphql-core's incremental execution, bounded, and with what is streamed asked for together."""

from asyncio import Future, ensure_future, wait
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import ExecutionResult, GraphQLError, GraphQLObjectType, located_error
from graphql.execution.collect_fields import DeferUsage, GroupedFieldSet
from graphql.execution.executor import StreamUsage, collect_iterator_awaitables, to_nodes
from graphql.execution.incremental import StreamItemQueue
from graphql.pyutils import Path

from gateway.engine.incremental.formats import Step
from gateway.engine.limits import Guard, Limit
from gateway.engine.plan.executor import PlannedExecutor

_ENDING_SECONDS: Final = 1.0
"""For resolvers to end that were cancelled; one that does not heed that keeps nobody waiting for longer."""


@dataclass(slots=True)
class Allowance:
    """How many fragments and lists of one operation may come later; a fragment counts for each object."""

    guard: Guard
    taken: int = 0
    exceeded: bool = False
    refused: bool = False

    def take(self, count: int) -> bool:
        """Whether so many more may."""
        self.taken += count
        if not self.exceeded and self.taken > self.guard.limits.max_deferred:
            # Told of once.
            self.exceeded = True
            self.refused = self.guard.refuses(Limit.DEFERRED, self.taken) is not None
        return not self.refused


@dataclass(slots=True)
class _Inlined:
    """Field sets whose fragments are not deferred any more, by the identity of the ones that they were."""

    known: dict[int, tuple[GroupedFieldSet, GroupedFieldSet]] = field(default_factory=dict)

    def of(self, fields: GroupedFieldSet, usages: Sequence[DeferUsage]) -> GroupedFieldSet:
        found = self.known.get(id(fields))
        if found is None:
            inlined = {
                key: [
                    details._replace(defer_usage=_around(details.defer_usage, usages)) for details in mentions
                ]
                for key, mentions in fields.items()
            }
            found = self.known[id(fields)] = (fields, inlined)
        return found[1]


def _around(usage: DeferUsage | None, usages: Sequence[DeferUsage]) -> DeferUsage | None:
    """The innermost fragment around that is not one of `usages`."""
    while usage is not None and any(usage is other for other in usages):
        usage = usage.parent_defer_usage
    return usage


class DeliveringExecutor(PlannedExecutor):
    """Executes one operation in parts. What exceeds its allowance is answered with what is around it."""

    allowance: Allowance

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Shared with the executors of the parts, which are copies.
        self._inlined = _Inlined()
        self._running: set[Future[Any]] = set()

    async def close(self) -> None:
        """Cancels what still runs, and returns when it has ended."""
        await self.cancel_incremental_work()
        if self._running:
            await wait(self._running, timeout=_ENDING_SECONDS)

    def execute_collected_subfields(  # noqa: PLR0913, PLR0917 - graphql-core's arguments
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path,
        grouped_field_set: GroupedFieldSet,
        new_defer_usages: Sequence[DeferUsage],
        delivery_group_map: Any,
    ) -> Any:
        if new_defer_usages and not self.allowance.take(len(new_defer_usages)):
            grouped_field_set = self._inlined.of(grouped_field_set, new_defer_usages)
            new_defer_usages = ()
        return super().execute_collected_subfields(
            parent_type, source_value, path, grouped_field_set, new_defer_usages, delivery_group_map
        )

    def execute_execution_group(self, *args: Any) -> Any:
        result = super().execute_execution_group(*args)
        if not self.is_awaitable(result):
            return result
        # graphql-core cancels what it started, but does not wait for it.
        running = ensure_future(result)
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        return running

    def handle_stream(  # noqa: PLR0913, PLR0917 - as above
        self,
        index: int,
        path: Path,
        iterator: Any,
        is_async: bool,  # noqa: FBT001 - as above
        stream_usage: StreamUsage,
        info: Any,
        item_type: Any,
    ) -> bool:
        if not self.allowance.take(1):
            return False
        return super().handle_stream(index, path, iterator, is_async, stream_usage, info, item_type)

    def build_stream_item_queue(  # noqa: PLR0913, PLR0917 - as above
        self,
        initial_index: int,
        stream_path: Path,
        iterator: Any,
        field_details_list: Any,
        info: Any,
        item_type: Any,
        is_async: bool,  # noqa: FBT001 - as above
    ) -> StreamItemQueue:
        """Where the items are there already, they are completed together: one look-up answers for all."""
        if is_async:
            return super().build_stream_item_queue(
                initial_index, stream_path, iterator, field_details_list, info, item_type, is_async
            )

        def complete(index: int, item: Any) -> Any:
            executor = self.create_sub_executor()
            path = stream_path.add_key(index, None)
            try:
                return executor.complete_stream_item(path, item, field_details_list, info, item_type)
            except GraphQLError as error:
                # What came before still takes its time: this is told when it is there.
                return _raising(error)

        async def produce(queue: StreamItemQueue) -> None:
            for index, item in enumerate(self._items(iterator, field_details_list, stream_path)):
                result = complete(initial_index + index, item)
                await queue.push(ensure_future(result) if self.is_awaitable(result) else result)

        def abandon(_reason: BaseException | None) -> None:
            self.track_async_work(collect_iterator_awaitables(iterator, self.is_awaitable))

        return StreamItemQueue(produce, abandon)

    @staticmethod
    def _items(iterator: Iterator[Any], field_details_list: Any, path: Path) -> Iterator[Any]:
        try:
            yield from iterator
        except Exception as error:
            raise located_error(error, to_nodes(field_details_list), path.as_list()) from error


async def _raising(error: GraphQLError) -> Any:
    raise error


class InterpretedDelivery:
    """One operation, delivered once by graphql-core."""

    def __init__(self, executor: DeliveringExecutor, *, serial: bool) -> None:
        self._executor = executor
        self._serial = serial

    async def steps(self) -> AsyncGenerator[Step, None]:
        """Closing it ends what still runs."""
        executor = self._executor
        try:
            begun = executor.interpret(self._serial)
            if executor.is_awaitable(begun):
                begun = await begun
            if isinstance(begun, ExecutionResult):
                yield begun
                return
            yield begun.initial_result
            async with aclosing(begun.subsequent_results) as rest:
                async for result in rest:
                    yield result
        finally:
            # What was never started is not ended by those who would have started it.
            await executor.close()
