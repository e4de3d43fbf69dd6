"""The way of an operation from a request to its run, the same through every door."""

from contextlib import AbstractContextManager
from typing import Any

from domain.platform.addresses import network_of
from domain.platform.errors import GatewayError
from gateway.engine.documents import Rejected
from gateway.engine.execution import Operation
from gateway.engine.intake import Intake
from gateway.engine.places import Places
from gateway.engine.requests import OperationRequest
from gateway.routes.connection import Connection, ContextOf, DoorOptions


class Reception:
    """Says which operation a request asks for, for whom it runs, and whether it may run now."""

    def __init__(self, intake: Intake, context_of: ContextOf, options: DoorOptions) -> None:
        self.intake = intake
        self.engine = intake.engine
        self.context_of = context_of
        self._caller_of = options.caller_of
        self._places = Places(intake.engine.guard)

    async def operation(self, request: OperationRequest, connection: Connection) -> Operation:
        """The operation, ready to run; raises Rejected with the errors to answer."""
        try:
            return await self.intake.operation(request)
        except Rejected as rejected:
            explained = await self._explained(rejected, connection)
        raise explained

    def place(
        self, connection: Connection, context: Any, *operations: Operation
    ) -> AbstractContextManager[object]:
        """What is charged to a caller for operations that came together, before any of them runs.

        Raises TooManyRequests where the caller has too many running already.
        """
        return self._places.taken(self._key(connection, context), operations)

    def socket_place(self, connection: Connection, context: Any) -> AbstractContextManager[object]:
        """What is charged to a caller for an open WebSocket; raises TooManyRequests as `place` does."""
        return self._places.socket(self._key(connection, context))

    def _key(self, connection: Connection, context: Any) -> str:
        caller = self._caller_of(context)
        return network_of(connection.client) if caller is None else f"account {caller}"

    async def _explained(self, rejected: Rejected, connection: Connection) -> Rejected:
        """The same with suggestions, for a caller who may see the schema where others may not."""
        if self.engine.errors.suggestions or rejected.text is None:
            return rejected
        try:
            context = await self.context_of(connection)
        except GatewayError:
            return rejected
        if not self.engine.may_introspect(context):
            return rejected
        return Rejected(self.engine.documents.explain(rejected.text, rejected.errors))
