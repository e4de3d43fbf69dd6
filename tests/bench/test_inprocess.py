import orjson

from bench.inprocess import TITLES, Way
from gateway.engine.plan import Plans


async def test_plans_answer_as_stock_strawberry_does_and_are_used() -> None:
    stock = await Way.of("stock", planned=False).answer()
    for batched in (False, True):
        way = Way.of("planned", planned=True, batched=batched)

        assert await way.answer() == stock

        statistics = Plans.of(way.schema._schema).statistics
        assert (statistics.planned, statistics.fallbacks) == (1, {})
    assert len(orjson.loads(stock)["titles"]) == TITLES
