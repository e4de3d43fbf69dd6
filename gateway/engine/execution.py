"""Running operations through strawberry, with the document already prepared."""

import asyncio
import copy
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import field, replace
from typing import Any, TypeAlias, cast

import orjson
import strawberry
from graphql import ExecutionResult as CoreResult
from graphql import GraphQLError, OperationType
from strawberry.types import ExecutionResult
from strawberry.types.execution import ExecutionContext
from strawberry.types.graphql import OperationType as StrawberryOperationType

from domain.platform.deadline import within
from domain.platform.errors import Forbidden, GatewayError, Unauthenticated
from domain.platform.values import value
from gateway.engine.admission import Admission, Admitted, CostPolicy
from gateway.engine.cost.documents import Estimate
from gateway.engine.documents import DocumentStore, Prepared, Rejected
from gateway.engine.errors import ErrorFormatter
from gateway.engine.incremental.delivery import Deliveries
from gateway.engine.incremental.formats import Format
from gateway.engine.lifetime import Lifetime
from gateway.engine.limits import Excess, Guard, Limits
from gateway.engine.plan import PlannedExecutor
from gateway.engine.plan.cache_policy import Policy
from gateway.engine.plan.launch import Launch, finished
from gateway.engine.plan.plan import Plans
from gateway.engine.requests import OperationRequest
from gateway.engine.results import OperationResult
from gateway.engine.sharing import Answer, Answering, Sharing, unshared


@value
class Operation:
    """An operation that is ready to run."""

    prepared: Prepared
    name: str | None
    variables: dict[str, Any] | None
    extensions: dict[str, Any] | None
    type: OperationType
    constant: OperationResult | None = field(default=None, init=False, repr=False, compare=False)
    """What every execution comes to, where that is so, and it was executed before."""
    _estimate: Estimate | None = field(default=None, init=False, repr=False, compare=False)

    def estimate(self) -> Estimate:
        if self._estimate is None:
            self._estimate = self.prepared.costs.of(self.name).estimate(self.variables)  # type: ignore[misc]
        return self._estimate


class _PreparedDocuments(strawberry.Schema):
    """A schema that takes a Prepared where strawberry takes a text, and then neither parses nor validates.

    Everything else of strawberry (extensions, permissions, custom execution contexts) works as ever.
    """

    def _create_execution_context(
        self,
        query: Any,
        allowed_operation_types: Iterable[StrawberryOperationType],
        *args: Any,
        **kwargs: Any,
    ) -> ExecutionContext:
        text = query.text if isinstance(query, Prepared) else query
        context = super()._create_execution_context(text, allowed_operation_types, *args, **kwargs)
        if isinstance(query, Prepared):
            context.graphql_document = query.whole
            context.validation_rules = ()
        return context

    def process_errors(self, errors: Any, execution_context: Any = None) -> None:
        """Nothing: the engine logs what it masks; a caller's own mistake is no line in our log."""


def _taking_prepared(schema: strawberry.Schema, *, planned: bool) -> strawberry.Schema:
    twin = copy.copy(schema)
    if planned:
        twin.execution_context_class = PlannedExecutor
    twin.__class__ = type(f"Prepared{type(schema).__name__}", (_PreparedDocuments, type(schema)), {})
    return twin


Observe: TypeAlias = Callable[[Operation, OperationResult, float], None]
"""Hears of an operation, its result, and the seconds that took."""


MayIntrospect: TypeAlias = Callable[[Any], bool]
"""Whether who asks with this context may see the schema."""
Note: TypeAlias = Callable[[Excess, bool], None]
"""Hears of something larger than it may be, and whether it was refused."""


