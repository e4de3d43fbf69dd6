"""Cases at random, what graphql-core answers to them, and what else the specification would let it answer.

Two answers to a case have the same data. They may tell of different errors only where several fields fail
under one position that becomes null: any one of those that make it null may be told, and any of those that
are lost with it may be left out (https://spec.graphql.org/September2025/#sec-Handling-Execution-Errors).
"""

import os
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from inspect import isawaitable
from random import Random
from typing import Any, Final

from graphql import GraphQLNonNull, execute, validate
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from gateway.engine.plan import PlannedExecutor
from gateway.engine.plan.plan import Plans
from tests.gateway.engine.plan.documents import Operation, Writer
from tests.gateway.engine.plan.schemas import Made, made
from tests.gateway.engine.plan.twins import Answer, Told, answer, frozen, parsed
from tests.gateway.engine.plan.values import World

EXAMPLES: Final = int(os.environ.get("MEDIA_GATEWAY_TEST_EXAMPLES", "300"))
"""How many cases are tried; the same ones each time."""
PROFILE: Final = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
_OPERATIONS_OF_A_SCHEMA: Final = 6

Path = tuple[str | int, ...]


async def watch(next_: Any, *args: Any, **kwargs: Any) -> Any:
    """Middleware that waits."""
    found = next_(*args, **kwargs)
    return await found if isawaitable(found) else found


def look(next_: Any, *args: Any, **kwargs: Any) -> Any:
    """Middleware that changes nothing."""
    return next_(*args, **kwargs)


@dataclass
class Case:
    """An operation over a schema and its data."""

    made: Made
    operation: Operation
    seed: int
    odds: float

    @cached_property
    def is_valid(self) -> bool:
        return not validate(self.made.schema._schema, parsed(self.operation.text))

    def __repr__(self) -> str:
        source = self.made.blueprint.source()
        return f"{source}\n{self.operation.text}\n{self.operation.variables}\n{self.seed} {self.odds}"

    async def run(self, executor: type[Any]) -> Answer:
        """What an executor answers."""
        result = execute(
            self.made.schema._schema,
            parsed(self.operation.text),
            None,
            World(self.made, self.seed, self.odds),
            self.operation.variables,
            middleware=[look] if self.made.blueprint.watched else None,
            executor_class=executor,
            is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]
        )
        return answer(await result if isawaitable(result) else result)

    async def expected(self) -> "Expected":
        found = await self.run(StrawberryGraphQLCoreExecutionContext)
        return Expected(found, Everything() if found.errors and found.errors[0].path else None)

    async def planned(self) -> Answer:
        """What the plan answers; fails where there was none."""
        statistics = Plans.of(self.made.schema._schema).statistics
        before = statistics.planned
        found = await self.run(PlannedExecutor)
        executed = found.data is not None or any(error.path for error in found.errors)
        assert statistics.planned == before + executed, statistics.fallbacks
        return found


@dataclass
class Everything:
    """All errors of a case, where none ends anything else, and which positions must not be null."""

    errors: list[Told] = field(default_factory=list)
    firm: dict[Path, bool] = field(default_factory=dict)

    async def find(self, case: Case) -> None:
        firm = self.firm

        class Unpropagated(StrawberryGraphQLCoreExecutionContext):
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(*args, **kwargs)
                self.error_propagation = False

            def complete_value(
                self, return_type: Any, field_details_list: Any, info: Any, path: Any, *args: Any
            ) -> Any:
                firm.setdefault((*path.as_list(),), isinstance(return_type, GraphQLNonNull))
                return super().complete_value(return_type, field_details_list, info, path, *args)

            def handle_field_error(
                self, raw_error: Any, return_type: Any, field_details_list: Any, path: Any
            ) -> None:
                firm.setdefault((*path.as_list(),), isinstance(return_type, GraphQLNonNull))
                super().handle_field_error(raw_error, return_type, field_details_list, path)

        self.errors = [*(await case.run(Unpropagated)).errors]

    def null(self, path: Path | None) -> Path:
        """The position that an error at `path` makes null; () for the whole response."""
        assert path is not None
        while path and self.firm[path]:
            path = path[:-1]
        return path

    def allow(self, told: tuple[Told, ...]) -> bool:
        """Whether an answer may tell of these errors."""
        if Counter(told) - Counter(self.errors):
            return False
        nulls = Counter(self.null(error.path) for error in told)
        every = {self.null(error.path) for error in self.errors}
        shown = {null for null in every if not any(null[:length] in every for length in range(len(null)))}
        return all(count == 1 for count in nulls.values()) and shown <= nulls.keys()


@dataclass
class Expected:
    """What graphql-core answers to a case."""

    answer: Answer
    everything: Everything | None

    async def allows(self, case: Case, found: Answer) -> bool:
        """Whether `found` is as good an answer."""
        if frozen(found.data) != frozen(self.answer.data):
            return False
        if Counter(found.errors) == Counter(self.answer.errors):
            return True
        if self.everything is None:
            return False
        if not self.everything.errors:
            await self.everything.find(case)
        return self.everything.allow(found.errors)


def case(number: int, random: Random) -> Case:
    """A case over the schema of this number."""
    schema = made(number)
    operation = Writer(schema.blueprint, random).operation()
    return Case(schema, operation, random.randint(0, 2**32), random.choice((0.0, 0.02, 0.1, 0.3)))


CASES: Final = st.builds(
    case,
    st.integers(0, max(1, EXAMPLES // _OPERATIONS_OF_A_SCHEMA)),
    st.randoms(use_true_random=False),
)
