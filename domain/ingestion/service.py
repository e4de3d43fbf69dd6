"""Importing a source: batches into the store, counted and reported."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

from domain.ingestion.model import Feedback, Item, NotStored, Refusal, Source, Work

BATCH = 1000
"""Works a transaction: large enough for set-based statements to pay, small enough to lose little."""
FEEDBACK_BATCH = 5000
AT_ONCE = 2
"""Batches under way: one that merges and one that is laid out."""
KEPT_REFUSALS = 1000
KEPT_GENRES = 200


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a batch: works by what happened to them, and how much feedback was taken."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: tuple[Refusal, ...] = ()
    feedback: int = 0


class Shelf(Protocol):
    """Where imports go. Each call is all or nothing, and repeating it changes nothing.

    Several may run at once; they take effect in the order they were called. Raises `NotStored` when the data
    of the batch is refused.
    """

    async def put(self, works: Sequence[Work], *, fills_gaps: bool) -> Written: ...
    async def put_feedback(self, feedback: Sequence[Feedback]) -> Written: ...

    async def settle(self) -> None:
        """After the last batch: whatever makes the new rows as quick to find as the old ones."""
        ...


@dataclass(slots=True)
class Report:
    """What an import did; the first refusals in full, the rest as a number."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    feedback: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    unknown_genres: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def works(self) -> int:
        return self.created + self.updated + self.unchanged

    @property
    def per_second(self) -> float:
        """Works and ratings a second."""
        return (self.works + self.feedback) / self.seconds if self.seconds else 0.0

    def add(self, batch: Sequence[Item], written: Written) -> None:
        self.created += written.created
        self.updated += written.updated
        self.unchanged += written.unchanged
        self.feedback += written.feedback
        self.refused += len(written.refused)
        self.refusals += written.refused[: max(0, KEPT_REFUSALS - len(self.refusals))]
        for name in (name for item in batch if isinstance(item, Work) for name in item.unknown_genres):
            if name in self.unknown_genres or len(self.unknown_genres) < KEPT_GENRES:
                self.unknown_genres[name] += 1


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an import is; `fraction` of the source has been read, from 0 to 1."""

    works: int
    feedback: int
    refused: int
    per_second: float
    fraction: float


async def nobody() -> None:
    """Who is told where nobody wants to know."""


async def import_source(
    shelf: Shelf,
    source: Source,
    *,
    progress: Callable[[Progress], None] = lambda _: None,
    refused: Callable[[Refusal], None] = lambda _: None,
    changed: Callable[[], Awaitable[None]] = nobody,
) -> Report:
    """Everything of `source` onto the shelf; `progress` hears of each batch, `refused` of each bad line, and
    `changed` of each batch that changed the catalogue, once it is committed.

    May be broken off at any point and run again: what is there already is only compared.
    Raises `BadSource`, and `Unavailable` when the database is lost.
    """
    report = Report()
    started = time.perf_counter()
    async for batch, outcome in _stored(shelf, source):
        report.add(batch, outcome)
        if outcome.created or outcome.updated:
            await changed()
        for refusal in outcome.refused:
            refused(refusal)
        report.seconds = time.perf_counter() - started
        progress(Progress(report.works, report.feedback, report.refused, report.per_second, source.fraction))
    if report.created or report.updated or report.feedback:
        await shelf.settle()
    return report


async def _stored(shelf: Shelf, source: Source) -> AsyncIterator[tuple[list[Item], Written]]:
    """Each batch with what became of it, in their order.

    The next batch is read and parsed in a thread, and laid out, while the database merges this one.
    """
    items = source.items()
    running: deque[tuple[list[Item], asyncio.Task[Written]]] = deque()
    reading = asyncio.create_task(asyncio.to_thread(_next_batch, items))
    try:
        while batch := await reading:
            reading = asyncio.create_task(asyncio.to_thread(_next_batch, items))
            putting = _put(shelf, batch, fills_gaps=source.fills_gaps)
            running.append((batch, asyncio.create_task(putting)))
            if len(running) == AT_ONCE:
                first, outcome = running.popleft()
                yield first, await outcome
        while running:
            first, outcome = running.popleft()
            yield first, await outcome
    finally:
        left = [task for _, task in running]
        for task in left:
            task.cancel()
        # A thread cannot be stopped: what reads must come to its end before the file is let go.
        await asyncio.wait([reading, *left])


def _next_batch(items: Iterator[Item]) -> list[Item]:
    batch = list(islice(items, BATCH))
    if batch and isinstance(batch[-1], Feedback):
        batch += islice(items, FEEDBACK_BATCH - BATCH)
    return batch


async def _put(shelf: Shelf, batch: Sequence[Item], *, fills_gaps: bool) -> Written:
    works = [item for item in batch if isinstance(item, Work)]
    feedback = [item for item in batch if isinstance(item, Feedback)]
    written = [Written(refused=tuple(item for item in batch if isinstance(item, Refusal)))]
    written += await _put_works(shelf, works, fills_gaps=fills_gaps)
    if feedback:
        written.append(await shelf.put_feedback(feedback))
    return Written(
        sum(part.created for part in written),
        sum(part.updated for part in written),
        sum(part.unchanged for part in written),
        tuple(refusal for part in written for refusal in part.refused),
        sum(part.feedback for part in written),
    )


async def _put_works(shelf: Shelf, works: Sequence[Work], *, fills_gaps: bool) -> list[Written]:
    """Halves a batch the store refuses until the work at fault stands alone and is all that is lost."""
    if not works:
        return []
    try:
        return [await shelf.put(works, fills_gaps=fills_gaps)]
    except NotStored as refusal:
        if len(works) == 1:
            return [Written(refused=(Refusal(*works[0].origin, "", str(refusal)),))]
    half = len(works) // 2
    return [
        *await _put_works(shelf, works[:half], fills_gaps=fills_gaps),
        *await _put_works(shelf, works[half:], fills_gaps=fills_gaps),
    ]
