"""Whether an operation may run for what it costs, and who pays.

Before it runs, the most it can cost is held against the limit and taken from its payer's budget; afterwards
the budget gets back what was not used. Only an answer that was executed is measured: whoever makes an
operation fail has used what it was expected to.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol

import orjson
import structlog
from graphql import OperationType

from domain.platform.budgets import Budgets, Charge, LocalBudgets, Payer
from domain.platform.errors import CostLimitExceeded, ErrorCode, GatewayError, TooManyRequests
from domain.platform.values import value
from gateway.engine.cost.dearest import dearest
from gateway.engine.cost.documents import Estimate
from gateway.engine.cost.measured import measured, of_event, of_field
from gateway.engine.results import OperationResult

_LARGEST_EXACT = 2**53


class CostMode(StrEnum):
    """What becomes of an operation that costs too much."""

    ENFORCE = "enforce"
    """It is refused."""
    WARN = "warn"
    """It runs, is logged and counted."""
    OFF = "off"
    """Nobody asks what it costs."""


class Costed(Protocol):
    """An operation whose cost is known."""

    @property
    def name(self) -> str | None: ...

    @property
    def type(self) -> OperationType: ...

    def estimate(self) -> Estimate:
        """BadInput where a list is left without the size that it insists on."""
        ...


def _kept(budgets: Budgets) -> Callable[[], Budgets]:
    return lambda: budgets


@dataclass(frozen=True, slots=True)
class CostPolicy:
    """Who pays how much, and who hears of it."""

    mode: CostMode = CostMode.ENFORCE
    limit: float = 25_000.0
    """Of one operation."""
    budgets: Callable[[], Budgets] = field(default_factory=lambda: _kept(LocalBudgets()))
    """Known once the process has opened what it shares."""
    payer_of: Callable[[Any], Payer] = lambda _: Payer()
    """From the context of an operation."""
    samples: Callable[[], bool] = lambda: False
    """Whether an operation is measured that nobody pays for."""
    spent: Callable[[Costed, float, float | None], None] = lambda _operation, _expected, _actual: None
    """Hears of each operation that ran, and of each event of a subscription: what it was expected to cost,
    and what it did, None where nobody measured.
    """
    exceeded: Callable[[Costed, GatewayError], None] = lambda _operation, _error: None
    """Hears of each that should not run, whether it does or not."""


@value
class Admitted:
    """An operation that may run, and what it was charged."""

    operation: Costed
    estimate: Estimate | None
    payer: Payer
    paid: float = 0.0
    measures: bool = False
    """Whether it is found out what it really cost."""
    ahead: dict[str, float] = field(default_factory=dict)
    """What fields of the root object cost that are written already, by response key."""

    def finish(self, key: str, answer: Any) -> Any:
        """Writes a field of the root object before the others are there; it stays as it is where it is no
        JSON, which whoever writes the whole answer will meet as well.
        """
        try:
            text = orjson.dumps(answer)
        except TypeError:
            return answer
        if self.measures and self.estimate is not None:
            self.ahead[key] = of_field(self.estimate, key, answer)
        return orjson.Fragment(text)


class Admission:
    """One for each engine."""

    def __init__(self, policy: CostPolicy) -> None:
        self._policy = policy

    async def admit(self, operation: Costed, context: Any) -> Admitted:
        """Charge it; raises CostLimitExceeded or TooManyRequests, and BadInput as `estimate` does."""
        policy = self._policy
        payer = policy.payer_of(context)
        if policy.mode is CostMode.OFF:
            return Admitted(operation, None, payer)
        estimate = operation.estimate()
        self._check(operation, estimate, payer)
        paid = await self._charge(operation, payer, estimate.cost, estimate.cost)
        return self._admitted(operation, estimate, payer, paid=paid)

    async def admit_together(self, wanted: Sequence[tuple[Costed, Any]]) -> list[Admitted]:
        """Charge operations of one caller as one: all of them may run, or none."""
        policy = self._policy
        payers = [policy.payer_of(context) for _, context in wanted]
        if policy.mode is CostMode.OFF:
            return [Admitted(op, None, payer) for (op, _), payer in zip(wanted, payers, strict=True)]
        estimates = [operation.estimate() for operation, _ in wanted]
        for (operation, _), estimate, payer in zip(wanted, estimates, payers, strict=True):
            self._check(operation, estimate, payer)
        paid = await self._pay([operation for operation, _ in wanted], estimates, payers)
        return [
            self._admitted(operation, estimate, payer, paid=paid)
            for (operation, _), estimate, payer in zip(wanted, estimates, payers, strict=True)
        ]

    def _admitted(self, operation: Costed, estimate: Estimate, payer: Payer, *, paid: bool) -> Admitted:
        measures = paid or payer.reports or self._policy.samples()
        return Admitted(operation, estimate, payer, estimate.cost if paid else 0.0, measures)

    async def settle(self, admitted: Admitted, result: OperationResult) -> OperationResult:
        """Give back what was not used; the result tells what it cost where its caller asks."""
        estimate, payer = admitted.estimate, admitted.payer
        if estimate is None:
            return result
        actual = self._actual(admitted, estimate, result)
        if actual is not None and admitted.paid and payer.bucket is not None and actual != admitted.paid:
            balance = await self._policy.budgets().settle(payer.key, payer.bucket, admitted.paid - actual)
            payer.charge = Charge(estimate.cost, balance)
        self._policy.spent(admitted.operation, estimate.cost, actual)
        return _reported(result, estimate, actual, payer) if payer.reports else result

    async def event(
        self, admitted: Admitted, result: OperationResult
    ) -> tuple[OperationResult, GatewayError | None]:
        """Charge one event of a subscription what it cost; the error that ends the stream after it, if any.

        An event that cannot be paid is delivered still, as it was worked out; there is none behind it.
        """
        estimate, payer = admitted.estimate, admitted.payer
        if estimate is None:
            return result, None
        actual = of_event(estimate, result.data)
        self._policy.spent(admitted.operation, estimate.cost, actual)
        refused = None
        try:
            await self._charge(admitted.operation, payer, actual, actual)
        except TooManyRequests as error:
            refused = error
        return _reported(result, estimate, actual, payer) if payer.reports else result, refused

    def _check(self, operation: Costed, estimate: Estimate, payer: Payer) -> None:
        """Raises CostLimitExceeded for an operation that nobody, or not this payer, could ever run."""
        limit = self._policy.limit
        if payer.bucket is not None:
            limit = min(limit, payer.bucket.capacity)
        if estimate.cost > limit:
            self._exceeded(operation, _too_dear(estimate, limit))

    def _actual(self, admitted: Admitted, estimate: Estimate, result: OperationResult) -> float | None:
        if not result.executed:
            # Nothing was resolved for want of good variables; all else may have taken what was expected.
            return 0.0 if result.code is ErrorCode.BAD_USER_INPUT else estimate.cost
        if result.data is None:
            return estimate.cost
        return measured(estimate, result.data, admitted.ahead) if admitted.measures else None

    async def _pay(
        self, operations: Sequence[Costed], estimates: Sequence[Estimate], payers: Sequence[Payer]
    ) -> bool:
        total = sum(estimate.cost for estimate in estimates)
        paid = await self._charge(operations[0], payers[0], total, total)
        for payer, estimate in zip(payers, estimates, strict=True):
            payer.charge = Charge(estimate.cost, payers[0].charge.balance if payers[0].charge else None)
        return paid

    async def _charge(self, operation: Costed, payer: Payer, cost: float, amount: float) -> bool:
        """Whether it was paid; raises TooManyRequests where it has to be."""
        if payer.bucket is None:
            payer.charge = Charge(cost)
            return False
        balance = await self._policy.budgets().pay(payer.key, payer.bucket, amount)
        payer.charge = Charge(cost, balance)
        if not balance.paid:
            self._exceeded(operation, _too_soon(payer, amount))
        return balance.paid

    def _exceeded(self, operation: Costed, error: GatewayError) -> None:
        self._policy.exceeded(operation, error)
        if self._policy.mode is CostMode.ENFORCE:
            raise error
        structlog.get_logger("gateway.engine").warning(
            "graphql.cost_exceeded", operation=operation.name, code=error.code.value, told=error.message
        )


def _too_dear(estimate: Estimate, limit: float) -> CostLimitExceeded:
    found = dearest(estimate)
    where = f"most of it at `{found.path}`"
    if found.argument is not None:
        mend = (
            f"ask for fewer by `{found.argument}` of `{found.list_path}`, which makes {found.items:,} there"
        )
    elif found.list_path is not None:
        mend = f"ask for less below `{found.list_path}`, of which up to {found.items:,} are expected"
    else:
        mend = "ask for less in one operation"
    return CostLimitExceeded(
        f"The operation may cost {estimate.cost:,.0f}, {where}, and the limit is {limit:,.0f}: {mend}.",
        cost=_shown(estimate.cost),
        limit=_shown(limit),
        path=found.path,
        listPath=found.list_path,
        argument=found.argument,
        items=found.items,
    )


def _too_soon(payer: Payer, amount: float) -> TooManyRequests:
    assert payer.bucket is not None and payer.charge is not None and payer.charge.balance is not None  # noqa: S101, PT018 - it was just charged
    balance = payer.charge.balance
    seconds = max(1, math.ceil(balance.wait_seconds(payer.bucket, amount)))
    return TooManyRequests(
        f"This costs {amount:,.0f}, and {max(0.0, balance.left):,.0f} of your budget of "
        f"{payer.bucket.capacity:,.0f} are left: try again in {seconds:,} seconds.",
        retryAfter=seconds,
        cost=_shown(amount),
        throttleStatus=_throttle_status(payer),
    )


def _reported(
    result: OperationResult, estimate: Estimate, actual: float | None, payer: Payer
) -> OperationResult:
    cost: dict[str, Any] = {
        "requestedQueryCost": _shown(estimate.cost),
        "actualQueryCost": None if actual is None else _shown(actual),
    }
    if (status := _throttle_status(payer)) is not None:
        cost["throttleStatus"] = status
    return replace(result, extensions={**(result.extensions or {}), "cost": cost})


def _throttle_status(payer: Payer) -> dict[str, float] | None:
    if payer.bucket is None or payer.charge is None or payer.charge.balance is None:
        return None
    return {
        "maximumAvailable": _shown(payer.bucket.capacity),
        "currentlyAvailable": _shown(math.floor(payer.charge.balance.left)),
        "restoreRate": _shown(payer.bucket.per_second),
    }


def _shown(amount: float) -> float:
    """A whole number where it is one that JSON readers can take."""
    return int(amount) if amount == int(amount) and abs(amount) < _LARGEST_EXACT else amount
