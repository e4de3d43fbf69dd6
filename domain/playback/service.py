"""Starting, following and ending playback."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from domain.platform.errors import UserErrorCode, refuse
from domain.playback.model import PlaybackSession, PlaybackState, of_session
from domain.sync.devices import Devices
from domain.sync.journal import Writing
from domain.sync.model import ChangeKind, Event, WatchProgress
from domain.sync.service import Origin, Position, Sync, known_duration

CREATED = "playback.session.created"
MOVED = "playback.position.updated"
ENDED = "playback.session.ended"
POSITION_EVENT_EVERY = timedelta(seconds=10)


class PlaybackStore(Protocol):
    """The sessions of accounts; writes run within the account's turn."""

    async def by_id(self, account_id: str, session_id: str) -> PlaybackSession | None: ...
    async def active_on(
        self, account_id: str, device_ids: Sequence[str]
    ) -> Mapping[str, PlaybackSession]: ...
    async def of_account(
        self, account_id: str, *, active: bool | None, limit: int
    ) -> list[PlaybackSession]: ...
    async def save(self, session: PlaybackSession) -> None: ...


@dataclass(frozen=True, slots=True)
class Report:
    """What a player says: its state and where it stands."""

    state: PlaybackState | None
    position: Position


@dataclass(frozen=True)
class Playback:
    """Sessions, and the progress they bring about."""

    store: PlaybackStore
    sync: Sync
    devices: Devices
    now: Callable[[], datetime]
    new_id: Callable[[], str]

    async def start(
        self, account_id: str, content_id: int, origin: Origin, platform_id: str | None, at: Position | None
    ) -> PlaybackSession:
        """A session on the device of `origin`, from where the viewer stopped unless `at` says otherwise.

        What the device played before is stopped. A finished title begins its next viewing.
        """
        title = await self.sync.playable(content_id)
        device = await self.devices.own(account_id, origin.device_id or "")
        async with self.sync.journal.writing(account_id) as writing:
            await self._stop_others(writing, device.id)
            progress = (await self.sync.store.progress(account_id, [content_id])).get(content_id)
            known = known_duration(
                at.duration_seconds if at else progress.duration_seconds if progress else None, title
            )
            seconds = at.seconds if at is not None else 0 if progress is None else progress.resume_seconds
            now = self.now()
            session = PlaybackSession(
                id=self.new_id(),
                account_id=account_id,
                device_id=device.id,
                content_id=content_id,
                viewing=_viewing(progress),
                state=PlaybackState.PLAYING,
                platform_id=platform_id,
                position_seconds=min(max(0, seconds), known),
                duration_seconds=known,
                started_at=now,
                updated_at=now,
                ended_at=None,
            )
            await self._save(writing, session, CREATED)
            return session

    async def report(
        self, account_id: str, session_id: str, report: Report, origin: Origin
    ) -> tuple[PlaybackSession, WatchProgress]:
        """Where the player stands. A report older than what is known changes nothing."""
        stamp = self.sync.stamp(origin)
        async with self.sync.journal.writing(account_id) as writing:
            session = await self._active(account_id, session_id)
            return await self._move(writing, session, report, Origin(session.device_id, stamp))

    async def end(
        self, account_id: str, session_id: str, position: Position | None, origin: Origin
    ) -> tuple[PlaybackSession, WatchProgress | None]:
        """The last word of a session. Ending it twice changes nothing."""
        stamp = self.sync.stamp(origin)
        async with self.sync.journal.writing(account_id) as writing:
            session = await self._own(account_id, session_id)
            if not session.active:
                known = await self.sync.store.viewing(account_id, session.content_id, session.viewing)
                return session, known
            last = position or Position(session.position_seconds, session.duration_seconds)
            report = Report(PlaybackState.STOPPED, last)
            return await self._move(writing, session, report, Origin(session.device_id, stamp))

    async def _move(
        self, writing: Writing, session: PlaybackSession, report: Report, origin: Origin
    ) -> tuple[PlaybackSession, WatchProgress]:
        title = await self.sync.existing(session.content_id)
        duration = report.position.duration_seconds or session.duration_seconds
        told = Position(report.position.seconds, duration)
        written = self.sync.written(title, session.viewing, told, origin)
        progress = await self.sync.merge_progress(writing, written)
        if progress.version != written.version:
            return session, progress
        at_end = written.position_seconds >= written.duration_seconds
        state = PlaybackState.ENDED if at_end else report.state or session.state
        moved = replace(
            session,
            state=state,
            position_seconds=written.position_seconds,
            duration_seconds=written.duration_seconds,
            updated_at=written.updated_at,
            ended_at=written.updated_at if state.final else None,
        )
        await self._save(writing, moved, _event_of(session, moved))
        return moved, progress

    async def _stop_others(self, writing: Writing, device_id: str) -> None:
        others = await self.store.active_on(writing.account_id, [device_id])
        for session in others.values():
            now = self.now()
            stopped = replace(session, state=PlaybackState.STOPPED, updated_at=now, ended_at=now)
            await self._save(writing, stopped, ENDED)

    async def _save(self, writing: Writing, session: PlaybackSession, topic: str | None) -> None:
        await self.store.save(session)
        payload = of_session(session)
        events = [] if topic is None else [Event(topic, session.id, _told(session))]
        writing.record(ChangeKind.PLAYBACK, payload, *events)

    async def _own(self, account_id: str, session_id: str) -> PlaybackSession:
        session = await self.store.by_id(account_id, session_id)
        if session is None:
            raise refuse("There is no such PlaybackSession.", UserErrorCode.NOT_FOUND, "sessionId")
        return session

    async def _active(self, account_id: str, session_id: str) -> PlaybackSession:
        session = await self._own(account_id, session_id)
        if not session.active:
            raise refuse("The session has ended; start a new one.", UserErrorCode.CONFLICT, "sessionId")
        return session


def _viewing(progress: WatchProgress | None) -> int:
    if progress is None:
        return 1
    return progress.viewing + 1 if progress.completed else progress.viewing


def _event_of(before: PlaybackSession, after: PlaybackSession) -> str | None:
    """Position events are told once in ten seconds at most."""
    if not after.active:
        return ENDED
    told = before.updated_at.timestamp() // POSITION_EVENT_EVERY.total_seconds()
    due = after.updated_at.timestamp() // POSITION_EVENT_EVERY.total_seconds() > told
    return MOVED if due or before.state is not after.state else None


def _told(session: PlaybackSession) -> dict[str, Any]:
    told = of_session(session) | {"account": session.account_id}
    if not session.active and session.duration_seconds:
        told["completion"] = min(1.0, session.position_seconds / session.duration_seconds)
    return told
