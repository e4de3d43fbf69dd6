"""Operations that are answered in parts: planned, or interpreted where they cannot be."""

from collections import OrderedDict
from typing import Any, TypeAlias

from graphql import (
    DirectiveNode,
    DocumentNode,
    ExecutionResult,
    GraphQLSchema,
    VariableNode,
    Visitor,
    visit,
)
from graphql.execution.values import VariableValues

from gateway.engine.incremental.directives import NAMES
from gateway.engine.incremental.executor import Allowance, DeliveringExecutor, InterpretedDelivery
from gateway.engine.incremental.planned import PartOccasion, PlannedDelivery
from gateway.engine.limits import Guard
from gateway.engine.plan.cuts import Cuts
from gateway.engine.plan.fallback import Fallback
from gateway.engine.plan.launch import Launcher
from gateway.engine.plan.parts import PartRun
from gateway.engine.plan.plan import MAX_VARIANTS, Plan, plan_or_reason

Delivery: TypeAlias = PlannedDelivery | InterpretedDelivery


class IncrementalLauncher(Launcher):
    """One query or mutation, ready to be delivered again and again."""

    executor_class = DeliveringExecutor

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, name: str | None) -> None:
        super().__init__(schema, document, name)
        conditions = _Conditions()
        for definition in (self._operation, *self._fragments.values()):
            visit(definition, conditions)
        self._conditions = tuple(conditions.found)
        self._variants: OrderedDict[Any, tuple[Plan, Cuts] | Fallback] = OrderedDict()

    def deliver(
        self,
        variables: dict[str, Any] | None,
        context: object,
        extensions: dict[str, Any] | None,
        guard: Guard,
        *,
        planned: bool,
    ) -> ExecutionResult | Delivery:
        """What may run now, or a result without data for variables that do not fit."""
        values = self._variables.read(variables)
        if isinstance(values, list):
            return ExecutionResult(None, values)
        allowance = Allowance(guard)
        # What is too odd for a plan is completed by graphql-core, and then at once.
        none = Allowance(guard, exceeded=True, refused=True)
        found = self._plan(self._delivering(values, context, extensions, none)) if planned else None
        if found is None or isinstance(found, Fallback):
            if found is not None:
                self._plans.statistics.fallbacks[found] += 1
            executor = self._delivering(values, context, extensions, allowance)
            return InterpretedDelivery(executor, serial=self.serial)
        self._plans.statistics.planned += 1
        plan, cuts = found
        occasion = PartOccasion(context, values, lambda: self._delivering(values, context, extensions, none))
        return PlannedDelivery(PartRun(plan, cuts, occasion, allowance.take))

    def _delivering(
        self,
        values: VariableValues,
        context: object,
        extensions: dict[str, Any] | None,
        allowance: Allowance,
    ) -> DeliveringExecutor:
        executor = self.executor(values, context, extensions)
        assert isinstance(executor, DeliveringExecutor)  # noqa: S101 - `executor_class` says so
        executor.allowance = allowance
        return executor

    def _plan(self, executor: DeliveringExecutor) -> tuple[Plan, Cuts] | Fallback:
        key = tuple(map(executor.variable_values.coerced.get, self._conditions))
        if key not in self._variants:
            self._variants[key] = self._compiled(executor)
            if len(self._variants) > MAX_VARIANTS:
                self._variants.popitem(last=False)
        return self._variants[key]

    def _compiled(self, executor: DeliveringExecutor) -> tuple[Plan, Cuts] | Fallback:
        cuts = Cuts(executor.variable_values)
        plan = plan_or_reason(executor, serial=self.serial, wrapped=False, cuts=cuts)
        return plan if isinstance(plan, Fallback) else (plan, cuts)


class _Conditions(Visitor):
    """The variables that decide what is included, and what is put off."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, None] = {}

    def enter_directive(self, node: DirectiveNode, *_: object) -> None:
        if node.name.value in {"skip", "include", *NAMES}:
            for argument in node.arguments or ():
                if argument.name.value == "if" and isinstance(argument.value, VariableNode):
                    self.found[argument.value.name.value] = None
