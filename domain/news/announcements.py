"""What those who run the service have to say to everybody, or to a region."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Protocol

from domain.catalog.changes import Notifier
from domain.identity.audit import Action, Actor, Audit
from domain.news.model import Announcement
from domain.news.service import KEPT
from domain.platform.errors import UserErrorCode, refuse

MAX_CHARACTERS = 500
MOST_AT_A_TIME = 20
"""Announcements that count in one region."""


class AnnouncementStore(Protocol):
    """Keeps announcements; each change of one is news. To be called within a transaction."""

    async def add(self, text: str, region: str | None, now: datetime, ends_at: datetime) -> Announcement: ...

    async def withdraw(self, key: int, now: datetime) -> Announcement | None:
        """Ends it; nothing where there is none that still counts."""
        ...

    async def counting(self, region: str | None, now: datetime) -> Sequence[Announcement]:
        """Those that count in a region now, or anywhere, latest first."""
        ...

    async def of(self, keys: Sequence[int], /) -> Mapping[int, Announcement]: ...


@dataclass(frozen=True)
class Announcements:
    """What is announced; all of it is in the audit log."""

    store: AnnouncementStore
    audit: Audit
    notifier: Notifier
    now: Callable[[], datetime]

    async def make(self, text: str, region: str | None, ends_at: datetime, by: Actor) -> Announcement:
        """Announces it to a region, or to all; raises `Refused`."""
        now, text = self.now(), text.strip()
        if not 0 < len(text) <= MAX_CHARACTERS:
            raise refuse(
                f"An announcement has 1 to {MAX_CHARACTERS} characters.", UserErrorCode.INVALID, "text"
            )
        if not now < ends_at <= now + KEPT:
            raise refuse(f"It ends within {KEPT.days} days from now.", UserErrorCode.INVALID, "endsAt")
        async with self.audit.writing():
            made = await self.store.add(text, region, now, ends_at)
            # Only now, as others who announce something wait for their turn.
            if len(await self.store.counting(region, now)) > MOST_AT_A_TIME:
                raise refuse(
                    f"{MOST_AT_A_TIME} announcements count there already: withdraw one first.",
                    UserErrorCode.LIMIT_REACHED,
                )
            await self.audit.record(by, Action.ANNOUNCED, str(made.id), None, _values(made))
        await self.notifier.notify()
        return made

    async def withdraw(self, key: int, by: Actor) -> Announcement:
        """Ends it before its time; raises `Refused` where it does not count any more."""
        async with self.audit.writing():
            withdrawn = await self.store.withdraw(key, self.now())
            if withdrawn is None:
                raise refuse(
                    "There is no such announcement that still counts.",
                    UserErrorCode.NOT_FOUND,
                    "announcementId",
                )
            await self.audit.record(by, Action.ANNOUNCEMENT_WITHDRAWN, str(key))
        await self.notifier.notify()
        return withdrawn

    async def counting(self, region: str) -> Sequence[Announcement]:
        return await self.store.counting(region, self.now())


def _values(made: Announcement) -> dict[str, Any]:
    values = asdict(made)
    return {"text": values["text"], "region": values["region"], "ends_at": made.ends_at.isoformat()}
