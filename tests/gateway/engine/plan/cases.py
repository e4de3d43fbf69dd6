"""Cases at random, what graphql-core answers to them, and what else the specification would let it answer.

Two answers to a case have the same data. They may tell of different errors only where several fields fail
under one position that becomes null: any one of those that make it null may be told, and any of those that
are lost with it may be left out (https://spec.graphql.org/September2025/#sec-Handling-Execution-Errors).
"""

import os
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from inspect import isawaitable
from random import Random
from typing import Any, Final, NamedTuple
from unittest.mock import patch

from graphql import ExecutionResult, GraphQLNonNull, GraphQLSchema, execute, validate
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from gateway.engine.plan import PlannedExecutor, ahead
from gateway.engine.plan.ahead import Finish
from gateway.engine.plan.launch import Launcher, finished
from gateway.engine.plan.plan import Plans
from tests.gateway.engine.plan.documents import Operation, Writer
from tests.gateway.engine.plan.schemas import Made, made
from tests.gateway.engine.plan.twins import Answer, Told, answer, frozen, parsed
from tests.gateway.engine.plan.values import MOODS, World

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
SEED: Final = seed(0)
_OPERATIONS_OF_A_SCHEMA: Final = 6

Path = tuple[str | int, ...]


def look(next_: Any, *args: Any, **kwargs: Any) -> Any:
    """Middleware that changes nothing."""
    return next_(*args, **kwargs)


class Finished(NamedTuple):
    """A field of the root object that was complete, with its value as it was then."""

    value: Any


def shown(value: Any) -> Any:
    return value.value if isinstance(value, Finished) else value


def copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: copied(inner) for key, inner in value.items()}
    return [*map(copied, value)] if isinstance(value, list) else value


@dataclass
class Case:
    """An operation over a schema and its data."""

    made: Made
    operation: Operation
    seed: int
    mood: str
    takes_turns: bool = True
    """Whether graphql-core begins a mutation when the last is complete: what is lost may go on."""

    @cached_property
    def is_valid(self) -> bool:
        return not validate(self.core, parsed(self.operation.text))

    def __repr__(self) -> str:
        source = self.made.blueprint.source()
        return f"{source}\n{self.operation.text}\n{self.operation.variables}\n{self.seed} {self.mood}"

    @property
    def core(self) -> GraphQLSchema:
        return self.made.schema._schema

    @property
    def is_serial(self) -> bool:
        return self.operation.text.startswith("mutation")

    def world(self) -> World:
        return World(self.made, self.seed, MOODS[self.mood], self.is_serial)

    async def run(self, executor: type[Any], variables: dict[str, Any] | None = None) -> Answer:
        """What an executor answers."""
        world = self.world()
        result = execute(
            self.core,
            parsed(self.operation.text),
            None,
            world,
            self.operation.variables if variables is None else variables,
            middleware=[look] if self.made.blueprint.watched else None,
            executor_class=executor,
            is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]
        )
        found = answer(await result if isawaitable(result) else result)
        if executor is StrawberryGraphQLCoreExecutionContext:
            self.takes_turns = world.is_in_order
        if executor is PlannedExecutor and self.takes_turns:
            assert world.is_in_order, world.calls
        return found

    async def expected(self) -> "Expected":
        found = await self.run(StrawberryGraphQLCoreExecutionContext)
        return Expected(found, Everything() if found.errors and found.errors[0].path else None)

    async def planned(self) -> Answer:
        """What the plan answers, after it was asked with other variables; fails where there was none."""
        if self.operation.others:
            await self.run(PlannedExecutor, self.operation.others)
        statistics = Plans.of(self.core).statistics
        before = statistics.planned
        found = await self.run(PlannedExecutor)
        executed = found.data is not None or any(error.path for error in found.errors)
        assert statistics.planned == before + executed, statistics.fallbacks
        return found

    async def launched(self, finish: Finish | None = None) -> Answer:
        """What is answered where no executor was made for it."""
        world = self.world()
        launch = Launcher(self.core, parsed(self.operation.text), None).launch(
            self.operation.variables, world, None
        )
        if isinstance(launch, ExecutionResult):
            return answer(launch)
        launch.finish = finish
        found = answer(await finished(launch.run()))
        assert world.is_in_order or not self.takes_turns, world.calls
        return found

    async def ahead(self) -> Answer:
        """What is answered where fields of the root object, however small, are finished before others."""
        with patch.object(ahead, "WIDE", 1):
            found = await self.launched(lambda _key, value: Finished(copied(value)))
        if found.data is None:
            return found
        return replace(found, data={key: shown(value) for key, value in found.data.items()})

    async def answers(self) -> list[Answer]:
        """Of all ways to a plan."""
        if self.made.blueprint.watched:
            return [await self.planned()]
        return [await self.planned(), await self.launched(), await self.ahead()]


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

    async def complete(self, case: Case) -> "Expected":
        """With all that is to be known of its errors."""
        if self.everything is not None and not self.everything.errors:
            await self.everything.find(case)
        return self

    async def allows(self, case: Case, found: Answer) -> bool:
        """Whether `found` is as good an answer."""
        if frozen(found.data) != frozen(self.answer.data):
            return False
        if Counter(found.errors) == Counter(self.answer.errors):
            return True
        if self.everything is None:
            return False
        await self.complete(case)
        return self.everything.allow(found.errors)


def case(random: Random) -> Case:
    """A case over one of as many schemas as are worth it."""
    schema = made(random.randint(0, EXAMPLES // _OPERATIONS_OF_A_SCHEMA))
    operation = Writer(schema.blueprint, random).operation()
    return Case(schema, operation, random.randint(0, 2**32), random.choice([*MOODS, "odd leaves"]))


# Evenly spread, rather than small at first as hypothesis would have it.
CASES: Final = st.builds(case, st.randoms(use_true_random=True))


def drawn() -> list[Case]:
    """The cases that a test with `SEED`, `PROFILE` and `CASES` is given."""
    found: list[Case] = []

    @SEED
    @PROFILE
    @given(case=CASES)
    def collect(case: Case) -> None:
        found.append(case)

    collect()
    return found
