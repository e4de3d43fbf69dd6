"""What follows the viewer: progress, watchlist and reactions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from domain.catalog.restriction import Restriction
from domain.platform.errors import UserErrorCode, refuse
from domain.platform.paging import Cut, Page
from domain.sync import payloads
from domain.sync.clock import HybridClock, Timestamp
from domain.sync.journal import Journal, Writing
from domain.sync.model import (
    ChangeKind,
    Event,
    Reaction,
    Tags,
    Verdict,
    WatchlistEntry,
    WatchProgress,
    reaches_the_end,
)

MAX_DURATION_SECONDS = 7 * 86_400
STARS = (0.5, 5.0)
STATE_CHANGED = "sync.state_changed"


class WatchlistOrder(StrEnum):
    """How the watchlist is sorted."""

    NEWEST = "newest"
    """Latest addition first."""
    OLDEST = "oldest"
    """Earliest addition first."""


@dataclass(frozen=True, slots=True)
class Title:
    """What the rules must know of a title: whether it can be played, and how long it is."""

    content_id: int
    playable: bool
    duration_seconds: int | None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a write comes from: the device, and its own time of the write where it tells one."""

    device_id: str | None = None
    version: Timestamp | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """Where a player stands, in seconds; its length as the player knows it."""

    seconds: int
    duration_seconds: int | None = None


HERE = Origin()


class Titles(Protocol):
    """Looks titles up; the catalogue fills it."""

    async def __call__(self, content_ids: Sequence[int]) -> Mapping[int, Title]: ...


class SyncStore(Protocol):
    """The state of accounts; writes run within the account's turn (`Journal.writing`)."""

    async def progress(self, account_id: str, content_ids: Sequence[int]) -> Mapping[int, WatchProgress]:
        """The latest viewing of each title."""
        ...

    async def viewing(self, account_id: str, content_id: int, viewing: int) -> WatchProgress | None: ...
    async def viewings(self, account_id: str, content_id: int) -> list[WatchProgress]:
        """Every viewing of a title, the first one first."""
        ...

    async def save_progress(self, account_id: str, progress: WatchProgress) -> None: ...
    async def in_progress(
        self,
        account_id: str,
        since: datetime,
        from_seconds: int,
        cut: Cut,
        within: Restriction | None = None,
    ) -> Page[WatchProgress]: ...
    async def history(
        self, account_id: str, cut: Cut, within: Restriction | None = None
    ) -> Page[WatchProgress]: ...
    async def watchlist(
        self, account_id: str, order: WatchlistOrder, cut: Cut, within: Restriction | None = None
    ) -> Page[WatchlistEntry]: ...
    async def entries(self, account_id: str, content_ids: Sequence[int]) -> Mapping[int, WatchlistEntry]: ...
    async def tags(self, account_id: str, content_id: int) -> Tags: ...
    async def add_tag(
        self, account_id: str, content_id: int, tag: str, version: Timestamp, at: datetime
    ) -> None: ...
    async def remove_tags(self, account_id: str, content_id: int, tags: Sequence[str]) -> None: ...
    async def reactions(self, account_id: str, content_ids: Sequence[int]) -> Mapping[int, Reaction]: ...
    async def save_reaction(self, account_id: str, reaction: Reaction) -> None: ...


