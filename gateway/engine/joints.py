"""Executions of one operation that differ in their variables, as a single one.

Where many ask for a title each, all that an execution does besides the titles is the same for each: calls of
resolvers and loaders, turns of the event loop, questions to the database. While several are under way, those
who come in one turn are executed together. Nobody is given what was read before they asked, nor anything of
another's: what came up for one of them alone is found out by each.
"""

import asyncio
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import Context
from typing import Any, Final, NamedTuple, Protocol

import orjson
from graphql import ExecutionResult, Undefined

from domain.platform.deadline import afresh
from domain.platform.tracing import LEFT_OUT
from domain.platform.validity import Validity, observed_validity
from gateway.engine.plan.failures import Data
from gateway.engine.plan.joint import Apart, JointRun
from gateway.engine.plan.launch import Launch
from gateway.engine.plan.plan import Plan, Token
from gateway.engine.turns import Work

WIDEST: Final = 50
"""Values of one position that are completed together: nobody else is served while that is done."""
CROWDED_SECONDS: Final = 1.0
"""So long after several were under way, who comes waits a turn for others."""
APART_SECONDS: Final = 10.0
"""For so long each is executed by itself, where something came up for one of them, or they show too much."""
_REMEMBERED: Final = 0.9
"""Of the breadth that was known, with each execution."""


class Anybody(Protocol):
    """A context in the name of everybody of one audience."""

    @property
    def told_caller(self) -> bool:
        """Whether a resolver asked who asks."""
        ...

    @property
    def told_audience(self) -> bool:
        """Whether a resolver asked for what the audience has in common."""
        ...


class Found(NamedTuple):
    """What came of an execution in nobody's name."""

    result: ExecutionResult
    validity: Validity
    anybody: Anybody
    """Its context."""


class Joints:
    """What is under way, and what comes after it together."""

    def __init__(self) -> None:
        self._gathering: dict[Hashable, _Joint] = {}
        self.joined = 0
        """Operations that were executed together with others."""

    @staticmethod
    def apply(plan: Plan) -> bool:
        """Whether an execution that begins now is to go together with others."""
        # A trace shows what was done for its own operation, and no more.
        if not plan.joins or not LEFT_OUT.get():
            return False
        token, now = plan.token, time.monotonic()
        return token.apart_until <= now and (token.running > 0 or now < token.crowded_until)

    @staticmethod
    @contextmanager
    def running(plan: Plan) -> Iterator[None]:
        """The block waits for an execution of the plan by itself."""
        plan.token.running += 1
        try:
            yield
        finally:
            plan.token.running -= 1

    async def find(
        self, launch: Launch, audience: Hashable, anybody: Callable[[], Anybody], seconds: float
    ) -> Found | None:
        """What comes of it in the name of `anybody` of an audience; None where each is to find out alone.

        `seconds` is what all of them together may take.
        """
        plan = launch.plan
        assert plan is not None  # noqa: S101 - who calls this looked
        key = (plan.token, audience, alike(launch))
        joint = self._gathering.get(key)
        if joint is None or joint.work.abandoned:
            joint = self._begin(key, plan, launch.by(anybody()), seconds)
        else:
            joint.launches.append(launch)
        place = len(joint.launches) - 1
        if len(joint.launches) >= _room(plan.token):
            self._close(key, joint)
        try:
            results, validity = await joint.work.executed()
        except Apart:
            return None
        self.joined += len(joint.launches) > 1
        return Found(ExecutionResult(results[place]), validity, joint.anybody)

    def _begin(self, key: Hashable, plan: Plan, launch: Launch, seconds: float) -> "_Joint":
        joint = self._gathering[key] = _Joint(launch)
        # Nothing of whoever is the first is around it.
        task = asyncio.get_running_loop().create_task(
            self._execute(key, joint, plan, seconds), context=Context()
        )
        task.add_done_callback(lambda _: self._close(key, joint))
        joint.work = Work(task)
        return joint

    def _close(self, key: Hashable, joint: "_Joint") -> None:
        if self._gathering.get(key) is joint:
            del self._gathering[key]

    async def _execute(
        self, key: Hashable, joint: "_Joint", plan: Plan, seconds: float
    ) -> tuple[Sequence[Data], Validity]:
        token = plan.token
        LEFT_OUT.set(True)
        # One turn more, for those whom the network just brings to this point.
        await asyncio.sleep(0)
        self._close(key, joint)
        if len(joint.launches) > 1 or token.running > 0:
            token.crowded_until = time.monotonic() + CROWDED_SECONDS
        run = JointRun(plan, joint.launches)
        try:
            with afresh(seconds), observed_validity() as validity:
                results = await run.results()
        except Apart:
            _keep_apart(token)
            raise
        if joint.anybody.told_caller:
            _keep_apart(token)
            raise Apart
        token.breadth = max(run.breadth, _REMEMBERED * token.breadth)
        if _room(token) == 1:
            _keep_apart(token)
        return results, validity


class _Joint:
    """Launches that are executed together."""

    __slots__ = ("anybody", "launches", "work")

    work: Work[tuple[Sequence[Data], Validity]]

    def __init__(self, first: Launch) -> None:
        self.launches = [first]
        self.anybody: Any = first.context
        """In whose name."""


def _room(token: Token) -> int:
    """How many may go together."""
    return max(1, int(WIDEST / token.breadth)) if token.breadth else 2


def _keep_apart(token: Token) -> None:
    token.apart_until = time.monotonic() + APART_SECONDS
    token.breadth = 0.0


def alike(launch: Launch) -> tuple[bytes, ...]:
    """What has to be the same of variables for launches of one plan to go together."""
    assert launch.plan is not None  # noqa: S101 - who calls this looked
    sources = launch.variables.sources
    given = ((sources[name].value if name in sources else Undefined) for name in launch.plan.variables_below)
    return tuple(
        b"" if value is Undefined else orjson.dumps(value, option=orjson.OPT_SORT_KEYS) for value in given
    )
