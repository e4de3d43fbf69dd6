"""Operations of a prepared document, executed without strawberry's ceremony around each.

For schemas without extensions: there is nothing that could notice.
"""

from collections.abc import AsyncIterable, Coroutine, Mapping
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    FragmentDefinitionNode,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    create_source_event_stream,
)
from graphql.execution.collect_fields import FragmentDetails
from graphql.execution.executor import default_field_resolver, default_type_resolver
from graphql.execution.values import VariableValues
from strawberry.execution.is_awaitable import optimized_is_awaitable

from gateway.engine.plan.ahead import AheadRun, Finish
from gateway.engine.plan.cache_policy import Policy
from gateway.engine.plan.executor import PlannedExecutor
from gateway.engine.plan.plan import Plan, Plans
from gateway.engine.plan.run import Run
from gateway.engine.plan.variables import Variables


class Launcher:
    """One operation of a validated document, ready to be executed again and again."""

    executor_class = PlannedExecutor

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, name: str | None) -> None:
        self._schema = schema
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._details = {name: FragmentDetails(node) for name, node in self._fragments.items()}
        self._operation = next(
            node
            for node in document.definitions
            if isinstance(node, OperationDefinitionNode)
            and (name is None or (node.name is not None and node.name.value == name))
        )
        self.serial = self._operation.operation is OperationType.MUTATION
        self._variables = Variables(schema, self._operation.variable_definitions or ())
        self._plans = Plans.of(schema)
        self._planned = self._plans.operation(self._operation, self._fragments)

    def launch(
        self, variables: dict[str, Any] | None, context: object, extensions: dict[str, Any] | None
    ) -> "Launch | ExecutionResult":
        """What may run now, or a result without data for variables that do not fit."""
        values = self._variables.read(variables)
        if isinstance(values, list):
            return ExecutionResult(None, values)
        return self.launched(values, context, extensions)

    def subscribe(
        self, variables: dict[str, Any] | None, context: object, extensions: dict[str, Any] | None
    ) -> "Launch | ExecutionResult":
        """A subscription that waits for its events, or a result without data as `launch` has it."""
        values = self._variables.read(variables)
        if isinstance(values, list):
            return ExecutionResult(None, values)
        return Launch(self, values, context, extensions)

    def launched(
        self,
        values: VariableValues,
        context: object,
        extensions: dict[str, Any] | None,
        root_value: object = None,
    ) -> "Launch":
        """What may run now, with variables that fit; counted by whether there is a plan."""
        launch = Launch(self, values, context, extensions, root_value)
        plan = self._planned.variants.get(self._planned.key(values, serial=self.serial, wrapped=False))
        if isinstance(plan, Plan):
            self._plans.statistics.planned += 1
            launch.plan = plan
        else:
            launch.executor = launch.make_executor()
            launch.plan = self._plans.find(launch.executor, serial=self.serial)
        return launch

    def executor(
        self,
        values: VariableValues,
        context: object,
        extensions: dict[str, Any] | None,
        root_value: object = None,
    ) -> PlannedExecutor:
        return self.executor_class(
            self._schema,
            self._fragments,
            self._details,
            root_value,
            context,
            self._operation,
            values,
            default_field_resolver,
            default_type_resolver,
            default_field_resolver,
            is_awaitable=optimized_is_awaitable,
            operation_extensions=extensions,
        )


async def finished(run: ExecutionResult | Coroutine[Any, Any, ExecutionResult]) -> ExecutionResult:
    """The result of `Launch.run`."""
    return run if isinstance(run, ExecutionResult) else await run


class Launch:
    """One execution of a launcher's operation."""

    __slots__ = (
        "_extensions",
        "_launcher",
        "context",
        "executor",
        "finish",
        "plan",
        "root_value",
        "variables",
    )

    def __init__(
        self,
        launcher: Launcher,
        variables: VariableValues,
        context: object,
        extensions: dict[str, Any] | None,
        root_value: object = None,
    ) -> None:
        self._launcher = launcher
        self.variables = variables
        self.context = context
        self._extensions = extensions
        self.root_value = root_value
        self.executor: PlannedExecutor | None = None
        self.plan: Plan | None = None
        """None where graphql-core has to interpret the operation."""
        self.finish: Finish | None = None
        """What is made of wide fields of the root object before others are there; None to leave them be."""

    @property
    def policy(self) -> Policy | None:
        """For how long, and for whom, its result stays true."""
        return self.plan.policy if self.plan is not None else None

    def run(
        self, given: Mapping[str, Any] | None = None
    ) -> ExecutionResult | Coroutine[Any, Any, ExecutionResult]:
        """The result, or what to await for it; `given` has fields of the root object that are known."""
        if self.plan is not None:
            if self.finish is not None and self.plan.branches:
                return AheadRun(self.plan, self, given or {}, self.finish).execute()
            return Run(self.plan, self, given or {}).execute()
        executor = self.executor or self.make_executor()
        return executor.interpret(self._launcher.serial)  # type: ignore[no-any-return]

    async def events(self) -> AsyncIterable[Any] | ExecutionResult:
        """What the field of a subscription delivers; a result without data where it delivers nothing."""
        source = create_source_event_stream(self.make_executor())
        return source if isinstance(source, AsyncIterable | ExecutionResult) else await source

    def upon(self, event: object) -> "Launch":
        """The execution of a subscription for one of its events."""
        return self._launcher.launched(self.variables, self.context, self._extensions, event)

    def by(self, context: object) -> "Launch":
        """The same in another's name."""
        launch = Launch(self._launcher, self.variables, context, self._extensions)
        launch.plan = self.plan
        return launch

    def make_executor(self) -> PlannedExecutor:
        return self._launcher.executor(self.variables, self.context, self._extensions, self.root_value)
