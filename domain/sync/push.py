"""What waited in the queue of a device, merged at once: each operation once, and each refused on its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import assert_never
from uuid import UUID

import structlog

from domain.platform.errors import Refused, UserError, UserErrorCode, refuse
from domain.sync.clock import Timestamp
from domain.sync.devices import Devices
from domain.sync.ledger import Ledger
from domain.sync.model import Addition, Mark, Reaction
from domain.sync.operations import (
    Act,
    Added,
    Marked,
    Operation,
    Origin,
    Reacted,
    Removed,
    Title,
    Watched,
    known_mark,
    known_stars,
    known_tag,
    known_tags,
)
from domain.sync.service import Sync, Wanted, existing, playable

MAX_OPERATIONS = 1_000
DRIFT_MILLISECONDS = 5_000
"""Clocks that are further ahead than networks explain are told to whoever runs this."""

log = structlog.get_logger(__name__)


class OperationFate(StrEnum):
    """What became of an operation."""

    APPLIED = "applied"
    """It is part of the state."""
    SUPERSEDED = "superseded"
    """It was merged, and a later write of another device stands; the conflict is noted."""
    REPEATED = "repeated"
    """It had been done before, and was not done again."""
    FORGOTTEN = "forgotten"
    """It was not done, as its device was incognito by then, or the viewer had the title forgotten since; it
    is not to be sent again.
    """
    REFUSED = "refused"
    """It was not done, for the reasons given; sending it again helps only once these are mended."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one operation."""

    operation_id: str
    fate: OperationFate
    user_errors: tuple[UserError, ...] = field(default=())


@dataclass(frozen=True)
class Pushing:
    """Takes what devices did while they were offline."""

    sync: Sync
    devices: Devices

    async def push(
        self,
        account_id: str,
        device_id: str,
        operations: Sequence[Operation],
        settled: Timestamp | None = None,
    ) -> list[Outcome]:
        """The outcome of each operation, in their order; what is not refused is kept once this returns.

        `settled` is the device's word that it waits for no answer to anything with a clock up to this, and
        sends nothing so old again.
        """
        if len(operations) > MAX_OPERATIONS:
            raise refuse(
                f"Up to {MAX_OPERATIONS} operations are pushed at once; push the rest afterwards.",
                UserErrorCode.LIMIT_REACHED,
                "operations",
            )
        device = await self.devices.own(account_id, device_id)
        mark = self._mark(operations, settled)
        self._look_at_its_clock(device.id, operations)
        titles = await self.sync.titles(sorted({operation.act.content_id for operation in operations}))
        ids = [operation.id for operation in operations if _is_uuid(operation.id)]
        async with self.sync.writing(account_id, _wanted(operations, device.id)) as (_, ledger):
            done = await self.sync.ledgers.done(account_id, ids)
            applying = _Applying(self.sync, ledger, device.id, titles, done)
            outcomes = [applying.outcome(operation) for operation in operations]
            await self.sync.ledgers.remember(account_id, sorted(applying.accepted), self.sync.now())
            if mark is not None:
                await self.sync.ledgers.settle(account_id, device.id, mark.clock)
        return outcomes

    def _look_at_its_clock(self, device_id: str, operations: Sequence[Operation]) -> None:
        ahead = max((self.sync.clock.ahead(operation.version) for operation in operations), default=0)
        if ahead > DRIFT_MILLISECONDS:
            log.warning("push.clock_ahead", device_id=device_id, milliseconds=ahead)

    def _mark(self, operations: Sequence[Operation], settled: Timestamp | None) -> Timestamp | None:
        """What the device has settled; nothing for now where its clock runs too far ahead."""
        if settled is None:
            return None
        if any(operation.version.clock <= settled.clock for operation in operations):
            raise refuse(
                "`settledThrough` says that nothing so old is sent any more, and an operation is.",
                UserErrorCode.INVALID,
                "settledThrough",
            )
        return settled if self.sync.clock.takes(settled) else None


@dataclass
class _Applying:
    """Merges the operations of one push, one after another."""

    sync: Sync
    ledger: Ledger
    device_id: str
    titles: Mapping[int, Title]
    done: set[str]
    accepted: set[str] = field(default_factory=set)

    def outcome(self, operation: Operation) -> Outcome:
        if operation.id in self.done or operation.id in self.accepted:
            return Outcome(operation.id, OperationFate.REPEATED)
        conflicts = len(self.ledger.conflicts)
        try:
            # First, as nothing else can be said of a time that is not so.
            version = self.sync.clock.receive(Timestamp(operation.version.clock, self.device_id))
            if self.ledger.forgets(self.device_id, version) or self._is_forgotten(operation.act, version):
                return Outcome(operation.id, OperationFate.FORGOTTEN)
            if not _is_uuid(operation.id):
                raise refuse("The id of an operation is a UUID.", UserErrorCode.INVALID, "id")
            self._apply(operation, version)
        except Refused as refusal:
            return Outcome(operation.id, OperationFate.REFUSED, refusal.errors)
        self.accepted.add(operation.id)
        lost = any(conflict.lost.version == version for conflict in self.ledger.conflicts[conflicts:])
        return Outcome(operation.id, OperationFate.SUPERSEDED if lost else OperationFate.APPLIED)

    def _is_forgotten(self, act: Act, version: Timestamp) -> bool:
        return isinstance(act, Watched) and self.ledger.has_forgotten(act.content_id, version)

    def _apply(self, operation: Operation, version: Timestamp) -> None:
        sync, ledger, now = self.sync, self.ledger, self.sync.now()
        match operation.act:
            case Watched(content_id, position, viewing):
                title = playable(self.titles, content_id)
                origin = Origin(self.device_id, version)
                ledger.watched(sync.written(title, viewing, position, origin, ledger), operation.base)
            case Added(content_id, tag):
                existing(self.titles, content_id)
                ledger.added(Addition(content_id, known_tag(tag), now, version, given=True))
            case Removed(content_id, tags):
                seen = None if tags is None else known_tags(tags)
                known = ledger.tags(content_id)
                if not known.added and not known.removed:
                    existing(self.titles, content_id)
                ledger.removed(content_id, seen, version)
            case Reacted(content_id, verdict, stars):
                given = known_stars(stars)
                existing(self.titles, content_id)
                ledger.reacted(Reaction(content_id, verdict, given, version, now), operation.base)
            case Marked(content_id, kind, value):
                checked = known_mark(kind, value)
                existing(self.titles, content_id)
                ledger.marked(Mark(content_id, kind, checked, version, now), operation.base)
            case _:
                assert_never(operation.act)


def _wanted(operations: Sequence[Operation], device_id: str) -> Wanted:
    wanted = Wanted(devices={device_id})
    for operation in operations:
        match operation.act:
            case Watched(content_id):
                wanted.progress.add(content_id)
            case Added(content_id, tag):
                wanted.watchlist.add(content_id)
                wanted.tags |= _uuids([tag])
            case Removed(content_id, tags):
                wanted.watchlist.add(content_id)
                wanted.tags |= _uuids(tags or ())
            case Reacted(content_id):
                wanted.reactions.add(content_id)
            case Marked(content_id):
                # A place is shown with the title's entry.
                wanted.marks.add(content_id)
                wanted.watchlist.add(content_id)
    return wanted


def _uuids(texts: Sequence[str]) -> set[str]:
    return {str(UUID(text)) for text in texts if _readable(text)}


def _readable(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _is_uuid(text: str) -> bool:
    """Whether it is one as PostgreSQL writes it, so that it is found again."""
    return _readable(text) and str(UUID(text)) == text
