"""One operation through graphql-core's own executor and through plans: the answers must be the same.

`ask` is what tests of single rules use: it fails where the answers differ in anything, or where no plan was
used although one should be, and returns the answer to compare with what the specification demands.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from inspect import isawaitable
from typing import Any, NamedTuple

import strawberry
from graphql import ExecutionResult, GraphQLError, GraphQLSchema, execute, parse, validate
from strawberry.types import ExecutionResult as StrawberryResult
from strawberry.types.execution import ExecutionContext

from gateway.engine.plan import PlannedExecutor
from gateway.engine.plan.launch import Launcher, finished
from gateway.engine.plan.plan import Plans

Schema = strawberry.Schema | GraphQLSchema
Make = Callable[[], Any]
"""Makes what executions must not share."""


class Told(NamedTuple):
    """What an error tells."""

    message: str
    path: tuple[str | int, ...] | None
    locations: tuple[tuple[int, int], ...]
    extensions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """A result to compare: data is the same only with its types and the order of its keys."""

    data: Any
    errors: tuple[Told, ...] = ()
    """In the order in which they were told."""

    @property
    def told(self) -> list[tuple[str, str]]:
        """Message and dotted path of each error, sorted."""
        return sorted((error.message, ".".join(map(str, error.path or ()))) for error in self.errors)

    def is_same(self, other: "Answer") -> bool:
        """Whether nothing tells the answers apart but the order of their errors."""
        return frozen(self.data) == frozen(other.data) and Counter(self.errors) == Counter(other.errors)


def nothing() -> None:
    """No context, no root value."""


def frozen(data: Any) -> Any:
    """Data in which 1, 1.0 and True differ, NaN equals itself, and the order of keys counts."""
    if isinstance(data, dict):
        return dict, tuple((key, frozen(value)) for key, value in data.items())
    if isinstance(data, list):
        return list, tuple(map(frozen, data))
    return data.__class__, repr(data)


def answer(result: ExecutionResult | StrawberryResult) -> Answer:
    return Answer(result.data, tuple(map(told, result.errors or ())))


def told(error: GraphQLError) -> Told:
    return Told(
        error.message,
        None if error.path is None else tuple(error.path),
        tuple((at.line, at.column) for at in error.locations or ()),
        tuple((key, repr(value)) for key, value in (error.extensions or {}).items()),
    )


def core_of(schema: Schema) -> GraphQLSchema:
    return schema._schema if isinstance(schema, strawberry.Schema) else schema


parsed = lru_cache(1_000)(parse)
"""Documents are kept, as plans are kept with their operations."""


class _Parsing(strawberry.Schema):
    """A schema that keeps the documents it is asked."""

    def _create_execution_context(self, query: Any, *args: Any, **kwargs: Any) -> ExecutionContext:
        context = super()._create_execution_context(query, *args, **kwargs)
        context.graphql_document = parsed(query)
        return context

    def process_errors(self, errors: Any, execution_context: Any = None) -> None:
        """Nothing: errors are compared, not logged."""


def twin(schema: strawberry.Schema, *, plans: bool) -> strawberry.Schema:
    """A schema whose operations are compiled, or interpreted."""
    made = copy(schema)
    made.__class__ = _Parsing
    if plans:
        made.execution_context_class = PlannedExecutor
    return made


async def answered(
    schema: Schema,
    document: str,
    variables: dict[str, Any] | None = None,
    context: Any = None,
    root: Any = None,
    name: str | None = None,
    *,
    plans: bool,
) -> Answer:
    """The answer of one executor."""
    if isinstance(schema, strawberry.Schema):
        return answer(
            await twin(schema, plans=plans).execute(
                document,
                variable_values=variables,
                context_value=context,
                root_value=root,
                operation_name=name,
            )
        )
    result = execute(
        schema,
        parsed(document),
        root,
        context,
        variables,
        name,
        executor_class=PlannedExecutor if plans else None,
    )
    return answer(await result if isawaitable(result) else result)


async def launched(
    schema: strawberry.Schema, document: str, variables: dict[str, Any] | None, context: Any, name: str | None
) -> Answer:
    """The answer of a launcher that has launched before: the second launch needs no executor."""
    launcher = Launcher(core_of(schema), parsed(document), name)
    launcher.launch(variables, context, None)
    launch = launcher.launch(variables, context, None)
    return answer(launch if isinstance(launch, ExecutionResult) else await finished(launch.run()))


async def ask(
    schema: Schema,
    document: str,
    variables: dict[str, Any] | None = None,
    *,
    context: Make = nothing,
    root: Make = nothing,
    name: str | None = None,
    falls_back: str | None = None,
    executed: bool = True,
) -> Answer:
    """The one answer that all executors give.

    `falls_back`: the reason for which graphql-core has to interpret the operation. `executed`: False where
    the request fails before any field is executed.
    """
    statistics = Plans.of(core_of(schema)).statistics
    before = statistics.planned, Counter(statistics.fallbacks)
    expected = await answered(schema, document, variables, context(), root(), name, plans=False)
    compiled = await answered(schema, document, variables, context(), root(), name, plans=True)
    assert_same(compiled, expected)
    fallbacks = [*(statistics.fallbacks - before[1]).elements()]
    assert fallbacks == ([falls_back] if falls_back else []), fallbacks
    assert statistics.planned - before[0] == (1 if executed and not falls_back else 0)
    if isinstance(schema, strawberry.Schema) and can_launch(schema, document) and root() is None:
        assert_same(await launched(schema, document, variables, context(), name), expected)
    return expected


def can_launch(schema: strawberry.Schema, document: str) -> bool:
    """Whether the engine would execute the document without strawberry's ceremony."""
    return not schema.get_extensions() and not validate(core_of(schema), parsed(document))


def assert_same(compiled: Answer, expected: Answer) -> None:
    assert compiled.is_same(expected), f"plan: {compiled}\ngraphql-core: {expected}"


async def events(stream: Awaitable[Any], *, most: int = 10) -> Sequence[Answer]:
    """The answers of a subscription, up to `most`."""
    source = await stream
    if isinstance(source, ExecutionResult | StrawberryResult):
        return [answer(source)]
    found = []
    async for result in source:
        found.append(answer(result))
        if len(found) == most:
            break
    return found
