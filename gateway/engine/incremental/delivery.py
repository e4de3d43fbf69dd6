"""Answering an operation in parts: charged as one, within one deadline, masked like any other answer."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import orjson
from graphql import ExecutionResult as CoreResult
from graphql import GraphQLSchema
from graphql.execution import InitialIncrementalExecutionResult, SubsequentIncrementalExecutionResult

from domain.platform.deadline import within
from domain.platform.values import value
from gateway.engine.admission import Admission, Admitted
from gateway.engine.errors import ErrorFormatter
from gateway.engine.incremental.formats import Format, Payload, Step, Writer
from gateway.engine.limits import Guard
from gateway.engine.results import OperationResult

if TYPE_CHECKING:
    from gateway.engine.execution import Operation


@value
class Part(OperationResult):
    """One of several results that are one answer; `errors` are its own."""

    body: bytes = b""
    last: bool = False

    def to_bytes(self) -> bytes:
        return self.body


@dataclass(frozen=True)
class Deliveries:
    """Those of one engine."""

    schema: GraphQLSchema
    guard: Guard
    errors: ErrorFormatter
    admission: Admission
    result_of: Callable[[CoreResult], OperationResult]
    """Of an operation that has no parts after all."""
    planned: bool
    """Whether operations are compiled."""

    async def answer(
        self, operation: "Operation", context: object, format_: Format
    ) -> AsyncGenerator[OperationResult, None]:
        """One result, or Parts, of which the last has what the operation cost. Raises why it may not run.

        Closing it ends what is still running.
        """
        admitted = await self.admission.admit(operation, context)
        writer = Writer(format_, self.errors.of_execution)
        last: Payload = {"hasNext": False}
        told, begun, failure = 0, False, None
        with within(self.guard.limits.deadline_seconds) as seconds:
            ends_at = asyncio.get_running_loop().time() + seconds
            async with aclosing(self._steps(operation, context, ends_at)) as steps:
                try:
                    async for step in steps:
                        if isinstance(step, CoreResult):
                            yield await self.admission.settle(admitted, self.result_of(step))
                            return
                        payload = _next(writer, step)
                        if payload is None:
                            continue
                        if not payload["hasNext"]:
                            last = payload
                            break
                        begun = True
                        yield Part(errors=writer.errors[told:], body=orjson.dumps(payload))
                        told = len(writer.errors)
                except Exception as error:  # noqa: BLE001 - the last net, as for every operation
                    failure = self._failed(error)
        if failure is not None and not begun:
            yield await self.admission.settle(admitted, failure)
            return
        if failure is not None:
            last = writer.broken(failure.errors[0])
        whole = failure or OperationResult(writer.data, writer.errors)
        last |= await self._extensions(admitted, whole)
        yield Part(errors=writer.errors[told:], body=orjson.dumps(last), last=True)

    async def _steps(
        self, operation: "Operation", context: object, ends_at: float
    ) -> AsyncGenerator[Step, None]:
        """What comes of it; TimedOut where that takes too long."""
        launcher = operation.prepared.incremental_launcher(operation.name, self.schema)
        delivery = launcher.deliver(
            operation.variables, context, operation.extensions, self.guard, planned=self.planned
        )
        if isinstance(delivery, CoreResult):
            yield delivery
            return
        try:
            async with aclosing(delivery.steps()) as steps:
                while True:
                    async with asyncio.timeout_at(ends_at):
                        step = await anext(steps, None)
                    if step is None:
                        return
                    yield step
        except TimeoutError:
            raise self.guard.limits.too_late() from None

    def _failed(self, error: Exception) -> OperationResult:
        failed = OperationResult.rejected([self.errors.of_exception(error)])
        # A scalar answered with something that is no JSON, but only after all the work.
        return replace(failed, executed=True) if isinstance(error, TypeError) else failed

    async def _extensions(self, admitted: Admitted, whole: OperationResult) -> dict[str, Any]:
        """What the last part tells beside its data. A fault of the budgets loses this, and no data."""
        try:
            settled = await self.admission.settle(admitted, whole)
        except Exception as error:  # noqa: BLE001 - logged like any other fault
            self.errors.of_exception(error)
            return {}
        return {"extensions": settled.extensions} if settled.extensions else {}


def _next(writer: Writer, step: Step) -> Payload | None:
    if isinstance(step, InitialIncrementalExecutionResult):
        return writer.first(step)
    assert isinstance(step, SubsequentIncrementalExecutionResult)  # noqa: S101 - nothing else comes later
    return writer.next(step)
