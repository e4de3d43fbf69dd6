"""Several operations in one request."""

import asyncio
from collections.abc import Sequence
from typing import Any

from graphql import OperationType

from domain.platform.deadline import within
from domain.platform.errors import BadInput, GatewayError
from gateway.engine.documents import Rejected
from gateway.engine.execution import Operation
from gateway.engine.limits import Limit
from gateway.engine.requests import read_operation
from gateway.engine.results import OperationResult
from gateway.routes.admission import Admission
from gateway.routes.connection import Connection


class Batches:
    """Answers a list of requests with the list of their results, in the same order.

    Queries run at the same time; mutations one after the other, as they are written. All of them are charged
    as one, share one deadline, and are refused as one: what is wrong with a single request is its own answer.
    """

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._engine = admission.engine

    async def answer(self, requests: Sequence[Any], connection: Connection) -> list[OperationResult]:
        """The results; raises BadInput for a batch that is empty or too long, and what keeps a caller out."""
        if not requests:
            raise BadInput("The batch is empty: send a list of requests, or one request.")
        self._engine.guard.check(Limit.BATCH_SIZE, len(requests))
        asked = [await self._asked(request, connection) for request in requests]
        operations = [item for item in asked if isinstance(item, Operation)]
        context = await self._admission.context_of(connection)
        with (
            self._admission.place(connection, context, *operations),
            within(self._engine.limits.deadline_seconds),
        ):
            return await self._results(asked, connection)

    async def _asked(self, request: Any, connection: Connection) -> Operation | OperationResult:
        try:
            operation = await self._admission.operation(
                read_operation(request, self._engine.guard), connection
            )
        except Rejected as rejected:
            return OperationResult.rejected(rejected.errors)
        except GatewayError as error:
            return self._engine.failed(error)
        if operation.type is OperationType.SUBSCRIPTION:
            return self._engine.failed(BadInput("A subscription cannot be part of a batch."))
        return operation

    async def _results(
        self, asked: Sequence[Operation | OperationResult], connection: Connection
    ) -> list[OperationResult]:
        results = {place: item for place, item in enumerate(asked) if isinstance(item, OperationResult)}

        async def run(place: int, operation: Operation) -> None:
            # Each has loaders of its own: what a mutation changes, a query beside it must not remember.
            try:
                context = await self._admission.context_of(connection)
            except Exception as error:  # noqa: BLE001 - masked; the others are answered all the same
                results[place] = self._engine.failed(error)
            else:
                results[place] = await self._engine.execute(operation, context)

        async def run_mutations() -> None:
            for place, operation in mutations:
                await run(place, operation)

        operations = [(place, item) for place, item in enumerate(asked) if isinstance(item, Operation)]
        mutations = [(place, item) for place, item in operations if item.type is OperationType.MUTATION]
        async with asyncio.TaskGroup() as group:
            group.create_task(run_mutations())
            for place, operation in operations:
                if operation.type is not OperationType.MUTATION:
                    group.create_task(run(place, operation))
        return [results[place] for place in range(len(asked))]
