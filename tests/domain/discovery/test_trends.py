from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from domain.catalog.filters import Filter
from domain.catalog.model import ContentKind
from domain.discovery.model import TrendWindow
from domain.discovery.postgres_trends import PostgresTrends
from domain.platform.postgres import Database
from tests.catalogue import add_series, parts_of
from tests.domain.discovery.works import add_works, work

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WORKS = [("Known", 90.0), ("Middling", 50.0), ("Obscure", 1.0)]


@dataclass
class Audience:
    """Viewers, and what they leave behind."""

    database: Database
    ids: dict[str, int]

    async def viewer(self, region: str = "US") -> str:
        account = str(uuid4())
        await self.database.execute(
            "INSERT INTO account (id, display_name, region) VALUES ($1, 'V', $2)", account, region
        )
        await self.database.execute(
            "INSERT INTO device (id, account_id, name, kind) VALUES ($1, $1, 'TV', 'tv')", account
        )
        return account

    async def plays(self, viewer: str, content_id: int, at: datetime = NOW) -> None:
        await self.database.execute(
            """INSERT INTO playback_session (id, account_id, device_id, content_id, viewing, state,
                                             position_seconds, duration_seconds, started_at, updated_at)
               VALUES ($1, $2, $2, $3, 1, 'playing', 0, 100, $4, $4)""",
            str(uuid4()),
            viewer,
            content_id,
            at,
        )

    async def wants(self, viewer: str, content_id: int, *, removed: bool = False) -> None:
        await self.database.execute(
            """INSERT INTO watchlist_tag (account_id, tag, content_id, added_at, removed)
               VALUES ($1, $2, $3, $4, $5)""",
            viewer,
            str(uuid4()),
            content_id,
            NOW,
            removed,
        )

    async def trends(
        self,
        window: TrendWindow = TrendWindow.DAY,
        region: str | None = None,
        wanted: Filter | None = None,
        as_of: datetime = NOW,
    ) -> list[str]:
        titles = {id_: title for title, id_ in self.ids.items()}
        found = await PostgresTrends(self.database).trending(window, region, wanted or Filter(), as_of)
        return [titles[trend.id] for trend in found]


@pytest.fixture
async def audience(database: Database) -> Audience:
    works = [work(title, popularity=popularity) for title, popularity in WORKS]
    return Audience(database, await add_works(database, *works))


async def test_a_fresh_catalogue_is_in_the_order_of_popularity(audience: Audience) -> None:
    assert await audience.trends() == ["Known", "Middling", "Obscure"]


async def test_viewers_lift_a_work(audience: Audience) -> None:
    for _ in range(3):
        await audience.plays(await audience.viewer(), audience.ids["Obscure"])

    assert await audience.trends() == ["Obscure", "Known", "Middling"]


async def test_one_viewer_cannot_lift_a_work_by_repetition(audience: Audience) -> None:
    viewer = await audience.viewer()
    for _ in range(50):
        await audience.plays(viewer, audience.ids["Obscure"])

    assert (await audience.trends())[0] == "Known"


async def test_older_activity_counts_less_and_then_not_at_all(audience: Audience) -> None:
    for _ in range(2):
        await audience.plays(await audience.viewer(), audience.ids["Obscure"], NOW)
        await audience.plays(await audience.viewer(), audience.ids["Middling"], NOW - timedelta(hours=23))

    assert (await audience.trends())[0] == "Obscure"
    assert await audience.trends(as_of=NOW + timedelta(days=2)) == ["Known", "Middling", "Obscure"]
    assert (await audience.trends(TrendWindow.WEEK, as_of=NOW + timedelta(days=2)))[0] == "Middling"


async def test_what_came_after_the_list_is_not_in_it(audience: Audience) -> None:
    for _ in range(3):
        await audience.plays(await audience.viewer(), audience.ids["Obscure"], NOW + timedelta(seconds=1))

    assert (await audience.trends())[0] == "Known"


async def test_a_region_counts_its_own_viewers(audience: Audience) -> None:
    for _ in range(3):
        await audience.plays(await audience.viewer("DE"), audience.ids["Obscure"])

    assert (await audience.trends(region="DE"))[0] == "Obscure"
    assert (await audience.trends(region="US"))[0] == "Known"


async def test_wishes_count_until_they_are_taken_back(audience: Audience) -> None:
    for _ in range(4):
        await audience.wants(await audience.viewer(), audience.ids["Obscure"])
        await audience.wants(await audience.viewer(), audience.ids["Middling"], removed=True)

    assert await audience.trends() == ["Obscure", "Known", "Middling"]


async def test_an_episode_counts_for_its_series(audience: Audience, database: Database) -> None:
    series = await add_series(database, "Saga", seasons=(1,))
    [season] = await parts_of(database, series)
    [episode] = await parts_of(database, season)
    audience.ids["Saga"] = series
    for _ in range(3):
        await audience.plays(await audience.viewer(), episode)

    assert (await audience.trends())[0] == "Saga"


async def test_a_filter_holds_for_hot_and_known_works_alike(audience: Audience) -> None:
    await audience.plays(await audience.viewer(), audience.ids["Obscure"])

    assert await audience.trends(wanted=Filter(kinds=(ContentKind.ALBUM,))) == []