class Engine:
    """Answers operations over one schema, whatever carries them."""

    def __init__(  # noqa: PLR0913 - what is not given has its default
        self,
        schema: strawberry.Schema,
        limits: Limits | None = None,
        errors: ErrorFormatter | None = None,
        *,
        introspection: bool | MayIntrospect = True,
        planned: bool = True,
        observe: Observe | None = None,
        note: Note | None = None,
        costs: CostPolicy | None = None,
        sharing: Callable[[], Sharing | None] = lambda: None,
    ) -> None:
        """`planned`: operations are compiled; else graphql-core interprets them. `sharing` is known once the
        process has opened what it keeps.

        `observe` is told of each query and mutation that ran, `note` of each limit that was exceeded.
        """
        self._observe = observe
        self._sharing = sharing
        self.admission = Admission(costs or CostPolicy())
        self.limits = limits or Limits()
        self.guard = Guard(self.limits, note) if note else Guard(self.limits)
        self.errors = errors or ErrorFormatter()
        self.schema = schema._schema  # noqa: SLF001 - the graphql-core schema has no public name
        self.documents = DocumentStore(self.schema, self.guard, self.errors)
        self.may_introspect = introspection if callable(introspection) else lambda _context: introspection
        self._schema = _taking_prepared(schema, planned=planned)
        extended = bool(schema.get_extensions())
        self._launches = planned and not extended
        self._statistics = Plans.of(self.schema).statistics
        # Extensions of a schema expect one answer to an operation.
        self._deliveries = (
            None
            if extended
            else Deliveries(self.schema, self.guard, self.errors, self.admission, self._result, planned)
        )

    def executions(self) -> Mapping[str, int]:
        """How many operations were executed: as `planned`, or without a plan, by the reason."""
        statistics = self._statistics
        by_reason = {reason.value: count for reason, count in statistics.fallbacks.items()}
        return {"planned": statistics.planned, **by_reason}

    def prepare(self, request: OperationRequest, *, trusted: bool = False) -> Operation:
        """The operation that the request's text asks for; raises Rejected with the errors to answer.

        A trusted document is not held to the limits on documents.
        """
        prepared = self.documents.prepare(request.query, trusted=trusted)
        try:
            name = prepared.operation_name(request.operation_name)
            if prepared.incremental is not None:
                prepared.incremental.check(name, request.variables)
        except GatewayError as error:
            raise Rejected([self.errors.of_exception(error)]) from None
        except GraphQLError as error:
            raise Rejected(self.errors.of_request([error])) from None
        type_ = prepared.operations[name]
        return Operation(prepared, name, request.variables, request.extensions, type_)

    async def execute(
        self, operation: Operation, context: object, admitted: Admitted | None = None
    ) -> OperationResult:
        """Run a query or mutation. Never raises for what resolvers do; a passed deadline answers TIMEOUT.

        `admitted` says that it was charged already, together with others.
        """
        started = time.perf_counter()
        try:
            admitted = admitted or await self.admission.admit(operation, context)
            result = await self.admission.settle(admitted, await self._execute(operation, context, admitted))
        except Exception as error:  # noqa: BLE001 - refused, or a fault of the budgets: masked like any other
            result = self.failed(error)
        if self._observe is not None:
            self._observe(operation, result, time.perf_counter() - started)
        return result

    async def _execute(self, operation: Operation, context: object, admitted: Admitted) -> OperationResult:
        if operation.constant is not None:
            self._statistics.planned += 1
            return operation.constant
        if operation.prepared.introspects and not self.may_introspect(context):
            return self.failed(_introspection_is_off())
        with within(self.limits.deadline_seconds) as seconds:
            try:
                answering = self._answering(operation, context, admitted)
                if isinstance(answering, Answer):
                    return self._result(*answering)
                async with asyncio.timeout(seconds):
                    return self._result(*await answering)
            except TimeoutError:
                return self.failed(self.limits.too_late())
            except Exception as error:  # noqa: BLE001 - the last net: whatever strawberry lets through is masked
                return self.failed(error)

    def _answering(self, operation: Operation, context: object, admitted: Admitted) -> Answering:
        """The answer, or what to await for it."""
        if not self._launches:
            return self._executed_by_strawberry(operation, context)
        launcher = operation.prepared.launcher(operation.name, self.schema)
        launch = launcher.launch(operation.variables, context, operation.extensions)
        if isinstance(launch, CoreResult):
            return Answer(launch, None)
        if launch.plan is not None and launch.plan.is_constant:
            return self._constant(operation, launch)
        if launch.plan is not None and launch.plan.branches:
            launch.finish = admitted.finish
        sharing = self._sharing()
        if sharing is not None and sharing.applies(launch, context):
            return sharing.execute(launch, operation.variables, context, self.limits.deadline_seconds)
        return unshared(launch)

    def _constant(self, operation: Operation, launch: Launch) -> Answering:
        answer = unshared(launch)
        if isinstance(answer, Answer) and not answer.result.errors:
            result = self._result(*answer)
            operation.constant = replace(result, known_bytes=result.to_bytes())  # type: ignore[misc]
        return answer

    def delivers(self, operation: Operation) -> bool:
        """Whether `deliver` may answer it in parts."""
        incremental = operation.prepared.incremental
        return (
            incremental is not None
            and self._deliveries is not None
            and incremental.asks(operation.name, operation.variables)
        )

    async def deliver(
        self, operation: Operation, context: object, format_: Format = Format.CURRENT
    ) -> AsyncGenerator[OperationResult, None]:
        """Run a query or mutation as `execute` does, with what @defer and @stream name in Parts of their own.

        One result that is no Part where nothing is put off. Closing the stream ends what still runs.
        """
        if self._deliveries is None or not self.delivers(operation):
            yield await self.execute(operation, context)
            return
        started, given = time.perf_counter(), OperationResult()
        try:
            self._check_introspection(operation, context)
            async with aclosing(self._deliveries.answer(operation, context, format_)) as results:
                async for result in results:
                    given = replace(given, errors=[*given.errors, *result.errors])
                    yield result
        except Exception as error:  # noqa: BLE001 - as in execute
            given = self.failed(error)
            yield given
        finally:
            if self._observe is not None:
                self._observe(operation, given, time.perf_counter() - started)

    def _check_introspection(self, operation: Operation, context: object) -> None:
        """Raises Forbidden where it may not be."""
        if operation.prepared.introspects and not self.may_introspect(context):
            raise _introspection_is_off()

    async def _executed_by_strawberry(self, operation: Operation, context: object) -> Answer:
        """Where extensions of the schema may watch, or plans are turned off."""
        result = await self._schema.execute(
            # _PreparedDocuments takes it.
            cast("str", operation.prepared),
            variable_values=operation.variables,
            context_value=context,
            operation_name=operation.name,
            operation_extensions=operation.extensions,
        )
        return Answer(cast("CoreResult", result), None)  # strawberry's is one but in name

    async def subscribe(
        self,
        operation: Operation,
        context: object,
        lifetime: Lifetime | None = None,
        format_: Format = Format.CURRENT,
    ) -> AsyncGenerator[OperationResult, None]:
        """Run any operation as a stream; a query or mutation is a stream of one, or of its parts.

        A result that was not `executed` is the last, and says why there is no more: UNAUTHENTICATED when
        the `lifetime` of the caller's identity is over; RATE_LIMITED where the budget cannot pay
        for more events. Closing the stream closes the resolver's generator.
        """
        if operation.type is not OperationType.SUBSCRIPTION:
            async with aclosing(self.deliver(operation, context, format_)) as answers:
                async for answer in answers:
                    yield answer
            return
        if operation.prepared.introspects and not self.may_introspect(context):
            yield self.failed(_introspection_is_off())
            return
        try:
            admitted = await self.admission.admit(operation, context)
            lifetime = lifetime or Lifetime()
            async with aclosing(await self._events(operation, context)) as source:
                while True:
                    try:
                        async with lifetime.limit():
                            result = await anext(source)
                    except TimeoutError:
                        raise Unauthenticated(lifetime.reason) from None
                    except StopAsyncIteration:
                        return
                    told, refusal = await self.admission.event(admitted, self._result(result))
                    yield told
                    if refusal is not None:
                        yield self.failed(refusal)
                        return
        except Exception as error:  # noqa: BLE001 - as in execute
            yield self.failed(error)

    async def _events(
        self, operation: Operation, context: object
    ) -> AsyncGenerator[CoreResult | ExecutionResult, None]:
        if self._launches:
            return self._launched_events(operation, context)
        return await self._schema.subscribe(
            cast("str", operation.prepared),
            variable_values=operation.variables,
            context_value=context,
            operation_name=operation.name,
            operation_extensions=operation.extensions,
        )

    async def _launched_events(
        self, operation: Operation, context: object
    ) -> AsyncGenerator[CoreResult, None]:
        """What `_events` gives, without strawberry's ceremony around each event."""
        launcher = operation.prepared.launcher(operation.name, self.schema)
        launch = launcher.subscribe(operation.variables, context, operation.extensions)
        if isinstance(launch, CoreResult):
            yield launch
            return
        events = await launch.events()
        if isinstance(events, CoreResult):
            yield events
            return
        try:
            async for event in events:
                yield await finished(launch.upon(event).run())
        finally:
            if isinstance(events, AsyncGenerator):
                await events.aclose()

    async def answer(self, request: OperationRequest, context: object) -> OperationResult:
        """Prepare and execute in one go."""
        try:
            operation = self.prepare(request)
        except Rejected as rejected:
            return OperationResult.rejected(rejected.errors)
        return await self.execute(operation, context)

    def failed(self, error: BaseException) -> OperationResult:
        """The answer to an exception outside of any field."""
        return OperationResult.rejected([self.errors.of_exception(error)])

    def to_bytes(self, result: OperationResult) -> bytes:
        """The result as JSON; a scalar that answered with something else is masked like any other fault."""
        try:
            return result.to_bytes()
        except (TypeError, orjson.JSONEncodeError) as error:
            return replace(self.failed(error), executed=True).to_bytes()

    def _result(self, result: CoreResult | ExecutionResult, policy: Policy | None = None) -> OperationResult:
        errors = result.errors or []
        # Nothing was resolved if there is no data and no error says at which field it was lost.
        executed = result.data is not None or any(error.path is not None for error in errors)
        if not errors:
            return OperationResult(result.data, [], result.extensions, policy)
        if executed:
            return OperationResult(result.data, self.errors.of_execution(errors), result.extensions)
        return OperationResult(None, self.errors.of_unexecuted(errors), result.extensions, executed=False)


def _introspection_is_off() -> Forbidden:
    return Forbidden("GraphQL introspection has been disabled here: sign in as somebody who may use it.")
