"""What administrators set of the budgets, in PostgreSQL."""

from collections.abc import Sequence

from domain.identity.limits import Asking
from domain.identity.spending import CostBudgetSetting
from domain.platform.budgets import Bucket
from domain.platform.postgres import Database


class PostgresCostBudgets:
    """Fills `CostBudgetStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def settings(self) -> Sequence[CostBudgetSetting]:
        rows = await self._database.rows("SELECT asking, capacity, per_second, changed_at FROM cost_budget")
        return [CostBudgetSetting(Asking(row[0]), Bucket(row[1], row[2]), row[3]) for row in rows]

    async def put(self, setting: CostBudgetSetting) -> None:
        bucket = setting.bucket
        await self._database.execute(
            """INSERT INTO cost_budget (asking, capacity, per_second, changed_at) VALUES ($1, $2, $3, $4)
               ON CONFLICT (asking) DO UPDATE SET capacity = $2, per_second = $3, changed_at = $4""",
            setting.asking.value,
            None if bucket is None else bucket.capacity,
            None if bucket is None else bucket.per_second,
            setting.changed_at,
        )

    async def drop(self, asking: Asking) -> bool:
        dropped = await self._database.value(
            "DELETE FROM cost_budget WHERE asking = $1 RETURNING TRUE", asking.value
        )
        return dropped is True