@dataclass(frozen=True)
class Sync:
    """The viewer's state, merged so that it never goes backwards."""

    store: SyncStore
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
    ) -> WatchProgress:
        """The merged state of the title. A write that is older than what is known changes nothing.

        Going on with a finished title starts its next viewing, and leaves the finished one finished.
        """
        title = await self.playable(content_id)
        async with self.journal.writing(account_id) as writing:
            known = (await self.store.progress(account_id, [content_id])).get(content_id)
            stamp = self.stamp(origin, None if known is None else known.version)
            written = self.written(title, 1, position, Origin(origin.device_id, stamp))
            if known is not None:
                written = replace(written, viewing=await self._viewing_of(account_id, written, known))
            merged = await self.merge_progress(writing, written)
            return merged if known is None or merged.viewing >= known.viewing else known

    async def merge_progress(self, writing: Writing, written: WatchProgress) -> WatchProgress:
        """Within the account's turn: merges into the viewing it belongs to, and records what changed."""
        known = await self.store.viewing(writing.account_id, written.content_id, written.viewing)
        merged = written if known is None else known.merge(written)
        if merged != known:
            await self.store.save_progress(writing.account_id, merged)
            self._record(writing, ChangeKind.PROGRESS, payloads.of_progress(merged))
        return merged

    def written(self, title: Title, viewing: int, position: Position, origin: Origin) -> WatchProgress:
        """The state that a position claims; raises `Refused` for one that cannot be."""
        duration = known_duration(position.duration_seconds, title)
        seconds = min(known_position(position.seconds), duration)
        return WatchProgress(
            content_id=title.content_id,
            viewing=viewing,
            position_seconds=seconds,
            duration_seconds=duration,
            completed=reaches_the_end(seconds, duration),
            version=self.stamp(origin),
            device_id=origin.device_id,
            updated_at=self.now(),
        )

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
        stamp = self.stamp(origin)
        if origin.device_id is not None:
            stamp = Timestamp(stamp.clock, origin.device_id)  # the entry shows the device
        wanted = None if tag is None else _uuid(tag, "tag")
        async with self.journal.writing(account_id) as writing:
            tags = await self.store.tags(account_id, content_id)
            known = tags.added if wanted is not None else tags.live
            if wanted in known or (wanted is None and known):
                return await self._entry(account_id, content_id)
            new = wanted or self.new_id()
            await self.store.add_tag(account_id, content_id, new, stamp, self.now())
            after = await self.store.tags(account_id, content_id)
            if new not in after.added:
                raise refuse("The tag names the addition of another title.", UserErrorCode.CONFLICT, "tag")
            entry = await self._entry(account_id, content_id)
            if after.live != tags.live:
                self._record(writing, ChangeKind.WATCHLIST, payloads.of_entry(content_id, entry))
            return entry

    async def remove_from_watchlist(
        self, account_id: str, content_id: int, observed: Sequence[str] | None = None
    ) -> bool:
        """Removes the additions that were seen (all that are known, if open); whether the title left.

        An addition made elsewhere meanwhile keeps it on the list.
        """
        seen = None if observed is None else frozenset(_uuid(tag, "tags") for tag in observed)
        async with self.journal.writing(account_id) as writing:
            tags = await self.store.tags(account_id, content_id)
            if seen is None and not tags.live:
                raise refuse("The title is not on the watchlist.", UserErrorCode.NOT_FOUND, "contentId")
            gone = (tags.live if seen is None else seen) - tags.removed
            if gone:
                if not tags.added and not tags.removed:
                    await self.existing(content_id)  # a title the catalogue dropped still leaves the list
                await self.store.remove_tags(account_id, content_id, sorted(gone))
            after = tags.remove(gone)
            if after.live != tags.live:
                entry = await self._entry(account_id, content_id)
                self._record(writing, ChangeKind.WATCHLIST, payloads.of_entry(content_id, entry))
            return not after.live

    async def react(
        self,
        account_id: str,
        content_id: int,
        verdict: Verdict | None,
        stars: float | None,
        origin: Origin = HERE,
    ) -> Reaction:
        """The later reaction wins; neither verdict nor stars takes it back."""
        if stars is not None and not (STARS[0] <= stars <= STARS[1] and (stars * 2).is_integer()):
            raise refuse("`stars` go from 0.5 to 5 in halves.", UserErrorCode.INVALID, "stars")
        await self.existing(content_id)
        async with self.journal.writing(account_id) as writing:
            known = (await self.store.reactions(account_id, [content_id])).get(content_id)
            stamp = self.stamp(origin, None if known is None else known.version)
            written = Reaction(content_id, verdict, stars, stamp, self.now())
            if known is not None and known.order >= written.order:
                return known
            await self.store.save_reaction(account_id, written)
            self._record(writing, ChangeKind.REACTION, payloads.of_reaction(written))
            return written

    def stamp(self, origin: Origin, seen: Timestamp | None = None) -> Timestamp:
        """The client's time of the write, or ours in the name of its device.

        Ours is after `seen`, the state that the write replaces: it may come from a clock that runs ahead.
        """
        if origin.version is not None:
            return self.clock.receive(origin.version)
        tick = self.clock.tick(seen)
        return tick if origin.device_id is None else Timestamp(tick.clock, origin.device_id)

    async def existing(self, content_id: int) -> Title:
        title = (await self.titles([content_id])).get(content_id)
        if title is None:
            raise refuse("There is no such title.", UserErrorCode.NOT_FOUND, "contentId")
        return title

    async def playable(self, content_id: int) -> Title:
        title = await self.existing(content_id)
        if not title.playable:
            raise refuse(
                "Only films, episodes and tracks are played; choose one of this title's.",
                UserErrorCode.INVALID,
                "contentId",
            )
        return title

    async def _viewing_of(self, account_id: str, written: WatchProgress, latest: WatchProgress) -> int:
        """The viewing that a write is about: a late or repeated one belongs to the viewing of its time."""
        if written.version > latest.version:
            return latest.viewing + (latest.completed and not written.completed)
        viewings = await self.store.viewings(account_id, written.content_id)
        return next(known.viewing for known in viewings if known.version >= written.version)

    async def _entry(self, account_id: str, content_id: int) -> WatchlistEntry | None:
        return (await self.store.entries(account_id, [content_id])).get(content_id)

    def _record(self, writing: Writing, kind: ChangeKind, payload: payloads.Payload) -> None:
        told = {"account": writing.account_id, "resource": kind.value, "state": payload}
        writing.record(kind, payload, Event(STATE_CHANGED, writing.account_id, told))


def known_duration(given: int | None, title: Title) -> int:
    """How long the title is: as the player says, else as the catalogue does."""
    duration = given if given is not None else title.duration_seconds
    if duration is None:
        raise refuse(
            "The catalogue does not know how long this is: pass `durationSeconds`.",
            UserErrorCode.INVALID,
            "durationSeconds",
        )
    if not 0 < duration <= MAX_DURATION_SECONDS:
        raise refuse(
            f"`durationSeconds` must be between 1 and {MAX_DURATION_SECONDS}.",
            UserErrorCode.INVALID,
            "durationSeconds",
        )
    return duration


def known_position(seconds: int) -> int:
    if seconds < 0:
        raise refuse("`positionSeconds` cannot be negative.", UserErrorCode.INVALID, "positionSeconds")
    return seconds


def _uuid(text: str, argument: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise refuse("A tag is a UUID.", UserErrorCode.INVALID, argument) from None
