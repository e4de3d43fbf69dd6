"""The state of some titles of one account while operations merge into it: the rules, and no I/O.

docs/merge-rules.md states them for those who write clients.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from domain.platform.errors import UserErrorCode, refuse
from domain.sync import payloads
from domain.sync.clock import Timestamp
from domain.sync.model import (
    Addition,
    ChangeKind,
    Conflict,
    ConflictKind,
    ContendingWrite,
    Mark,
    MarkKind,
    Marks,
    Reaction,
    Tags,
    WatchlistEntry,
    WatchProgress,
)
from domain.sync.ordering import place_of

Register: TypeAlias = WatchProgress | Reaction | Mark


class Span(NamedTuple):
    """From a moment until before another; until now where there is none."""

    since: datetime
    until: datetime | None = None

    def holds(self, milliseconds: int) -> bool:
        """Whether a moment in milliseconds since 1970 lies in it."""
        ended = self.until is not None and milliseconds >= _milliseconds(self.until)
        return milliseconds >= _milliseconds(self.since) and not ended


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


@dataclass(slots=True)
class Known:
    """What the store knows of the titles that a write is about."""

    viewings: dict[int, dict[int, WatchProgress]] = field(default_factory=dict)
    """By title and viewing."""
    forgotten: dict[int, Timestamp] = field(default_factory=dict)
    """By title that was forgotten, the version up to which nothing is known of its viewings any more."""
    additions: dict[int, dict[str, Addition]] = field(default_factory=dict)
    """By title and tag, removed ones that are still remembered among them."""
    owners: dict[str, int] = field(default_factory=dict)
    """The titles of tags; also of such tags that came with another title."""
    reactions: dict[int, Reaction] = field(default_factory=dict)
    marks: dict[tuple[int, MarkKind], Mark] = field(default_factory=dict)
    settled: dict[str, int] = field(default_factory=dict)
    """By device, the clock up to which all it ever sends has been answered."""
    incognito: dict[str, list[Span]] = field(default_factory=dict)
    """By device, when it is and was incognito."""


@dataclass(slots=True)
class Changed:
    """What of the state is to be stored, each thing once."""

    viewings: dict[tuple[int, int], None] = field(default_factory=dict)
    additions: dict[tuple[int, str], None] = field(default_factory=dict)
    reactions: dict[int, None] = field(default_factory=dict)
    marks: dict[tuple[int, MarkKind], None] = field(default_factory=dict)
    withdrawn: dict[tuple[int, int], None] = field(default_factory=dict)
    """Viewings that are no more."""
    forgotten: dict[int, None] = field(default_factory=dict)
    told: dict[tuple[ChangeKind, int, int], None] = field(default_factory=dict)
    """For the log, in the order of the first change: kind, title and viewing (0 where there is none)."""


@dataclass(slots=True)
class Ledger:
    """Merges writes into what is known, and remembers what changed and which write was lost."""

    known: Known
    now: datetime
    changed: Changed = field(default_factory=Changed)
    conflicts: list[Conflict] = field(default_factory=list)

    def forgets(self, device_id: str | None, version: Timestamp | None = None) -> bool:
        """Whether nothing is to be kept of what the device does now, or did at `version` by its clock."""
        spans = [] if device_id is None else self.known.incognito.get(device_id, [])
        if version is None:
            return any(span.until is None for span in spans)
        return any(span.holds(version.milliseconds) for span in spans)

    # Progress: a register per title and viewing.

    def latest(self, content_id: int) -> WatchProgress | None:
        """The viewing that goes on, or went on last."""
        viewings = self.known.viewings.get(content_id)
        return viewings[max(viewings)] if viewings else None

    def viewing(self, content_id: int, viewing: int) -> WatchProgress | None:
        return self.known.viewings.get(content_id, {}).get(viewing)

    def newest(self, content_id: int) -> Timestamp | None:
        """The latest version of all that is known of the progress of a title."""
        versions = [known.version for known in self.known.viewings.get(content_id, {}).values()]
        if content_id in self.known.forgotten:
            versions.append(self.known.forgotten[content_id])
        return max(versions, default=None)

    def viewing_of(self, written: WatchProgress) -> int:
        """The viewing that a write is about which names none.

        A newer one goes on with the latest, or begins the next where that is finished; a late or repeated
        one belongs to the viewing of its time.
        """
        latest = self.latest(written.content_id)
        if latest is None:
            return 1
        if written.version > latest.version:
            return latest.viewing + (latest.completed and not written.completed)
        viewings = self.known.viewings[written.content_id]
        return next(key for key in sorted(viewings) if viewings[key].version >= written.version)

    def in_its_viewing(self, written: WatchProgress) -> WatchProgress:
        return replace(written, viewing=self.viewing_of(written))

    def watched(self, written: WatchProgress, base: Timestamp | None = None) -> WatchProgress:
        viewings = self.known.viewings.setdefault(written.content_id, {})
        known = viewings.get(written.viewing)
        if self.has_forgotten(written.content_id, written.version):
            return known or written
        if known is not None:
            self._contend(ConflictKind.PROGRESS, known, written, base, _position)
        merged = written if known is None else known.merge(written)
        if merged != known:
            viewings[merged.viewing] = merged
            self.changed.viewings[merged.content_id, merged.viewing] = None
            self.changed.withdrawn.pop((merged.content_id, merged.viewing), None)
            self._tell(ChangeKind.PROGRESS, merged.content_id, merged.viewing)
        return merged

    def withdrawn(self, content_id: int, viewing: int, version: Timestamp) -> bool:
        """Takes a viewing out of the history that stands as of `version`; whether it did.

        What anybody wrote to since stays: it is theirs.
        """
        known = self.viewing(content_id, viewing)
        if known is None or known.version != version:
            return False
        self._withdraw(content_id, viewing)
        return True

    def has_forgotten(self, content_id: int, version: Timestamp) -> bool:
        """Whether what was watched of a title by then was forgotten, and is not kept when told late."""
        forgotten = self.known.forgotten.get(content_id)
        return forgotten is not None and version <= forgotten

    def forgot(self, content_id: int, version: Timestamp) -> int:
        """Takes all viewings that are not later than this out of the history; how many there were."""
        if not self.has_forgotten(content_id, version):
            self.known.forgotten[content_id] = version
            self.changed.forgotten[content_id] = None
        viewings = self.known.viewings.get(content_id, {})
        gone = [key for key, known in viewings.items() if known.version <= version]
        for viewing in gone:
            self._withdraw(content_id, viewing)
        return len(gone)

    def _withdraw(self, content_id: int, viewing: int) -> None:
        del self.known.viewings[content_id][viewing]
        self.changed.viewings.pop((content_id, viewing), None)
        self.changed.withdrawn[content_id, viewing] = None
        self._tell(ChangeKind.VIEWING_WITHDRAWN, content_id, viewing)

    # The watchlist: an observed-remove set of additions, and a register for the place.

    def tags(self, content_id: int) -> Tags:
        found = self.known.additions.get(content_id, {}).values()
        return Tags(
            added=frozenset(addition.tag for addition in found if addition.at is not None),
            removed=frozenset(addition.tag for addition in found if addition.removed),
        )

    def entry(self, content_id: int) -> WatchlistEntry | None:
        live = [addition for addition in self.known.additions.get(content_id, {}).values() if addition.live]
        if not live:
            return None
        live.sort(key=lambda addition: (addition.at, addition.tag))
        versions = [addition.version for addition in live if addition.version is not None]
        first, oldest = live[0], min(versions)
        moved = self.known.marks.get((content_id, MarkKind.PLACE))
        # A title that left and came back stands where new ones do.
        valid = moved is not None and moved.version.clock >= oldest.clock
        return WatchlistEntry(
            content_id=content_id,
            added_at=first.at or self.now,
            device_id=None if first.version is None else first.version.device,
            tags=tuple(addition.tag for addition in live),
            place=str(moved.value) if moved is not None and valid else place_of(oldest.milliseconds),
            version=max([*versions, moved.version] if moved is not None and valid else versions),
        )

    def added(self, addition: Addition) -> WatchlistEntry | None:
        """The title's entry; nothing where this very addition was removed already."""
        content_id, tag = addition.content_id, addition.tag
        if self.known.owners.setdefault(tag, content_id) != content_id:
            raise refuse("The tag names the addition of another title.", UserErrorCode.CONFLICT, "tag")
        known = self.known.additions.setdefault(content_id, {})
        before = known.get(tag)
        if before is None and self._answered(addition):
            # Nothing is remembered of additions that are gone and cannot come again, except as a repetition.
            return self.entry(content_id)
        if before is not None and before.at is not None:
            return self.entry(content_id)
        known[tag] = (
            addition if before is None else replace(addition, removed=before.removed, removal=before.removal)
        )
        self.changed.additions[content_id, tag] = None
        if known[tag].live:
            self._tell(ChangeKind.WATCHLIST, content_id)
        return self.entry(content_id)

    def removed(
        self, content_id: int, observed: frozenset[str] | None, version: Timestamp | None = None
    ) -> bool:
        """Removes the additions that were seen (all that are known, if open); whether the title left."""
        before = self.tags(content_id)
        seen = before.live if observed is None else observed
        gone = seen - before.removed
        known = self.known.additions.setdefault(content_id, {})
        for tag in sorted(gone):
            if self.known.owners.setdefault(tag, content_id) != content_id:
                continue
            addition = known.get(tag) or Addition(content_id, tag, None, None, given=True)
            known[tag] = replace(addition, removed=True, removal=version)
            self.changed.additions[content_id, tag] = None
        after = self.tags(content_id)
        if after.live != before.live:
            self._tell(ChangeKind.WATCHLIST, content_id)
        if seen and after.live:
            self._outlived(content_id, seen, version)
        return not after.live

    def _answered(self, addition: Addition) -> bool:
        """Whether the device has had its answer to this addition, so that this is a repetition."""
        version = addition.version
        return version is not None and version.clock <= self.known.settled.get(version.device, -1)

    def _outlived(self, content_id: int, seen: frozenset[str], version: Timestamp | None) -> None:
        """Whoever took these off before, and whether that is remembered, makes no difference."""
        left = [addition for addition in self.known.additions[content_id].values() if addition.live]
        winner, won = max(
            ((addition, addition.version) for addition in left if addition.version is not None),
            key=lambda pair: pair[1],
        )
        if version is None or version.device == won.device:
            return
        self.conflicts.append(
            Conflict(
                content_id,
                ConflictKind.WATCHLIST,
                ContendingWrite({"removed": sorted(seen)}, version),
                ContendingWrite({"added": winner.tag}, won),
                self.now,
            )
        )

    # Reactions and marks: a register each.

    def reacted(self, written: Reaction, base: Timestamp | None = None) -> Reaction:
        known = self.known.reactions.get(written.content_id)
        if known is not None:
            self._contend(ConflictKind.REACTION, known, written, base, _opinion)
            if known.order >= written.order:
                return known
        self.known.reactions[written.content_id] = written
        self.changed.reactions[written.content_id] = None
        self._tell(ChangeKind.REACTION, written.content_id)
        return written

    def marked(self, written: Mark, base: Timestamp | None = None) -> Mark:
        key = (written.content_id, written.kind)
        known = self.known.marks.get(key)
        if known is not None:
            self._contend(ConflictKind(written.kind.value), known, written, base, _noted)
            if known.order >= written.order:
                return known
        self.known.marks[key] = written
        self.changed.marks[key] = None
        if written.kind is not MarkKind.PLACE:
            self._tell(ChangeKind.MARKS, written.content_id)
        elif self.entry(written.content_id) is not None:
            self._tell(ChangeKind.WATCHLIST, written.content_id)
        return written

    def marks(self, content_id: int) -> Marks:
        found = (self.known.marks.get((content_id, kind)) for kind in MarkKind)
        return marks_of(content_id, [mark for mark in found if mark is not None])

    # What comes of it.

    def records(self) -> Iterator[tuple[ChangeKind, payloads.Payload]]:
        """For the log: the state after the write of each thing that it changed."""
        for kind, content_id, viewing in self.changed.told:
            match kind:
                case ChangeKind.PROGRESS:
                    progress = self.viewing(content_id, viewing)
                    if progress is not None:
                        yield kind, payloads.of_progress(progress)
                case ChangeKind.VIEWING_WITHDRAWN:
                    if self.viewing(content_id, viewing) is None:
                        yield kind, payloads.of_withdrawn(content_id, viewing)
                case ChangeKind.WATCHLIST:
                    yield kind, payloads.of_entry(content_id, self.entry(content_id))
                case ChangeKind.REACTION:
                    yield kind, payloads.of_reaction(self.known.reactions[content_id])
                case _:
                    yield kind, payloads.of_marks(self.marks(content_id))

    def _tell(self, kind: ChangeKind, content_id: int, viewing: int = 0) -> None:
        self.changed.told[kind, content_id, viewing] = None

    def _contend(
        self,
        kind: ConflictKind,
        known: Any,
        written: Any,
        base: Timestamp | None,
        shown: Callable[[Any], dict[str, Any]],
    ) -> None:
        """Notes a write that is lost, unless it says the same or is the winning device's own."""
        if shown(known) == shown(written) or known.version.device == written.version.device:
            return
        unseen = base is not None and base < known.version
        if written.version > known.version and not unseen:
            return
        lost, won = (written, known) if written.version < known.version else (known, written)
        self.conflicts.append(
            Conflict(
                written.content_id,
                kind,
                ContendingWrite(shown(lost), lost.version),
                ContendingWrite(shown(won), won.version),
                self.now,
            )
        )


def marks_of(content_id: int, marks: list[Mark]) -> Marks:
    by_kind = {mark.kind: mark.value for mark in marks}
    note = by_kind.get(MarkKind.NOTE)
    return Marks(
        content_id,
        note=None if note is None else str(note),
        dropped=bool(by_kind.get(MarkKind.DROPPED)),
        hidden=bool(by_kind.get(MarkKind.HIDDEN)),
        version=max((mark.version for mark in marks if mark.kind is not MarkKind.PLACE), default=None),
    )


def _position(progress: WatchProgress) -> dict[str, Any]:
    return {
        "viewing": progress.viewing,
        "positionSeconds": progress.position_seconds,
        "completed": progress.completed,
    }


def _opinion(reaction: Reaction) -> dict[str, Any]:
    return {"verdict": reaction.verdict, "stars": reaction.stars}


def _noted(mark: Mark) -> dict[str, Any]:
    return {mark.kind.value: mark.value}
