"""What recommending can do, and the ports it asks."""

import asyncio
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

from domain.catalog.filters import Filter
from domain.catalog.restriction import Restriction
from domain.platform.errors import BadInput
from domain.platform.paging import Cut, Keyset, Page, SortKey, paged
from domain.sona import rails, taste
from domain.sona.diversity import arranged
from domain.sona.model import (
    ANYBODY,
    Begun,
    Candidate,
    Circumstances,
    Evidence,
    EvidenceKind,
    Profile,
    Rail,
    Relation,
    Shelf,
    Shelved,
    SimilarityKind,
    Touch,
    Tuning,
    Wanted,
    Whole,
    Work,
)
from domain.sona.snapshots import Kept, Trending

CURSOR_HOLDS = timedelta(days=1)


class History(Protocol):
    """What one account did; each method is one statement."""

    async def touches(self, account_id: str) -> list[Touch]:
        """The latest works, latest first, without what is hidden or dropped."""

    async def known(self, account_id: str) -> frozenset[int]:
        """Every work that was watched, begun or judged, also by a part of it, or is hidden or dropped."""

    async def begun(self, account_id: str, at: datetime, within: Restriction | None) -> list[Begun]:
        """What the viewer goes on with, latest first."""


class CatalogueReads(Protocol):
    """What ranking reads of the catalogue; each method is one statement, whatever it is asked."""

    async def works(self, ids: Sequence[int], wanted: Filter) -> Mapping[int, Work]: ...

    async def fitting(self, ids: Sequence[int], wanted: Filter) -> frozenset[int]:
        """Those that are listed and pass the filter."""

    async def shelves(
        self, shelves: Sequence[Shelf], wanted: Filter, excluding: Collection[int], limit: int
    ) -> Mapping[Shelf, Sequence[Shelved]]: ...

    async def related(
        self,
        ids: Sequence[int],
        kinds: Sequence[SimilarityKind],
        wanted: Filter,
        excluding: Collection[int],
        limit: int,
    ) -> Mapping[int, Sequence[Relation]]:
        """By each id, up to `limit` works of each kind, closest first; by people and keywords alone."""

    async def wholes(self, ids: Sequence[int]) -> Mapping[int, Whole]: ...


class Recommender(Protocol):
    """Where recommendations come from; what learns fills this too."""

    async def for_viewer(self, profile: Profile, wanted: Wanted, limit: int) -> list[Candidate]:
        """Up to `limit` works, best first, each with at least one piece of evidence that is true.

        They need not pass the filter nor be various: whoever asks sees to that.
        """


class Snapshot(NamedTuple):
    """Which ranking a cursor belongs to: when it was made, and of which profile."""

    as_of: datetime
    fingerprint: str

    def __str__(self) -> str:
        return f"{int(self.as_of.timestamp())}.{self.fingerprint}"

    @staticmethod
    def parse(text: object) -> "Snapshot | None":
        match = re.fullmatch(r"([0-9]{1,11})\.([0-9a-f]{16})", text) if isinstance(text, str) else None
        return match and Snapshot(datetime.fromtimestamp(int(match[1]), UTC), match[2])


RankingKey = tuple[str | None, Snapshot, Filter, Circumstances]
Rankings = Kept[RankingKey, tuple[Candidate, ...]]

# The first key is the same for all entries of a page walk: it brings the snapshot back.
RECOMMENDATIONS = Keyset(
    "recommendations",
    (SortKey("snapshot", "text"), SortKey("score", "float8", descending=True), SortKey("id", "bigint")),
)


