"""Budgets of cost: a table that administrators change while it runs."""

import pytest

from domain.identity.audit import Actor
from domain.identity.limits import Asking
from domain.identity.postgres_spending import PostgresCostBudgets
from domain.identity.spending import CostBudgetSetting, Spending
from domain.platform.budgets import Bucket
from domain.platform.errors import Refused
from domain.platform.postgres import Database
from tests.accounts import Desk, new_id

ROOT = Actor(new_id())
DEFAULTS = {Asking.ANONYMOUS: Bucket(5_000, 100), Asking.FREE: Bucket(10_000, 200)}


def process(desk: Desk, database: Database) -> Spending:
    return Spending(PostgresCostBudgets(database), DEFAULTS, desk.service.audit, desk.clock.now)


async def test_a_budget_that_is_set_counts_at_once_here_and_with_the_next_look_elsewhere(
    desk: Desk, database: Database
) -> None:
    here, there = process(desk, database), process(desk, database)

    setting = await here.put(Asking.FREE, 20_000, 50, ROOT)

    assert setting == CostBudgetSetting(Asking.FREE, Bucket(20_000, 50), desk.clock.now())
    assert here.buckets == {**DEFAULTS, Asking.FREE: Bucket(20_000, 50)}
    assert there.buckets == DEFAULTS
    await there.look()
    assert there.buckets == here.buckets
    assert there.table() == here.table()


async def test_going_back_leaves_the_setting_of_the_process(desk: Desk, database: Database) -> None:
    here, there = process(desk, database), process(desk, database)
    await here.put(Asking.PREMIUM, 20_000, 50, ROOT)
    await there.look()

    found = await here.reset(Asking.PREMIUM, ROOT)
    again = await here.reset(Asking.PREMIUM, ROOT)
    await there.look()

    assert found == CostBudgetSetting(Asking.PREMIUM, None), "who was left out has no budget to keep to"
    assert again is None
    assert here.buckets == there.buckets == DEFAULTS


async def test_the_table_has_every_kind_of_caller(desk: Desk, database: Database) -> None:
    table = process(desk, database).table()

    assert [(entry.asking, entry.bucket) for entry in table] == [
        (Asking.ANONYMOUS, DEFAULTS[Asking.ANONYMOUS]),
        (Asking.FREE, DEFAULTS[Asking.FREE]),
        (Asking.PREMIUM, None),
        (Asking.ENTERPRISE, None),
    ]


async def test_each_change_is_on_record_with_what_it_changed(desk: Desk, database: Database) -> None:
    here = process(desk, database)
    await here.put(Asking.FREE, 20_000, 50, ROOT)
    await here.put(Asking.FREE, 30_000, 50, ROOT)
    await here.reset(Asking.FREE, ROOT)

    rows = await database.rows("SELECT action, resource_id, before, after FROM audit_entry ORDER BY id")
    assert [row["action"] for row in rows] == ["cost_budget.changed"] * 2 + ["cost_budget.reset"]
    assert rows[0]["before"] == {"capacity": 10_000, "per_second": 200}
    assert rows[1]["before"] == rows[0]["after"] == {"capacity": 20_000, "per_second": 50}
    assert (rows[2]["before"], rows[2]["after"]) == ({"capacity": 30_000, "per_second": 50}, None)


@pytest.mark.parametrize(
    ("capacity", "per_second", "fields"),
    [
        (1_999, 1, ["capacity"]),
        (2_000, 0.5, ["perSecond"]),
        (float("nan"), float("inf"), ["capacity", "perSecond"]),
        (-1, -1, ["capacity", "perSecond"]),
    ],
)
async def test_what_nobody_could_undo_is_refused(
    desk: Desk, database: Database, capacity: float, per_second: float, fields: list[str]
) -> None:
    here = process(desk, database)

    with pytest.raises(Refused) as refusal:
        await here.put(Asking.FREE, capacity, per_second, ROOT)

    assert [error.field[0] for error in refusal.value.errors] == fields
    assert here.buckets == DEFAULTS
    assert await database.value("SELECT count(*) FROM cost_budget") == 0
