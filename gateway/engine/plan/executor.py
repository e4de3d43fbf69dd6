"""Where plans take the place of graphql-core's interpretation, and of nothing else."""

from dataclasses import dataclass
from typing import Any

from graphql.execution.executor import Executor
from graphql.execution.values import VariableValues
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from gateway.engine.plan.plan import Plans, is_serial
from gateway.engine.plan.run import Run


@dataclass(frozen=True, slots=True)
class Occasion:
    """An execution that graphql-core's executor was made for."""

    executor: Executor[Any]

    @property
    def root_value(self) -> Any:
        return self.executor.root_value

    @property
    def context(self) -> Any:
        return self.executor.context_value

    @property
    def variables(self) -> VariableValues:
        return self.executor.variable_values

    def make_executor(self) -> Executor[Any]:
        return self.executor


class PlannedExecutor(StrawberryGraphQLCoreExecutionContext):
    """To be given to a strawberry schema as `execution_context_class`, to graphql-core as `executor_class`.

    Parsing, validation, variables, extensions, permissions, subscriptions and whatever a plan cannot express
    remain theirs. `Plans.of(schema).statistics` tells how often plans were used.
    """

    def execute_operation(self, serially: bool | None = None) -> Any:  # noqa: FBT001 - graphql-core's argument
        plan = Plans.of(self.schema).find(self, serial=is_serial(self, serially))
        if plan is None:
            return self.interpret(serially)
        return Run(plan, Occasion(self)).execute()

    def interpret(self, serially: bool | None = None) -> Any:  # noqa: FBT001 - graphql-core's argument
        """Executes without a plan."""
        return super().execute_operation(serially)
