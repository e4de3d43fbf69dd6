"""Plans: operations written as Python, kept as long as their documents are asked for."""

import math
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from graphql import (
    DirectiveNode,
    ExecutableDefinitionNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
)
from graphql.execution.collect_fields import collect_fields
from graphql.execution.executor import Executor
from graphql.execution.values import VariableValues

from gateway.engine.plan.cache_policy import Policy, overall
from gateway.engine.plan.cuts import Cuts
from gateway.engine.plan.emit import Emitter
from gateway.engine.plan.emit_cuts import CuttingEmitter
from gateway.engine.plan.facts import Facts
from gateway.engine.plan.fallback import Fallback, Unplannable
from gateway.engine.plan.meeting import feeders
from gateway.engine.plan.positions import Position

MAX_PLANS: Final = 1_000
MAX_VARIANTS: Final = 16
"""Of one operation: one for each set of values of the variables that include or skip."""
_ATTRIBUTE: Final = "_media_gateway_plans"

Root: TypeAlias = Callable[..., None]
Block: TypeAlias = Callable[..., None]


@dataclass(slots=True, eq=False)
class Token:
    """Stands for a plan, and no other, where the plan itself is too large to be kept; and what its executions
    were like.
    """

    running: int = 0
    """How many wait for something, each by itself."""
    crowded_until: float = -math.inf
    """By the monotonic clock: until then it is worth while to wait a turn for others."""
    breadth: float = 0.0
    """The most values of one position in one execution; 0 where that is not known."""
    apart_until: float = -math.inf
    """By the monotonic clock: until then each is executed by itself."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """The functions of an operation."""

    roots: Mapping[str, Root]
    """By response key, what puts a field into the root object."""
    serial: bool
    """Whether each field is complete before the next is begun."""
    columns: Sequence[Sequence[Position]]
    feeders: Sequence[frozenset[int]]
    """For each column what is waited for before it is asked for; see `meeting.py`."""
    blocks: Mapping[int, Block]
    """By the number of a position in a column, what completes its values."""
    policy: Policy
    """For how long, and for whom, the whole answer stays true."""
    common: frozenset[str]
    """By response key, the fields of the root object that may be given to others."""
    common_policy: Policy
    """The same as `policy`, of these alone."""
    own: frozenset[str]
    """The others, but for `__typename`."""
    is_constant: bool
    """Whether it asks for nothing but `__typename`, so that every execution comes to the same."""
    variables_below: frozenset[str]
    """The variables that arguments read below the fields of the root object."""
    branches: Mapping[int, str]
    """By the number of a position, the response key of the field of the root object that it is in; empty
    where there is one, or each waits for the one before.
    """
    token: Token = field(default_factory=Token)

    @property
    def joins(self) -> bool:
        """Whether executions with other variables at the root may be one: all of it is for others as well."""
        return bool(self.common) and not self.own


@dataclass
class Statistics:
    """How operations were executed."""

    planned: int = 0
    compiled: int = 0
    fallbacks: Counter[Fallback] = field(default_factory=Counter)
    """Executions left to graphql-core, by reason."""


@dataclass(slots=True)
class PlannedOperation:
    """An operation and its plans: one for each set of values of the variables that include or skip."""

    node: OperationDefinitionNode
    """Kept, so that its id stays its own."""
    conditions: tuple[str, ...]
    """The variables that decide what is included."""
    unplannable: Fallback | None
    variants: "OrderedDict[Any, Plan | Fallback]" = field(default_factory=OrderedDict)
    """A plan, or why there is none."""

    def key(self, variables: VariableValues, *, serial: bool, wrapped: bool) -> Any:
        """Of the variant for these variables."""
        return serial, wrapped, *map(variables.coerced.get, self.conditions)


class Plans:
    """The plans of one schema, the least recently used leave first."""

    def __init__(self, most: int = MAX_PLANS) -> None:
        self.statistics = Statistics()
        self._most = most
        self._operations: OrderedDict[int, PlannedOperation] = OrderedDict()

    @staticmethod
    def of(schema: GraphQLSchema) -> "Plans":
        """Those kept with `schema`."""
        found = getattr(schema, _ATTRIBUTE, None)
        if not isinstance(found, Plans):
            found = Plans()
            setattr(schema, _ATTRIBUTE, found)
        return found

    def find(self, executor: Executor[Any], *, serial: bool) -> Plan | None:
        """The plan for this execution; None, and counted, where it has to be interpreted."""
        reason = _unusual(executor)
        if reason is None:
            found = self._find(executor, serial=serial)
            if isinstance(found, Plan):
                self.statistics.planned += 1
                return found
            reason = found
        self.statistics.fallbacks[reason] += 1
        return None

    def _find(self, executor: Executor[Any], *, serial: bool) -> Plan | Fallback:
        operation = self.operation(executor.operation, executor.fragment_definitions)
        if operation.unplannable is not None:
            return operation.unplannable
        wrapped = bool(executor.middleware_manager is not None and executor.middleware_manager.middlewares)
        key = operation.key(executor.variable_values, serial=serial, wrapped=wrapped)
        plan = operation.variants.get(key)
        if plan is None:
            plan = self._compile(executor, serial=serial, wrapped=wrapped)
            operation.variants[key] = plan
            if len(operation.variants) > MAX_VARIANTS:
                operation.variants.popitem(last=False)
        return plan

    def operation(
        self, node: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
    ) -> PlannedOperation:
        """What is known of an operation."""
        found = self._operations.get(id(node))
        if found is None:
            directives = _Directives()
            for definition in (node, *fragments.values()):
                directives.look_through(definition)
            found = PlannedOperation(node, tuple(directives.conditions), directives.unplannable)
            self._operations[id(node)] = found
            if len(self._operations) > self._most:
                self._operations.popitem(last=False)
        else:
            self._operations.move_to_end(id(node))
        return found

    def _compile(self, executor: Executor[Any], *, serial: bool, wrapped: bool) -> Plan | Fallback:
        plan = plan_or_reason(executor, serial=serial, wrapped=wrapped)
        if isinstance(plan, Plan):
            self.statistics.compiled += 1
        return plan


def plan_or_reason(
    executor: Executor[Any], *, serial: bool, wrapped: bool, cuts: Cuts | None = None
) -> Plan | Fallback:
    """The plan that `compile_plan` makes, or why there is none."""
    try:
        return compile_plan(executor, serial=serial, wrapped=wrapped, cuts=cuts)
    except Unplannable as unplannable:
        return unplannable.reason
    except GraphQLError:
        return Fallback.CONDITION
    except (RecursionError, SyntaxError, MemoryError):
        return Fallback.SIZE


def compile_plan(executor: Executor[Any], *, serial: bool, wrapped: bool, cuts: Cuts | None = None) -> Plan:
    """The operation of `executor` for its variables' conditions; raises `Unplannable`, and `GraphQLError` for
    conditions that graphql-core refuses. `cuts` takes what is not to be completed at once.
    """
    operation = executor.operation
    type_ = executor.schema.get_root_type(operation.operation)
    if type_ is None:
        raise Unplannable(Fallback.NO_ROOT_TYPE)
    collected = collect_fields(
        executor.schema,
        executor.fragments,
        executor.variable_values,
        type_,
        operation,
        executor.hide_suggestions,
    )
    emitter = Emitter(executor, wrapped=wrapped) if cuts is None else CuttingEmitter(executor, cuts)
    roots = emitter.roots(
        type_, collected.grouped_field_set if cuts is None else cuts.split(type_, collected)
    )
    if cuts is not None:
        cuts.bind(emitter.objects, emitter.positions)
    every = Facts.of(executor.schema).policies(emitter.positions)
    common = {key: policy for key, policy in every.items() if policy.shared and not serial}
    return Plan(
        roots=roots,
        serial=serial,
        columns=emitter.columns,
        feeders=feeders(emitter.columns),
        blocks={
            position.number: emitter.objects[f"B{position.number}"]
            for positions in emitter.columns
            for position in positions
        },
        policy=overall(every.values()),
        common=frozenset(common),
        common_policy=overall(common.values()),
        own=frozenset(every.keys() - common.keys()),
        is_constant=not every,
        variables_below=frozenset().union(
            *(
                position.arguments.variables
                for position in emitter.positions
                if position.parent is not None and position.arguments is not None
            )
        ),
        branches={position.number: position.root.key for position in emitter.positions}
        if len(roots) > 1 and not serial
        else {},
    )


class _Directives:
    """What an operation's directives ask of the executor."""

    def __init__(self) -> None:
        self.conditions: dict[str, None] = {}
        self.unplannable: Fallback | None = None

    def look_through(self, definition: ExecutableDefinitionNode) -> None:
        if isinstance(definition, FragmentDefinitionNode) and definition.variable_definitions:
            self.unplannable = Fallback.FRAGMENT_VARIABLES
        ahead: list[SelectionSetNode] = [definition.selection_set]
        while ahead:
            for selection in ahead.pop().selections:
                for directive in selection.directives or ():
                    self._note(directive)
                below = getattr(selection, "selection_set", None)
                if below is not None:
                    ahead.append(below)

    def _note(self, node: DirectiveNode) -> None:
        if node.name.value in {"skip", "include"}:
            for argument in node.arguments or ():
                if isinstance(argument.value, VariableNode):
                    self.conditions[argument.value.name.value] = None
        elif node.name.value in {"defer", "stream"}:
            self.unplannable = Fallback(node.name.value)


def _unusual(executor: Executor[Any]) -> Fallback | None:
    """Why this execution, rather than the operation, has to be interpreted."""
    if not executor.error_propagation:
        return Fallback.ERROR_PROPAGATION
    if executor.abort_signal is not None:
        return Fallback.ABORT_SIGNAL
    if executor.hooks is not None:
        return Fallback.HOOKS
    return None


def is_serial(executor: Executor[Any], serially: bool | None) -> bool:  # noqa: FBT001 - graphql-core's argument
    return executor.operation.operation is OperationType.MUTATION if serially is None else serially
