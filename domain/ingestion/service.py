"""Importing a source: batches into the store, counted and reported."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

from domain.ingestion.model import Feedback, Item, NotStored, Refusal, Source, Work

BATCH = 500
"""Works a transaction: large enough for set-based statements to pay, small enough to lose little."""
FEEDBACK_BATCH = 5000
KEPT_REFUSALS = 1000
KEPT_GENRES = 200


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a batch; `refused` are items the store knows nothing to do with."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: tuple[Refusal, ...] = ()


class Shelf(Protocol):
    """Where imports go. Each call is all or nothing, and repeating it changes nothing.

    Raises `NotStored` when the data of the batch is refused.
    """

    async def put(self, works: Sequence[Work], *, fills_gaps: bool) -> Written: ...
    async def put_feedback(self, feedback: Sequence[Feedback]) -> Written: ...


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

    def refuse(self, refusals: Sequence[Refusal]) -> None:
        self.refused += len(refusals)
        self.refusals += refusals[: max(0, KEPT_REFUSALS - len(self.refusals))]

    def note_genres(self, work: Work) -> None:
        for name in work.unknown_genres:
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


async def import_source(
    shelf: Shelf,
    source: Source,
    *,
    progress: Callable[[Progress], None] = lambda _: None,
    refused: Callable[[Refusal], None] = lambda _: None,
) -> Report:
    """Everything of `source` onto the shelf; `progress` hears of each batch, `refused` of each bad line.

    May be broken off at any point and run again: what is there already is only compared.
    Raises `BadSource`, and `Unavailable` when the database is lost.
    """
    report = Report()
    started = time.perf_counter()
    items = source.items()
    # The next batch is read and parsed in a thread while the database works on this one.
    reading = asyncio.create_task(asyncio.to_thread(_next_batch, items))
    try:
        while batch := await reading:
            reading = asyncio.create_task(asyncio.to_thread(_next_batch, items))
            for refusal in await _put(shelf, batch, report, fills_gaps=source.fills_gaps):
                refused(refusal)
            report.seconds = time.perf_counter() - started
            progress(
                Progress(report.works, report.feedback, report.refused, report.per_second, source.fraction)
            )
    finally:
        # A generator cannot be closed while its thread still runs in it.
        await asyncio.wait([reading])
    return report


def _next_batch(items: Iterator[Item]) -> list[Item]:
    batch = list(islice(items, BATCH))
    if batch and isinstance(batch[-1], Feedback):
        batch += islice(items, FEEDBACK_BATCH - BATCH)
    return batch


async def _put(shelf: Shelf, batch: Sequence[Item], report: Report, *, fills_gaps: bool) -> list[Refusal]:
    works = [item for item in batch if isinstance(item, Work)]
    feedback = [item for item in batch if isinstance(item, Feedback)]
    refusals = [item for item in batch if isinstance(item, Refusal)]
    for work in works:
        report.note_genres(work)
    for written in await _put_works(shelf, works, fills_gaps=fills_gaps):
        report.created += written.created
        report.updated += written.updated
        report.unchanged += written.unchanged
        refusals += written.refused
    if feedback:
        told = await shelf.put_feedback(feedback)
        report.feedback += told.created + told.updated + told.unchanged
        refusals += told.refused
    report.refuse(refusals)
    return refusals


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
