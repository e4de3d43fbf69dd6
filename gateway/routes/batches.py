"""Several operations in one request."""

import asyncio
from collections.abc import Sequence
from typing import Any, TypeAlias

from graphql import OperationType

from domain.platform.deadline import within
from domain.platform.errors import BadInput, GatewayError
from gateway.engine.admission import Admitted
from gateway.engine.documents import Rejected
from gateway.engine.execution import Operation
from gateway.engine.limits import Limit
from gateway.engine.requests import read_operation
from gateway.engine.results import OperationResult
from gateway.routes.connection import Connection
from gateway.routes.reception import Reception

Admissible: TypeAlias = tuple[Operation, Any, Admitted | None]
"""An operation with its context, and what it was charged."""


class Batches:
    """Answers a list of requests with the list of their results, in the same order.

    Queries run at the same time; mutations one after the other, as they are written. All of them are charged
    as one, share one deadline, and are refused as one: what is wrong with a single request is its own answer.
    """

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._engine = reception.engine

    async def answer(self, requests: Sequence[Any], connection: Connection) -> list[OperationResult]:
        """The results; raises BadInput for a batch that is empty or too long, and what keeps a caller out."""
        if not requests:
            raise BadInput("The batch is empty: send a list of requests, or one request.")
        self._engine.guard.check(Limit.BATCH_SIZE, len(requests))
        asked = [await self._asked(request, connection) for request in requests]
        operations = [item for item in asked if isinstance(item, Operation)]
        # Each has loaders of its own: what a mutation changes, a query beside it must not remember.
        contexts = [await self._reception.context_of(connection) for _ in (operations or asked[:1])]
        with (
            self._reception.place(connection, contexts[0], *operations),
            within(self._engine.limits.deadline_seconds),
        ):
            admitted = await self._admitted(operations, contexts)
            admissions = zip(operations, contexts, admitted, strict=False)
            return await self._results([next(admissions) if isinstance(i, Operation) else i for i in asked])

    async def _admitted(
        self, operations: Sequence[Operation], contexts: Sequence[Any]
    ) -> Sequence[Admitted | None]:
        """Charges them as one; each by itself when it runs, where one is too wrong to have a cost."""
        if not operations:
            return []
        try:
            return await self._engine.admission.admit_together(list(zip(operations, contexts, strict=False)))
        except BadInput:
            return [None] * len(operations)

    async def _asked(self, request: Any, connection: Connection) -> Operation | OperationResult:
        try:
            operation = await self._reception.operation(
                read_operation(request, self._engine.guard), connection
            )
        except Rejected as rejected:
            return OperationResult.rejected(rejected.errors)
        except GatewayError as error:
            return self._engine.failed(error)
        if operation.type is OperationType.SUBSCRIPTION:
            return self._engine.failed(BadInput("A subscription cannot be part of a batch."))
        return operation

    async def _results(self, asked: Sequence[Admissible | OperationResult]) -> list[OperationResult]:
        results = {place: item for place, item in enumerate(asked) if isinstance(item, OperationResult)}

        async def run(*places: int) -> None:
            for place in places:
                operation, context, admitted = admissions[place]
                results[place] = await self._engine.execute(operation, context, admitted)

        admissions = {
            place: item for place, item in enumerate(asked) if not isinstance(item, OperationResult)
        }
        mutations = [
            place for place, (item, _, _) in admissions.items() if item.type is OperationType.MUTATION
        ]
        async with asyncio.TaskGroup() as group:
            group.create_task(run(*mutations))
            for place in admissions.keys() - mutations:
                group.create_task(run(place))
        return [results[place] for place in range(len(asked))]
