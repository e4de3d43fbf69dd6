"""Operations are charged before they run, and get back what they did not use."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson
import pytest
import strawberry
from strawberry.federation import Schema
from structlog.testing import capture_logs

from domain.platform.budgets import Bucket, LocalBudgets, Payer
from domain.platform.errors import CostLimitExceeded, GatewayError, TooManyRequests
from gateway.engine.admission import Costed, CostMode, CostPolicy
from gateway.engine.execution import Engine, Operation
from gateway.engine.plan import ahead
from gateway.engine.requests import OperationRequest
from gateway.engine.results import OperationResult
from schema.costs import sliced
from schema.views import edge, stream
from tests.accounts import Clock

BUCKET = Bucket(capacity=100, per_second=2)


class Spent(NamedTuple):
    operation: Costed
    requested: float
    actual: float | None


@dataclass
class Till:
    """The context of one operation."""

    payer: Payer
    done: list[str] = field(default_factory=list)


TillInfo = strawberry.Info[Till, None]


@strawberry.type
class Toy:
    name: str


def _toys(info: TillInfo, first: int | None = None, stock: int = 3) -> list[Toy]:
    info.context.done.append("toys")
    return [Toy(name=str(number)) for number in range(min(20 if first is None else first, stock))]


async def _late_toys(info: TillInfo, first: int) -> list[Toy]:
    for _ in range(first):
        await asyncio.sleep(0)
    return _toys(info, first, 20)


def _toy(info: TillInfo) -> Toy:
    info.context.done.append("toy")
    return Toy(name="bear")


def _broken() -> list[str]:
    raise RuntimeError("the drawer of secrets is at /etc/toys")


async def _arrivals(to: int = 5) -> AsyncGenerator[list[Toy], None]:
    for number in range(to):
        yield [Toy(name=str(number))] * 28


@strawberry.type
class Query:
    toys: list[Toy] = edge(_toys, list_size=sliced(["first"], 20))
    late_toys: list[Toy] = edge(_late_toys, list_size=sliced(["first"], 20))
    toy: Toy = edge(_toy, cost=8)
    broken: list[str] = edge(_broken, cost=8)


@strawberry.type
class Subscription:
    arrivals: list[Toy] = stream(_arrivals, cost=30)


class Shop:
    """An engine with a till, and what was heard at it."""

    def __init__(
        self, mode: CostMode = CostMode.ENFORCE, limit: float = 90.0, *, samples: bool = False
    ) -> None:
        self.clock = Clock()
        self.budgets = LocalBudgets(self.clock.seconds)
        self.spent: list[Spent] = []
        self.exceeded: list[tuple[Costed, GatewayError]] = []
        policy = CostPolicy(
            mode=mode,
            limit=limit,
            budgets=lambda: self.budgets,
            payer_of=lambda context: context.payer,
            samples=lambda: samples,
            spent=lambda *spent: self.spent.append(Spent(*spent)),
            exceeded=lambda operation, error: self.exceeded.append((operation, error)),
        )
        self.engine = Engine(Schema(Query, subscription=Subscription, federation_version="2.9"), costs=policy)

    def operation(self, document: str, **variables: Any) -> Operation:
        return self.engine.prepare(OperationRequest(document, variables=variables))

    async def run(self, document: str, till: Till, **variables: Any) -> OperationResult:
        return await self.engine.execute(self.operation(document, **variables), till)

    async def left(self, key: str = "a") -> float:
        return (await self.budgets.settle(key, BUCKET, 0)).left


def paying(key: str = "a", *, reports: bool = False) -> Till:
    return Till(Payer(key, BUCKET, reports))


def extensions_of(result: OperationResult) -> dict[str, Any]:
    [error] = result.errors
    extensions: dict[str, Any] = error["extensions"]
    return extensions


TOYS = "query Toys($first: Int) { toys(first: $first) { name } }"


async def test_what_costs_more_than_the_limit_is_refused_before_it_runs() -> None:
    shop, till = Shop(), paying()

    result = await shop.run(TOYS, till, first=89)

    assert not result.executed
    assert till.done == []
    assert await shop.left() == 100
    assert extensions_of(result) == {
        "code": "COST_LIMIT_EXCEEDED",
        "cost": 91,
        "limit": 90,
        "path": "toys",
        "listPath": "toys",
        "argument": "first",
        "items": 89,
    }
    assert result.errors[0]["message"] == (
        "The operation may cost 91, most of it at `toys`, and the limit is 90: "
        "ask for fewer by `first` of `toys`, which makes 89 there."
    )
    assert (await shop.run(TOYS, till, first=88)).executed


async def test_a_budget_that_can_never_pay_limits_as_well() -> None:
    shop = Shop(limit=1_000)

    result = await shop.run(TOYS, paying(), first=99)

    assert extensions_of(result)["limit"] == 100
    assert (await shop.run(TOYS, Till(Payer()), first=99)).executed


async def test_an_answer_without_lists_names_what_costs_and_no_argument() -> None:
    shop = Shop(limit=9)

    message = (await shop.run("{ toy { name } }", paying())).errors[0]["message"]

    assert message == (
        "The operation may cost 10, most of it at `toy`, and the limit is 9: ask for less in one operation."
    )


async def test_what_was_not_used_is_given_back() -> None:
    shop, till = Shop(), paying()

    await shop.run(TOYS, till, first=50)

    assert till.payer.charge is not None
    assert till.payer.charge.cost == 52
    assert await shop.left() == 100 - (1 + 1 + 3)
    assert [(one.operation.name, one.requested, one.actual) for one in shop.spent] == [("Toys", 52, 5)]


async def test_the_budget_is_charged_while_the_operation_runs() -> None:
    shop, first, second = Shop(), paying(), paying()
    operation = shop.operation(TOYS, first=50)

    await shop.engine.admission.admit(operation, first)
    late = await shop.engine.execute(operation, second)

    assert extensions_of(late)["code"] == "RATE_LIMITED"
    assert second.done == []


async def test_whoever_waits_as_long_as_told_may_run() -> None:
    shop = Shop()
    await shop.budgets.pay("a", BUCKET, 95)

    refused = await shop.run("{ toy { name } }", paying())

    assert extensions_of(refused) == {
        "code": "RATE_LIMITED",
        "retryAfter": 3,
        "cost": 10,
        "throttleStatus": {"maximumAvailable": 100, "currentlyAvailable": 5, "restoreRate": 2},
    }
    assert refused.errors[0]["message"] == (
        "This costs 10, and 5 of your budget of 100 are left: try again in 3 seconds."
    )
    shop.clock.turn(3)
    assert (await shop.run("{ toy { name } }", paying())).executed


async def test_others_pay_from_their_own_budget() -> None:
    shop = Shop()
    await shop.budgets.pay("a", BUCKET, 100)

    assert (await shop.run("{ toy { name } }", paying("b"))).executed


@pytest.mark.parametrize("document", ["{ broken }", "{ toys(first: 50) { name } broken }"])
async def test_what_fails_is_not_given_back(document: str) -> None:
    shop = Shop()

    result = await shop.run(document, paying())

    assert result.data is None
    assert await shop.left() == 100 - shop.spent[0].requested


async def test_what_could_not_start_for_want_of_good_variables_is_given_back() -> None:
    shop = Shop()

    result = await shop.run(TOYS, paying(), first="many")

    assert extensions_of(result)["code"] == "BAD_USER_INPUT"
    assert await shop.left() == 100


async def test_the_answer_tells_what_it_cost_if_asked() -> None:
    shop = Shop()

    asked = await shop.run(TOYS, paying(reports=True), first=50)
    fixed = await shop.run("{ toy { name } }", paying(reports=True))
    silent = await shop.run(TOYS, paying(), first=50)
    free = await shop.run(TOYS, Till(Payer(reports=True)), first=50)

    status = {"maximumAvailable": 100, "currentlyAvailable": 95, "restoreRate": 2}
    cost = {"requestedQueryCost": 52, "actualQueryCost": 5}
    assert asked.extensions == {"cost": cost | {"throttleStatus": status}}
    assert fixed.extensions == {
        "cost": {
            "requestedQueryCost": 10,
            "actualQueryCost": 10,
            "throttleStatus": status | {"currentlyAvailable": 85},
        }
    }
    assert not silent.extensions
    assert free.extensions == {"cost": cost}


async def test_who_has_no_budget_is_limited_but_not_charged() -> None:
    shop, till = Shop(), Till(Payer())

    for _ in range(5):
        assert (await shop.run(TOYS, till, first=80)).executed

    assert extensions_of(await shop.run(TOYS, till, first=100))["code"] == "COST_LIMIT_EXCEEDED"
    assert {one.actual for one in shop.spent} == {None}


async def test_a_sample_of_what_nobody_pays_for_is_measured() -> None:
    shop = Shop(samples=True)

    await shop.run(TOYS, Till(Payer()), first=80)

    assert shop.spent[0].actual == 5


@pytest.mark.parametrize("reports", [True, False])
@pytest.mark.parametrize("paid", [True, False])
async def test_what_is_written_before_the_rest_is_charged_as_ever(
    monkeypatch: pytest.MonkeyPatch, *, reports: bool, paid: bool
) -> None:
    text = "{ a: lateToys(first: 3) { name } b: lateToys(first: 6) { name } toy { name } }"
    told = []
    for wide in (50, 1):
        monkeypatch.setattr(ahead, "WIDE", wide)
        shop = Shop()
        result = await shop.run(text, Till(Payer("a", BUCKET if paid else None, reports)))
        assert result.data is not None
        assert [type(value) is orjson.Fragment for value in result.data.values()] == [wide == 1] * 2 + [False]
        told.append((shop.engine.to_bytes(result), shop.spent[0].actual, await shop.left()))

    assert told[0] == told[1]
    assert told[0][1] == (21 if reports or paid else None)


async def test_what_is_no_json_is_left_to_whoever_writes_the_whole_answer() -> None:
    shop = Shop()
    operation = shop.operation("{ toy { name } }")
    admitted = await shop.engine.admission.admit(operation, paying())

    assert admitted.finish("toy", {"name": {1, 2}}) == {"name": {1, 2}}
    assert admitted.ahead == {}


async def test_what_nobody_measures_is_written_and_not_counted() -> None:
    shop = Shop()
    admitted = await shop.engine.admission.admit(shop.operation("{ toy { name } }"), Till(Payer()))

    assert orjson.dumps(admitted.finish("toy", {"name": "a"})) == b'{"name":"a"}'
    assert admitted.ahead == {}


async def test_warnings_let_it_run_and_say_so() -> None:
    shop, till = Shop(CostMode.WARN), paying()

    with capture_logs() as logs:
        dear = await shop.run(TOYS, till, first=95)
        again = await shop.run(TOYS, paying("b"), first=95)

    assert dear.executed
    assert again.executed
    assert till.done == ["toys"]
    assert [(type(error), operation.name) for operation, error in shop.exceeded] == [
        (CostLimitExceeded, "Toys"),
        (CostLimitExceeded, "Toys"),
    ]
    assert [(line["event"], line["operation"], line["code"]) for line in logs] == [
        ("graphql.cost_exceeded", "Toys", "COST_LIMIT_EXCEEDED"),
        ("graphql.cost_exceeded", "Toys", "COST_LIMIT_EXCEEDED"),
    ]


async def test_what_could_not_be_paid_runs_on_a_warning_and_is_not_given_back() -> None:
    shop = Shop(CostMode.WARN)
    await shop.budgets.pay("a", BUCKET, 60)

    assert (await shop.run(TOYS, paying(), first=50)).executed
    assert [type(error) for _, error in shop.exceeded] == [TooManyRequests]
    assert await shop.left() == 40


async def test_turned_off_nobody_asks() -> None:
    shop, till = Shop(CostMode.OFF), paying(reports=True)

    result = await shop.run(TOYS, till, first=1_000_000)

    assert result.executed
    assert not result.extensions
    assert not shop.spent
    assert not shop.exceeded
    assert till.payer.charge is None


async def test_refusals_are_heard_of() -> None:
    shop = Shop()

    await shop.run(TOYS, paying(), first=1_000)

    assert [type(error) for _, error in shop.exceeded] == [CostLimitExceeded]
    assert shop.spent == []


async def test_operations_that_come_together_are_paid_as_one() -> None:
    shop, tills = Shop(), [paying(), paying()]
    operations = [shop.operation(TOYS, first=first) for first in (50, 20)]

    admitted = await shop.engine.admission.admit_together(list(zip(operations, tills, strict=True)))
    charged = await shop.left()
    for operation, till, one in zip(operations, tills, admitted, strict=True):
        assert (await shop.engine.execute(operation, till, one)).executed

    assert charged == 100 - (52 + 22)
    assert [till.payer.charge.cost for till in tills if till.payer.charge] == [52, 22]
    assert await shop.left() == 100 - 2 * 5


async def test_of_operations_that_come_together_all_run_or_none() -> None:
    shop, tills = Shop(), [paying(), paying()]
    operations = [shop.operation(TOYS, first=first) for first in (60, 60)]

    with pytest.raises(TooManyRequests):
        await shop.engine.admission.admit_together(list(zip(operations, tills, strict=True)))

    assert await shop.left() == 100
    assert [till.done for till in tills] == [[], []]


async def test_operations_at_the_same_time_cannot_spend_more_than_there_is() -> None:
    shop = Shop()
    tills = [paying() for _ in range(20)]

    results = await asyncio.gather(*(shop.run("{ toy { name } }", till) for till in tills))

    assert sum(result.executed for result in results) == 10
    assert sum(till.done == ["toy"] for till in tills) == 10


ARRIVALS = "subscription Arrivals { arrivals { name } }"


async def results_of(shop: Shop, document: str, till: Till) -> list[OperationResult]:
    return [result async for result in shop.engine.subscribe(shop.operation(document), till)]


async def test_a_subscription_pays_to_start_and_for_each_event() -> None:
    shop = Shop()
    # 1 for the root, 30 for the stream, and 10 toys that are expected.
    start, event = 41, 1 + 28

    results = await results_of(shop, ARRIVALS, paying(reports=True))

    assert [one.requested for one in shop.spent] == [start] * len(shop.spent)
    assert [one.actual for one in shop.spent] == [event] * len(shop.spent)
    assert results[0].extensions is not None
    assert results[0].extensions["cost"]["throttleStatus"]["currentlyAvailable"] == 100 - start - event


async def test_a_subscription_ends_where_its_next_event_cannot_be_paid() -> None:
    shop = Shop()

    *events, last = await results_of(shop, ARRIVALS, paying())

    # The third could not be paid, was worked out, and is delivered all the same.
    assert [event.data["arrivals"][0]["name"] for event in events if event.data] == ["0", "1", "2"]
    assert extensions_of(last)["code"] == "RATE_LIMITED"
    assert not last.executed


async def test_a_subscription_that_costs_too_much_does_not_start() -> None:
    shop = Shop(limit=40)

    [only] = await results_of(shop, ARRIVALS, paying())

    assert extensions_of(only)["code"] == "COST_LIMIT_EXCEEDED"
    assert await shop.left() == 100


async def test_a_figure_too_large_for_json_readers_is_rounded() -> None:
    shop = Shop()

    result = await shop.run(
        "{ " + " ".join(f"t{n}: toys(first: 2147483647) {{ name }}" for n in range(9)) + " }", paying()
    )

    assert shop.engine.to_bytes(result).startswith(b'{"errors"')
