"""What the gateway tells recommending of trends."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from domain.catalog.filters import Filter
from domain.discovery.postgres_trends import PostgresTrends
from domain.discovery.service import Discovery
from domain.platform.postgres import Database
from domain.sona.postgres import PostgresSona
from gateway.services import trending_of
from tests.domain.sona.viewers import House


async def test_only_what_somebody_watched_or_wanted_trends_hottest_first(
    house: House, database: Database
) -> None:
    await house.add("Known", popularity=99.0)
    warm, hot = await house.add("Warm", popularity=90.0), await house.add("Hot", popularity=0.0)
    one, other = await house.viewer(), await house.viewer()
    await house.watches(one, hot)
    await house.watches(other, hot)
    await house.watches(one, warm)
    discovery: Any = type("Trends", (), {"trends": PostgresTrends(database)})()
    trending = trending_of(cast(Discovery, discovery), PostgresSona(database))

    found = await trending(Filter(), None, house.now)
    long_after = await trending(Filter(), None, datetime(2026, 6, 1, tzinfo=UTC))

    assert [trended.id for trended in found] == [hot, warm]
    assert found[0].heat == pytest.approx(2 * found[1].heat, rel=1e-4)
    assert long_after == []
