"""The start of an answer that may come in parts: only its first result tells whether it does."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass

from gateway.engine.execution import Operation
from gateway.engine.incremental.delivery import Part
from gateway.engine.incremental.formats import Format
from gateway.engine.results import OperationResult
from gateway.routes.connection import Connection
from gateway.routes.interrupts import Interruptible
from gateway.routes.reception import Reception
from gateway.routes.replies import ClientLeft


@dataclass(frozen=True, slots=True)
class Delivery:
    """An operation whose first result is there."""

    first: OperationResult
    rest: AsyncGenerator[OperationResult, None]

    @property
    def is_whole(self) -> bool:
        """Whether there is nothing behind the first result."""
        return not isinstance(self.first, Part)

    async def results(self) -> AsyncGenerator[OperationResult, None]:
        yield self.first
        async for result in self.rest:
            yield result


@asynccontextmanager
async def begun(
    reception: Reception,
    connection: Connection,
    operation: Operation,
    format_: Format,
    watched: Interruptible,
) -> AsyncIterator[Delivery]:
    """Runs the operation up to its first result, `watched`; ClientLeft where that is interrupted.

    Within the block the operation has its caller's place; at its end, whatever still runs is ended.
    """
    async with AsyncExitStack() as stack:
        with watched:
            context = await reception.context_of(connection)
            stack.enter_context(reception.place(connection, context, operation))
            rest = reception.engine.deliver(operation, context, format_)
            await stack.enter_async_context(aclosing(rest))
            first = await anext(rest)
        if watched.interrupted:
            raise ClientLeft
        yield Delivery(first, rest)
