"""The log of news, and following it."""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Protocol, TypeAlias

import structlog

from domain.catalog.changes import Notifier
from domain.news.model import EVERYTHING, Availability, Interest, News
from domain.platform.errors import BadInput, GatewayError

log = structlog.get_logger(__name__)

LOOK_EVERY_SECONDS = 1.0
"""So late is what no hint told of."""
PAGE = 500
WAITING = 256
"""News that wait for one listener; beyond that it reads the log again."""


Settle: TypeAlias = Callable[[], Awaitable[None]]
"""Brings what this process keeps of the catalogue up to date, so that whoever is told finds it so."""


class NewsLog(Protocol):
    """What was news, numbered in the order of commits; old entries go."""

    async def latest(self) -> int:
        """The number of the latest entry, also where it is gone; 0 before the first."""
        ...

    async def forgotten(self) -> int:
        """The number of the last entry that is gone; 0 where none is."""
        ...

    async def since(self, seq: int, interest: Interest, limit: int) -> Sequence[News]:
        """The first ones behind `seq` that somebody with this interest follows, in order."""
        ...


class Inbox:
    """What waits for one listener, in memory."""

    def __init__(self, interest: Interest) -> None:
        self.interest = interest
        self._waiting: deque[News] = deque()
        self._missed = False
        self._something = asyncio.Event()

    def put(self, news: News) -> None:
        """Delivers, or, where the box is full, empties it and points to the log."""
        if len(self._waiting) < WAITING:
            self._waiting.append(news)
        else:
            self._waiting.clear()
            self._missed = True
        self._something.set()

    async def get(self) -> News | None:
        """The next one; None where some were lost, which stand in the log."""
        while not (self._missed or self._waiting):
            self._something.clear()
            await self._something.wait()
        if self._missed:
            self._missed = False
            return None
        return self._waiting.popleft()


class Listeners:
    """Who listens, found by what they follow: few of them are to be told of one title."""

    def __init__(self) -> None:
        self._all: set[Inbox] = set()
        self._of_titles: defaultdict[int, set[Inbox]] = defaultdict(set)
        self._of_regions: defaultdict[str | None, set[Inbox]] = defaultdict(set)

    def __len__(self) -> int:
        return len(self._all)

    def tell(self, news: News) -> None:
        for inbox in self._perhaps(news):
            if inbox.interest.takes(news):
                inbox.put(news)

    @contextmanager
    def listening(self, interest: Interest) -> Iterator[Inbox]:
        inbox = Inbox(interest)
        places = self._places(interest)
        self._all.add(inbox)
        for known, key in places:
            known[key].add(inbox)
        try:
            yield inbox
        finally:
            self._all.discard(inbox)
            for known, key in places:
                known[key].discard(inbox)
                if not known[key]:
                    del known[key]

    def _places(self, interest: Interest) -> list[tuple[defaultdict[Any, set[Inbox]], Any]]:
        if interest.content_ids is None:
            return [(self._of_regions, interest.region)]
        return [(self._of_titles, content_id) for content_id in interest.content_ids]

    def _perhaps(self, news: News) -> list[Inbox]:
        if not isinstance(news, Availability):
            return [inbox for inboxes in self._of_regions.values() for inbox in inboxes]
        found = (
            self._of_titles.get(news.content_id, ()),
            self._of_regions.get(news.region, ()),
            self._of_regions.get(None, ()),
        )
        return [inbox for inboxes in found for inbox in inboxes]


class Feed:
    """Follows the log for all who listen in this process, with one look for all of them."""

    def __init__(self, news: NewsLog, notifier: Notifier, settle: Settle) -> None:
        self.log = news
        self._settle = settle
        self._notifier = notifier
        self._listeners = Listeners()
        self._reached: int | None = None

    async def run(self) -> None:
        """Looks on every hint, and now and then without one, until cancelled."""
        while True:
            try:
                await self.look()
            except GatewayError as error:
                log.warning("news.database_away", error=str(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_SECONDS):
                    await self._notifier.wait()

    async def look(self) -> None:
        """Passes on what came since the last look."""
        if self._reached is None or not self._listeners:
            latest = await self.log.latest()
            # Who began to listen meanwhile may have read the log before this did.
            if self._reached is None or not self._listeners:
                self._reached = latest
                return
        while page := await self.log.since(self._reached, EVERYTHING, PAGE):
            await self._settle()
            for news in page:
                self._listeners.tell(news)
            self._reached = page[-1].seq

    async def follow(self, interest: Interest, after: int | None) -> AsyncGenerator[News, None]:
        """What is news behind `after`, in order, then live: without a gap and without a repeat.

        `None` starts now. Raises `BadInput` where `after` lies ahead of the log, or before what is kept.
        """
        with self._listeners.listening(interest) as inbox:
            if self._reached is None:
                await self.look()
            latest = await self.log.latest()
            seen = latest if after is None else after
            if seen > latest:
                raise BadInput("`after` lies ahead of the news.", argument="after")
            if seen < await self.log.forgotten():
                raise BadInput(
                    "`after` is older than news are kept: read what you need anew, and follow without it.",
                    argument="after",
                    reason="CURSOR_EXPIRED",
                )
            behind = seen < latest
            while True:
                while behind:
                    page = await self.log.since(seen, interest, PAGE)
                    await self._settle()
                    for news in page:
                        yield news
                        seen = news.seq
                    behind = len(page) == PAGE
                arrived = await inbox.get()
                if arrived is None:
                    behind = True
                elif arrived.seq > seen:
                    yield arrived
                    seen = arrived.seq

    @property
    def listeners(self) -> int:
        return len(self._listeners)
