"""Tells the kept values of this process what has changed in the catalogue, wherever it was written.

Every transaction that changes the catalogue records what it changed (the triggers of migration 0005 do). Each
process looks at the record several times a second, and at once when a writer has notified it.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import structlog

from domain.platform.cache import Cache, Tag
from domain.platform.errors import GatewayError

log = structlog.get_logger(__name__)

LOOK_EVERY_SECONDS = 0.4
ANSWER_SECONDS = 0.5
"""With `LOOK_EVERY_SECONDS` less than a second: so old may be what is answered, whatever is lost."""
REST_SECONDS = 0.01
"""Between two looks, however many writers notify."""
RECORD_KEPT_SECONDS = 3_600.0

CATALOGUE: Tag = 0
"""What may depend on any work or person, such as a list of them."""


def work_tag(content_id: int) -> Tag:
    """What shows a work or a part, or hangs on it."""
    return content_id


def person_tag(person_id: int) -> Tag:
    """Keys of both are positive: a number alone is the smallest tag there is."""
    return -person_id


@dataclass(frozen=True, slots=True)
class Changes:
    """What transactions changed: works and parts with all that hangs on them, people, or the whole."""

    content_ids: frozenset[int] = frozenset()
    person_ids: frozenset[int] = frozenset()
    everything: bool = False


class ChangeRecord(Protocol):
    """What transactions recorded; each change is told once to each reader, whatever order they commit in."""

    async def news(self) -> Changes:
        """What was committed since the last call; everything, where that is not known."""
        ...


class Notifier(Protocol):
    """Hints that the record has news, to every process that waits; a hint may be lost."""

    async def notify(self) -> None: ...

    async def wait(self) -> None:
        """Until the next hint; one that came since the last call counts."""
        ...


class LocalNotifier:
    """Fills `Notifier` within one process."""

    def __init__(self) -> None:
        self._hinted = asyncio.Event()

    async def notify(self) -> None:
        self.hint()

    def hint(self) -> None:
        self._hinted.set()

    async def wait(self) -> None:
        await self._hinted.wait()
        self._hinted.clear()


class ChangeWatch:
    """Keeps a cache true to the record of changes, or silent while that cannot be read."""

    def __init__(
        self,
        cache: Cache,
        record: ChangeRecord,
        notifier: Notifier,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cache = cache
        self._record = record
        self._notifier = notifier
        self._clock = clock
        self._looked_at: float | None = None
        self._turn = asyncio.Lock()
        self._next: asyncio.Task[None] | None = None

    async def look(self) -> None:
        """Invalidates what has changed since the last look; pauses the cache where that cannot be learnt."""
        async with self._turn:
            await self._look()

    async def catch_up(self) -> None:
        """Looks, for all who ask before that begins: what was committed by now is known afterwards."""
        if self._next is None:
            self._next = asyncio.create_task(self._look_next())
        await asyncio.shield(self._next)

    async def _look_next(self) -> None:
        async with self._turn:
            self._next = None
            await self._look()

    async def _look(self) -> None:
        began = self._clock()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                news = await self._record.news()
        except (GatewayError, TimeoutError) as error:
            log.warning("catalog.changes_unknown", error=str(error))
            self._cache.pause()
        except Exception:
            # As where the table is missing while migrations go down and up: the record may be another one.
            log.exception("catalog.changes_unreadable")
            self._looked_at = None
            self._cache.pause()
        else:
            self._apply(news if self._remembered(began) else Changes(everything=True))
            self._looked_at = began
            self._cache.resume()

    async def run(self) -> None:
        """Looks until cancelled."""
        while True:
            await asyncio.sleep(REST_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_SECONDS):
                    await self._notifier.wait()
            await self.look()

    def _remembered(self, now: float) -> bool:
        """Whether all that happened since the last look is still on record."""
        return self._looked_at is not None and now - self._looked_at < RECORD_KEPT_SECONDS / 2

    def _apply(self, news: Changes) -> None:
        if news.everything:
            self._cache.clear()
        elif news.content_ids or news.person_ids:
            works = map(work_tag, news.content_ids)
            people = map(person_tag, news.person_ids)
            self._cache.invalidate({CATALOGUE, *works, *people})
