"""What follows the viewer: progress, watchlist, reactions and marks."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

from domain.catalog.restriction import Restriction
from domain.platform.errors import UserErrorCode, refuse
from domain.platform.paging import Cut, Page
from domain.sync import payloads
from domain.sync.clock import HybridClock, Timestamp
from domain.sync.journal import Journal, Writing
from domain.sync.ledger import Known, Ledger
from domain.sync.model import (
    Addition,
    Conflict,
    Event,
    Mark,
    MarkKind,
    Marks,
    MarkValue,
    Reaction,
    Verdict,
    WatchlistEntry,
    WatchProgress,
    reaches_the_end,
)
from domain.sync.operations import (
    HERE,
    Origin,
    Position,
    Title,
    Titles,
    known_duration,
    known_mark,
    known_position,
    known_stars,
    known_tag,
    known_tags,
    known_viewing,
)
from domain.sync.ordering import between

STATE_CHANGED = "sync.state_changed"
CONFLICT = "sync.conflict"


class WatchlistOrder(StrEnum):
    """How the watchlist is sorted."""

    NEWEST = "newest"
    """Latest addition first."""
    OLDEST = "oldest"
    """Earliest addition first."""
    MANUAL = "manual"
    """As the viewer put it; what was never moved stands in the order of addition."""


class SyncStore(Protocol):
    """The state of accounts, as it is read."""

    async def progress(self, account_id: str, content_ids: Sequence[int]) -> Mapping[int, WatchProgress]:
        """The latest viewing of each title."""
        ...

    async def continuing(
        self, account_id: str, at: datetime, cut: Cut, within: Restriction | None = None
    ) -> Page[WatchProgress]:
        """What the viewer goes on with `at` this moment: of each film, series or album, what was played last.

        Behind a finished episode it is the next one, at its beginning: the first that was watched less often.
        What is hidden or dropped is left out.
        """
        ...

    async def next_episodes(
        self,
        account_id: str | None,
        series_ids: Sequence[int],
        at: datetime,
        within: Restriction | None = None,
    ) -> Mapping[int, int]:
        """By series the episode to watch next, the first one where none was; a series at its end has none."""
        ...

    async def history(
        self, account_id: str, cut: Cut, within: Restriction | None = None
    ) -> Page[WatchProgress]: ...
    async def watchlist(
        self, account_id: str, order: WatchlistOrder, cut: Cut, within: Restriction | None = None
    ) -> Page[WatchlistEntry]: ...
    async def entries(self, account_id: str, content_ids: Sequence[int]) -> Mapping[int, WatchlistEntry]: ...
    async def neighbour(self, account_id: str, place: str, *, behind: bool) -> str | None:
        """The place next to this one on the watchlist, behind or before it."""
        ...

    async def parts(self, content_id: int) -> Sequence[int]:
        """The title itself, and what it has: the seasons and episodes of a series, the tracks of an album."""
        ...

    async def reactions(self, account_id: str, content_ids: Sequence[int]) -> Mapping[int, Reaction]: ...
    async def marks(self, account_id: str, content_ids: Sequence[int]) -> Mapping[int, Marks]: ...
    async def conflicts(
        self, account_id: str, cut: Cut, within: Restriction | None = None
    ) -> Page[Conflict]: ...


@dataclass(slots=True)
class Wanted:
    """What of the state a write must know: the titles, and tags that may be of others."""

    progress: set[int] = field(default_factory=set)
    watchlist: set[int] = field(default_factory=set)
    tags: set[str] = field(default_factory=set)
    reactions: set[int] = field(default_factory=set)
    marks: set[int] = field(default_factory=set)
    devices: set[str] = field(default_factory=set)


class Ledgers(Protocol):
    """The state of titles, as it is written; to be called within the account's turn (`Journal.writing`)."""

    async def load(self, account_id: str, wanted: Wanted) -> Known: ...
    async def save(self, account_id: str, ledger: Ledger) -> None:
        """Stores what the ledger changed, and its conflicts, each once however often it is told."""
        ...

    async def done(self, account_id: str, operation_ids: Sequence[str]) -> set[str]:
        """Those of these operations that were done already."""
        ...

    async def remember(self, account_id: str, operation_ids: Sequence[str], at: datetime) -> None: ...
    async def settle(self, account_id: str, device_id: str, clock: int) -> None:
        """All that the device ever sends with a clock up to this has been answered.

        Removed additions that only it could repeat are forgotten.
        """
        ...


