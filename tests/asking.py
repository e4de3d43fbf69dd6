"""Asks the graph over a catalogue in the test's database."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from strawberry.types import ExecutionResult

from domain.catalog.postgres import PostgresCatalog
from domain.catalog.service import Catalog
from domain.identity.model import ANONYMOUS, Caller
from domain.identity.policy import Policy
from domain.platform.errors import GatewayError
from domain.platform.postgres import Database
from resolvers.context import Context
from schema.graph import Graph


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Asker:
    """One anonymous viewer in the United States; `services` are those beside the catalogue."""

    schema: Graph
    database: Database
    services: dict[str, Any] = field(default_factory=dict)
    caller: Caller = ANONYMOUS

    def context(self) -> Context:
        catalog = Catalog(PostgresCatalog(self.database), now)
        services: Any = SimpleNamespace(
            **{"now": now, "catalog": catalog, "policy": Policy()} | self.services
        )
        return Context(services, self.caller, "US", "r1")

    async def result(self, query: str, **variables: Any) -> ExecutionResult:
        found = await self.schema.execute(query, variable_values=variables, context_value=self.context())
        assert isinstance(found, ExecutionResult)
        return found

    async def data(self, query: str, **variables: Any) -> Any:
        found = await self.result(query, **variables)
        assert found.errors is None, found.errors
        return found.data

    async def refusals(self, query: str, **variables: Any) -> Sequence[tuple[str, str]]:
        """The codes and messages of the errors; fails where something else than a refusal went wrong."""
        found = await self.result(query, **variables)
        refusals = []
        for error in found.errors or ():
            assert isinstance(error.original_error, GatewayError), error
            refusals.append((error.original_error.code.value, error.message))
        return refusals