@dataclass(frozen=True)
class Sona:
    """Recommends to a viewer, or to nobody in particular.

    A ranking is made as of the full minute, so that a repeated question has the same answer, and kept for
    the page walk that its cursors name: pages of one walk are parts of one ranking, less what the viewer
    came to know or the catalogue dropped meanwhile. Where the ranking is gone (another process, an hour
    later), it is made again as of its minute, and the walk goes on behind the score it had reached.
    """

    history: History
    reads: CatalogueReads
    recommender: Recommender
    trending: Trending
    rankings: Rankings
    now: Callable[[], datetime]
    tuning: Tuning = field(default_factory=Tuning)

    async def recommend(
        self, account_id: str | None, wanted: Filter, circumstances: Circumstances, cut: Cut
    ) -> Page[Candidate]:
        """A page of the works for the viewer, best first; raises `BadInput` for a cursor of another list."""
        asked = self._asked(cut)
        profile = await self.profile(account_id, wanted.within)
        current = Snapshot(self._minute(), profile.fingerprint)
        snapshot = asked if asked is not None and self._holds(asked) else current
        ranked = await self._ranking(profile, snapshot, wanted, circumstances)
        # A walk keeps the name it began with, also when its snapshot lapsed, so that it goes on.
        name = str(asked or snapshot)
        return paged(ranked, lambda item: (name, item.score, item.id), RECOMMENDATIONS, cut)

    async def home(self, account_id: str | None, wanted: Filter, circumstances: Circumstances) -> list[Rail]:
        """The rails of the first screen, in a stable order; none of an empty catalogue."""
        minute = self._minute()
        profile, begun, trends = await asyncio.gather(
            self.profile(account_id, wanted.within),
            self._begun(account_id, wanted.within),
            self.trending(wanted, circumstances.region, minute),
        )
        question = Wanted(wanted, circumstances, minute)
        seen = taste.read(profile, minute, self.tuning)
        shelves = rails.shelves_for(seen, question)
        snapshot = Snapshot(minute, profile.fingerprint)
        ranked, shelved = await asyncio.gather(
            self._ranking(profile, snapshot, wanted, circumstances),
            self.reads.shelves(shelves, wanted, profile.known, self.tuning.shelf),
        )
        return rails.rails(rails.Stock(profile, begun, seen, question, ranked, shelved, trends))

    async def profile(self, account_id: str | None, within: Restriction | None = None) -> Profile:
        """What the viewer did, with works that are not hidden from them."""
        if account_id is None:
            return ANYBODY
        touches, known = await asyncio.gather(
            self.history.touches(account_id), self.history.known(account_id)
        )
        if within is not None:
            shown = await self.reads.fitting([touch.id for touch in touches], Filter(within=within))
            touches = [touch for touch in touches if touch.id in shown]
        return Profile(account_id, tuple(touches), known)

    async def _begun(self, account_id: str | None, within: Restriction | None) -> Sequence[Begun]:
        return () if account_id is None else await self.history.begun(account_id, self.now(), within)

    async def _ranking(
        self, profile: Profile, snapshot: Snapshot, wanted: Filter, circumstances: Circumstances
    ) -> list[Candidate]:
        key = (profile.account_id, snapshot, wanted, circumstances)
        kept = self.rankings.get(key)
        if kept is None:
            question = Wanted(wanted, circumstances, snapshot.as_of)
            return list(await self.rankings.once(key, lambda: self._ranked(profile, question)))
        fitting = await self.reads.fitting([item.id for item in kept], wanted) if kept else frozenset()
        return [item for item in kept if item.id in fitting and item.id not in profile.known]

    async def _ranked(self, profile: Profile, wanted: Wanted) -> tuple[Candidate, ...]:
        found = await self.recommender.for_viewer(profile, wanted, self.tuning.candidates)
        candidates = [item for item in found if item.id not in profile.known]
        if not candidates:
            return ()
        disliked = taste.read(profile, wanted.as_of, self.tuning).disliked
        works = await self.reads.works([*(item.id for item in candidates), *disliked], wanted.filter)
        saved = profile.saved
        fitting = [
            replace(item, evidence=(*item.evidence, Evidence(EvidenceKind.ON_WATCHLIST)))
            if item.id in saved
            else item
            for item in candidates
            if item.id in works and works[item.id].fits
        ]
        device = wanted.circumstances.device
        return tuple(await asyncio.to_thread(arranged, fitting, works, disliked, device, self.tuning))

    def _asked(self, cut: Cut) -> Snapshot | None:
        if cut.after is None:
            return None
        snapshot = Snapshot.parse(RECOMMENDATIONS.values(cut.after, "after")[0])
        if snapshot is None:
            raise BadInput("`after` is not a cursor of this list: pass one that it gave.", argument="after")
        return snapshot

    def _holds(self, snapshot: Snapshot) -> bool:
        """A ranking as of long ago would miss what came since."""
        now = self.now()
        return now - CURSOR_HOLDS <= snapshot.as_of <= now

    def _minute(self) -> datetime:
        return self.now().replace(second=0, microsecond=0)