@dataclass(frozen=True)
class Sync:
    """The viewer's state, merged so that it never goes backwards."""

    store: SyncStore
    ledgers: Ledgers
    journal: Journal
    titles: Titles
    clock: HybridClock
    now: Callable[[], datetime]
    new_id: Callable[[], str]

    async def record_progress(
        self,
        account_id: str,
        content_id: int,
        position: Position,
        origin: Origin = HERE,
        viewing: int | None = None,
    ) -> WatchProgress | None:
        """The merged state of the title. A write that is older than what is known changes nothing, nor does
        one of a device that is incognito.

        Going on with a finished title starts its next viewing, and leaves the finished one finished.
        """
        title = await self.playable(content_id)
        wanted = Wanted(progress={content_id}, devices=devices_of(origin))
        async with self.writing(account_id, wanted) as (_, ledger):
            known = ledger.latest(content_id)
            if ledger.forgets(origin.device_id):
                return known
            stamp = self.stamp(origin, ledger.newest(content_id))
            written = self.written(title, viewing, position, Origin(origin.device_id, stamp), ledger)
            merged = ledger.watched(written, origin.base)
            return merged if known is None or merged.viewing >= known.viewing else known

    def written(
        self,
        title: Title,
        viewing: int | None,
        position: Position,
        origin: Origin,
        ledger: Ledger | None = None,
    ) -> WatchProgress:
        """The state that a position claims; raises `Refused` for one that cannot be.

        `ledger` chooses the viewing where none is named.
        """
        duration = known_duration(position.duration_seconds, title)
        seconds = min(known_position(position.seconds), duration)
        completed = reaches_the_end(seconds, duration, title.end_credits_seconds)
        version = self.stamp(origin)
        written = WatchProgress(
            content_id=title.content_id,
            viewing=1 if viewing is None else known_viewing(viewing),
            position_seconds=seconds,
            duration_seconds=duration,
            completed=completed,
            version=version,
            device_id=origin.device_id,
            updated_at=self.now(),
            completed_at=moment_of(version) if completed else None,
        )
        return written if viewing is not None or ledger is None else ledger.in_its_viewing(written)

    async def add_to_watchlist(
        self,
        account_id: str,
        content_id: int,
        tag: str | None = None,
        origin: Origin = HERE,
    ) -> WatchlistEntry | None:
        """The title's entry; nothing where this very addition (`tag`) was removed already.

        Without a tag of its own, adding what is on the list changes nothing.
        """
        await self.existing(content_id)
        given = None if tag is None else known_tag(tag)
        stamp = self.named(origin)
        wanted = Wanted(watchlist={content_id})
        if given is not None:
            wanted.tags = {given}
        async with self.writing(account_id, wanted, origin) as (_, ledger):
            if given is None and ledger.tags(content_id).live:
                return ledger.entry(content_id)
            made = given or self.new_id()
            addition = Addition(content_id, made, self.now(), stamp, given=given is not None)
            entry = ledger.added(addition)
            return None if entry is None or made not in entry.tags else entry

    async def remove_from_watchlist(
        self,
        account_id: str,
        content_id: int,
        observed: Sequence[str] | None = None,
        origin: Origin = HERE,
    ) -> bool:
        """Removes the additions that were seen (all that are known, if open); whether the title left.

        An addition made elsewhere meanwhile keeps it on the list.
        """
        seen = None if observed is None else known_tags(observed)
        stamp = self.named(origin)
        wanted = Wanted(watchlist={content_id}, tags=set(seen or ()))
        async with self.writing(account_id, wanted, origin) as (_, ledger):
            tags = ledger.tags(content_id)
            if seen is None and not tags.live:
                raise refuse("The title is not on the watchlist.", UserErrorCode.NOT_FOUND, "contentId")
            if seen and not tags.added and not tags.removed:
                await self.existing(content_id)  # a title the catalogue dropped still leaves the list
            return ledger.removed(content_id, seen, stamp if origin.device_id is not None else None)

    async def place_beside(self, account_id: str, neighbour_id: int, *, behind: bool) -> str:
        """A place next to a title of the watchlist, behind or before it."""
        entry = (await self.store.entries(account_id, [neighbour_id])).get(neighbour_id)
        if entry is None:
            raise refuse("The neighbour is not on the watchlist.", UserErrorCode.NOT_FOUND, "contentId")
        next_one = await self.store.neighbour(account_id, entry.place, behind=behind)
        return between(entry.place, next_one) if behind else between(next_one, entry.place)

    async def move_on_watchlist(
        self,
        account_id: str,
        content_id: int,
        place: str,
        origin: Origin = HERE,
    ) -> WatchlistEntry | None:
        """The title's entry at its new place; the later of two moves wins."""
        checked = known_mark(MarkKind.PLACE, place)
        async with self.writing(account_id, Wanted(watchlist={content_id}), origin) as (_, ledger):
            if ledger.entry(content_id) is None:
                raise refuse("The title is not on the watchlist.", UserErrorCode.NOT_FOUND, "contentId")
            self._mark(ledger, content_id, {MarkKind.PLACE: checked}, origin)
            return ledger.entry(content_id)

    async def mark(
        self,
        account_id: str,
        content_id: int,
        values: Mapping[MarkKind, MarkValue],
        origin: Origin = HERE,
    ) -> Marks:
        """What is noted of the title then: of each kind, the later of two marks."""
        checked = {kind: known_mark(kind, value) for kind, value in values.items()}
        await self.existing(content_id)
        async with self.writing(account_id, Wanted(marks={content_id}), origin) as (_, ledger):
            self._mark(ledger, content_id, checked, origin)
            return ledger.marks(content_id)

    async def react(
        self,
        account_id: str,
        content_id: int,
        verdict: Verdict | None,
        stars: float | None,
        origin: Origin = HERE,
    ) -> Reaction:
        """The later reaction wins; neither verdict nor stars takes it back."""
        given = known_stars(stars)
        await self.existing(content_id)
        async with self.writing(account_id, Wanted(reactions={content_id}), origin) as (_, ledger):
            known = ledger.known.reactions.get(content_id)
            stamp = self.stamp(origin, None if known is None else known.version)
            return ledger.reacted(Reaction(content_id, verdict, given, stamp, self.now()), origin.base)

    @asynccontextmanager
    async def writing(
        self, account_id: str, wanted: Wanted, origin: Origin = HERE
    ) -> AsyncIterator[tuple[Writing, Ledger]]:
        """A write with what is known of these titles; what the block merges is stored with it.

        Raises `Refused` where it comes from a device that is incognito.
        """
        wanted.devices |= devices_of(origin)
        async with self.journal.writing(account_id) as writing:
            ledger = await self.ledger(account_id, wanted)
            if ledger.forgets(origin.device_id):
                raise refuse(
                    "The device is incognito, so nothing is kept that is done on it: end that first.",
                    UserErrorCode.UNAVAILABLE,
                    "deviceId",
                )
            yield writing, ledger
            await self.keep(writing, ledger)

    async def ledger(self, account_id: str, wanted: Wanted) -> Ledger:
        """What is known of these titles; to be called within the account's turn."""
        return Ledger(await self.ledgers.load(account_id, wanted), self.now())

    async def keep(self, writing: Writing, ledger: Ledger) -> None:
        """Within the account's turn: stores what the ledger changed, for the log and the outside as well."""
        await self.ledgers.save(writing.account_id, ledger)
        for kind, payload in ledger.records():
            told = {"account": writing.account_id, "resource": kind.value, "state": payload}
            writing.record(kind, payload, Event(STATE_CHANGED, writing.account_id, told))
        for conflict in ledger.conflicts:
            told = {"account": writing.account_id, **payloads.of_conflict(conflict)}
            writing.events.append(Event(CONFLICT, writing.account_id, told))

    def stamp(self, origin: Origin, seen: Timestamp | None = None) -> Timestamp:
        """The client's time of the write, or ours in the name of its device.

        Ours is after `seen`, the state that the write replaces: it may come from a clock that runs ahead.
        """
        if origin.version is not None:
            return self.clock.receive(origin.version)
        tick = self.clock.tick(seen)
        return tick if origin.device_id is None else Timestamp(tick.clock, origin.device_id)

    def named(self, origin: Origin) -> Timestamp:
        """The time of the write, in the name of its device where that is one of the account's."""
        stamp = self.stamp(origin)
        return stamp if origin.device_id is None else Timestamp(stamp.clock, origin.device_id)

    async def existing(self, content_id: int) -> Title:
        return existing(await self.titles([content_id]), content_id)

    async def playable(self, content_id: int) -> Title:
        return playable(await self.titles([content_id]), content_id)

    def _mark(
        self, ledger: Ledger, content_id: int, values: Mapping[MarkKind, MarkValue], origin: Origin
    ) -> None:
        for kind, value in values.items():
            known = ledger.known.marks.get((content_id, kind))
            stamp = self.stamp(origin, None if known is None else known.version)
            ledger.marked(Mark(content_id, kind, value, stamp, self.now()), origin.base)


def devices_of(origin: Origin) -> set[str]:
    return set() if origin.device_id is None else {origin.device_id}


def existing(titles: Mapping[int, Title], content_id: int) -> Title:
    title = titles.get(content_id)
    if title is None:
        raise refuse("There is no such title.", UserErrorCode.NOT_FOUND, "contentId")
    return title


def playable(titles: Mapping[int, Title], content_id: int) -> Title:
    title = existing(titles, content_id)
    if not title.playable:
        raise refuse(
            "Only films, episodes and tracks are played; choose one of this title's.",
            UserErrorCode.INVALID,
            "contentId",
        )
    return title


def moment_of(version: Timestamp) -> datetime:
    """When a write was made, by the clock of its device."""
    return datetime.fromtimestamp(version.milliseconds / 1000, UTC)
