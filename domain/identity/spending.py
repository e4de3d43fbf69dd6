"""What callers may spend on operations: a budget for each tier, which administrators change while it runs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from domain.identity.audit import Action, Actor, Audit
from domain.identity.limits import Asking
from domain.identity.looking import look_again
from domain.platform.budgets import Bucket
from domain.platform.errors import Refused, UserError, UserErrorCode

LEAST_CAPACITY: Final = 2_000.0
"""Enough to set another budget: nobody locks themselves out."""
LEAST_PER_SECOND: Final = 1.0
MOST: Final = 1e12


@dataclass(frozen=True, slots=True)
class CostBudgetSetting:
    """The budget of each caller of a kind, and since when an administrator has it so."""

    asking: Asking
    bucket: Bucket | None
    """None for those who have no budget to keep to."""
    changed_at: datetime | None = None
    """None where the settings of the process say so."""


class CostBudgetStore(Protocol):
    """Keeps what administrators set."""

    async def settings(self) -> Sequence[CostBudgetSetting]: ...

    async def put(self, setting: CostBudgetSetting) -> None: ...

    async def drop(self, asking: Asking) -> bool:
        """Whether there was one."""
        ...


class Spending:
    """The budgets as this process knows them."""

    def __init__(
        self,
        store: CostBudgetStore,
        defaults: Mapping[Asking, Bucket],
        audit: Audit,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._defaults = defaults
        self._audit = audit
        self._now = now
        self._set: dict[Asking, CostBudgetSetting] = {}
        self.buckets: Mapping[Asking, Bucket] = dict(defaults)
        """Of each caller of a kind; who is not in here has no budget to keep to."""

    def table(self) -> list[CostBudgetSetting]:
        """Every kind of caller, with the budget that counts."""
        return [
            self._set.get(asking) or CostBudgetSetting(asking, self._defaults.get(asking))
            for asking in Asking
        ]

    async def put(self, asking: Asking, capacity: float, per_second: float, by: Actor) -> CostBudgetSetting:
        """Sets a budget, here at once and in every process within a second; raises `Refused`. Who has spent
        keeps what is left of it, as far as the new one holds it.
        """
        _check(capacity, per_second)
        setting = CostBudgetSetting(asking, Bucket(capacity, per_second), self._now())
        async with self._audit.writing():
            before = await self._current(asking)
            await self._store.put(setting)
            await self._audit.record(
                by, Action.COST_BUDGET_CHANGED, asking.value, _told(before), _told(setting.bucket)
            )
        self._take({**self._set, asking: setting})
        return setting

    async def reset(self, asking: Asking, by: Actor) -> CostBudgetSetting | None:
        """Drops what an administrator set; what counts then, None where there was nothing."""
        async with self._audit.writing():
            before = await self._current(asking)
            if not await self._store.drop(asking):
                return None
            await self._audit.record(by, Action.COST_BUDGET_RESET, asking.value, _told(before))
        self._take({kind: setting for kind, setting in self._set.items() if kind is not asking})
        return CostBudgetSetting(asking, self._defaults.get(asking))

    async def look(self) -> None:
        """Reads what was set, by whichever process; raises `GatewayError`."""
        self._take({setting.asking: setting for setting in await self._store.settings()})

    async def run(self) -> None:
        """Looks until cancelled."""
        await look_again(self.look, "cost_budgets")

    def _take(self, settings: dict[Asking, CostBudgetSetting]) -> None:
        self._set = settings
        changed = {asking: found.bucket for asking, found in settings.items() if found.bucket is not None}
        self.buckets = {**self._defaults, **changed}

    async def _current(self, asking: Asking) -> Bucket | None:
        for setting in await self._store.settings():
            if setting.asking is asking:
                return setting.bucket
        return self._defaults.get(asking)


def _told(bucket: Bucket | None) -> dict[str, float] | None:
    return None if bucket is None else {"capacity": bucket.capacity, "per_second": bucket.per_second}


def _check(capacity: float, per_second: float) -> None:
    wrong = [
        UserError(f"This is from {least:,.0f} to {MOST:,.0f}.", UserErrorCode.INVALID, (name,))
        for name, given, least in (
            ("capacity", capacity, LEAST_CAPACITY),
            ("perSecond", per_second, LEAST_PER_SECOND),
        )
        if not least <= given <= MOST
    ]
    if wrong:
        raise Refused(*wrong)
