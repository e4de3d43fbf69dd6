"""A small catalogue with vectors on named axes, and viewers with a history, for tests of recommending."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

import numpy as np

from domain.catalog.filters import Filter
from domain.platform.paging import Cut, Page
from domain.platform.postgres import Database
from domain.platform.vectors import Point, Traits, Vector
from domain.sona.blend import Blend
from domain.sona.model import Candidate, Circumstances, Evidence, EvidenceKind, Rail, RailKind, Trended
from domain.sona.nearness import Nearness
from domain.sona.postgres import PostgresSona
from domain.sona.service import Sona
from domain.sona.similar import Similarity
from domain.sona.snapshots import Kept
from domain.sync.clock import Timestamp
from domain.sync.model import Addition, Mark, MarkKind, Reaction, Verdict, WatchProgress
from tests.catalogue import add_content, add_credit
from tests.fakes import MemoryVectors
from tests.servers import StatementCounter
from tests.states import keep

T = TypeVar("T")

NOW = datetime(2026, 3, 1, 20, 30, 15, tzinfo=UTC)
AXES = ("space", "crime", "love", "war", "sea", "music", "food", "snow")
EVERYTHING = Filter()
ANYHOW = Circumstances()


def along(**axes: float) -> Vector:
    """A vector of unit length; each work also has a little of its own, so that no two are the same."""
    vector = np.zeros(len(AXES), np.float32)
    for name, weight in axes.items():
        vector[AXES.index(name)] = weight
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


@dataclass
class House:
    """A catalogue and its viewers; `trends` is what others watch."""

    database: Database
    vectors: MemoryVectors = field(default_factory=MemoryVectors)
    trends: list[Trended] = field(default_factory=list)
    now: datetime = NOW

    def __post_init__(self) -> None:
        self.reads = PostgresSona(self.database)
        self.nearness = Nearness(self.vectors)
        self.blend = Blend(self.reads, self.trending, self.nearness)
        self.sona = self.another()
        self.similarity = Similarity(self.reads, self.vectors)
        self.titles: dict[int, str] = {}

    def another(self) -> Sona:
        """The same service in another process: it remembers nothing."""

        def seconds() -> float:
            return self.now.timestamp()

        kept: Any = Kept(seconds)
        return Sona(self.reads, self.reads, self.blend, self.trending, kept, lambda: self.now)

    async def trending(self, wanted: Filter, region: str | None, as_of: datetime) -> Sequence[Trended]:
        return self.trends

    async def add(
        self,
        title: str,
        *genres: str,
        axes: Mapping[str, float] | None = None,
        people: Mapping[str, str] | None = None,
        kind: str = "movie",
        **columns: Any,
    ) -> int:
        """A work; `people` are names and roles, `axes` its vector."""
        given = {"popularity": 10.0, "year": 2000, "keywords": []} | columns
        id_ = await add_content(self.database, kind, title, genres=list(genres), **given)
        for name, role in (people or {}).items():
            await add_credit(self.database, id_, name, role)
        if axes is not None:
            await self.vectors.prepare("axes-1", len(AXES))
            traits = Traits(kind, tuple(genres), maturity=columns.get("maturity_rating"))
            await self.vectors.upsert("axes-1", [Point(id_, along(**axes), traits)])
        self.titles[id_] = title
        return id_

    async def fill(self, number: int, *genres: str, **columns: Any) -> list[int]:
        """Works that share nothing but their genres, the first the best known."""
        name = "-".join(genres) or "other"
        return [
            await self.add(f"{name} {place}", *genres, **({"popularity": 50.0 - place} | columns))
            for place in range(number)
        ]

    async def viewer(self) -> str:
        id_ = str(uuid4())
        await self.database.execute("INSERT INTO account (id, display_name) VALUES ($1, 'Ada')", id_)
        return id_

    async def watches(
        self, account: str, content_id: int, fraction: float = 1.0, *, days_ago: float = 1.0
    ) -> None:
        at = self.now - timedelta(days=days_ago)
        seconds = int(6000 * fraction)
        stamp = Timestamp(int(at.timestamp() * 1000) << 16, "tv")
        await keep(
            self.database,
            account,
            WatchProgress(content_id, 1, seconds, 6000, fraction >= 0.95, stamp, None, at),
        )

    async def reacts(
        self,
        account: str,
        content_id: int,
        verdict: Verdict | None = None,
        stars: float | None = None,
        *,
        days_ago: float = 1.0,
    ) -> None:
        at = self.now - timedelta(days=days_ago)
        stamp = Timestamp(int(at.timestamp() * 1000) << 16, "tv")
        await keep(self.database, account, Reaction(content_id, verdict, stars, stamp, at))

    async def saves(self, account: str, content_id: int, *, days_ago: float = 1.0) -> None:
        at = self.now - timedelta(days=days_ago)
        stamp = Timestamp(int(at.timestamp() * 1000) << 16, "tv")
        await keep(self.database, account, Addition(content_id, str(uuid4()), at, stamp, given=True))

    async def marks(self, account: str, *marked: tuple[int, MarkKind]) -> None:
        """Now, on titles that may be watched already."""
        stamp = Timestamp(int(self.now.timestamp() * 1000) << 16, "tv")
        await keep(
            self.database,
            account,
            *(Mark(title, kind, value=True, version=stamp, updated_at=self.now) for title, kind in marked),
        )

    async def page(
        self,
        account: str | None,
        first: int = 100,
        after: str | None = None,
        wanted: Filter = EVERYTHING,
        circumstances: Circumstances = ANYHOW,
        sona: Sona | None = None,
    ) -> Page[Candidate]:
        service = sona or self.sona
        return await service.recommend(account, wanted, circumstances, Cut.of(first, after))

    async def recommended(self, account: str | None, **how: Any) -> list[int]:
        page = await self.page(account, **how)
        return [edge.node.id for edge in page.edges]

    async def evidence(self, account: str | None, content_id: int, **how: Any) -> tuple[Evidence, ...]:
        page = await self.page(account, **how)
        return next(edge.node.evidence for edge in page.edges if edge.node.id == content_id)

    async def rails(self, account: str | None, circumstances: Circumstances = ANYHOW) -> list[Rail]:
        return await self.sona.home(account, EVERYTHING, circumstances)

    async def rail(self, account: str | None, kind: RailKind) -> Rail | None:
        return next((rail for rail in await self.rails(account) if rail.kind is kind), None)


def kinds_of(evidence: Sequence[Evidence]) -> set[EvidenceKind]:
    return {item.kind for item in evidence}


async def counted(statements: StatementCounter, asking: Awaitable[T]) -> tuple[T, int]:
    """The answer and how many statements it took; the driver tells of one a turn of the loop later."""
    await asyncio.sleep(0)
    statements.clear()
    answer = await asking
    await asyncio.sleep(0)
    return answer, len(statements.seen)
