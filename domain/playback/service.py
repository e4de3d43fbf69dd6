"""Starting, following and ending playback."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from domain.platform.errors import UserErrorCode, refuse
from domain.playback.model import PlaybackSession, PlaybackState, of_session
from domain.sync.clock import Timestamp
from domain.sync.commands import Command, Commands
from domain.sync.devices import Devices
from domain.sync.journal import Writing
from domain.sync.model import ChangeKind, Device, DeviceCommand, Event, WatchProgress
from domain.sync.operations import Origin, Position, Title, known_duration, known_position
from domain.sync.service import Sync, Wanted

CREATED = "playback.session.created"
MOVED = "playback.position.updated"
ENDED = "playback.session.ended"
POSITION_EVENT_EVERY = timedelta(seconds=10)
SILENT_FOR = timedelta(hours=6)
"""A player that said nothing for so long, not even that it pauses, has gone."""
ENDED_AT_ONCE = 200
KEEP_ENDED = timedelta(days=180)
FORGOTTEN_AT_ONCE = 5_000


class PlaybackStore(Protocol):
    """The sessions of accounts; writes run within the account's turn."""

    async def by_ids(self, account_id: str, ids: Sequence[str]) -> Mapping[str, PlaybackSession]: ...
    async def active_on(
        self, account_id: str, device_ids: Sequence[str]
    ) -> Mapping[str, PlaybackSession]: ...
    async def of_account(
        self, account_id: str, *, active: bool | None, limit: int
    ) -> list[PlaybackSession]: ...
    async def save(self, session: PlaybackSession) -> None: ...
    async def silent(self, since: datetime, limit: int) -> list[tuple[str, str]]:
        """Account and id of sessions of all accounts that go on, and of which nothing was heard since."""
        ...

    async def forget_ended(self, before: datetime, limit: int) -> int:
        """Drops up to so many sessions of all accounts that ended before; how many it dropped."""
        ...

    async def forget_unwanted(self, at: datetime, limit: int) -> int:
        """The same of those that ended longer ago than their account keeps its history."""
        ...


class PrivateSessions(Protocol):
    """Sessions of devices that are incognito: held in memory while they go on, and written nowhere."""

    async def get(self, account_id: str, session_id: str) -> PlaybackSession | None: ...
    async def hold(self, session: PlaybackSession, seconds: float) -> None:
        """For so long, unless it is held again."""
        ...

    async def drop(self, account_id: str, session_id: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Report:
    """What a player says: its state and where it stands."""

    state: PlaybackState | None
    position: Position


@dataclass(frozen=True, slots=True)
class Beginning:
    """How a session begins; what is open is where the viewer stopped, and what the catalogue says."""

    platform_id: str | None = None
    position_seconds: int | None = None
    duration_seconds: int | None = None


@dataclass(frozen=True)
class Playback:
    """Sessions, and the progress they bring about."""

    store: PlaybackStore
    private: PrivateSessions
    sync: Sync
    devices: Devices
    commands: Commands
    now: Callable[[], datetime]
    new_id: Callable[[], str]

    async def start(
        self, account_id: str, content_id: int, device_id: str, begin: Beginning = Beginning()
    ) -> PlaybackSession:
        """A session on a device, from where the viewer stopped unless `begin` says otherwise.

        What the device played before is stopped. A finished title begins its next viewing. Of a device that
        is incognito nothing is kept but the session itself, in memory.
        """
        title = await self.sync.playable(content_id)
        async with self.sync.journal.writing(account_id) as writing:
            device = await self.devices.own(account_id, device_id)
            await self._stop_all_on(writing, device.id)
            progress = (await self.sync.store.progress(account_id, [content_id])).get(content_id)
            told = begin.duration_seconds
            if told is None and progress is not None:
                told = progress.duration_seconds
            duration = known_duration(told, title)
            seconds = begin.position_seconds
            if seconds is None:
                seconds = 0 if progress is None else progress.resume_seconds
            now = self.now()
            session = PlaybackSession(
                id=self.new_id(),
                account_id=account_id,
                device_id=device.id,
                content_id=content_id,
                viewing=_viewing(progress),
                state=PlaybackState.PLAYING,
                platform_id=begin.platform_id,
                position_seconds=min(known_position(seconds), duration),
                duration_seconds=duration,
                started_at=now,
                updated_at=now,
                ended_at=None,
            )
            if device.incognito:
                await self._hold(session)
            else:
                await self._save(writing, session, CREATED)
            return session

    async def report(
        self, account_id: str, session_id: str, report: Report, origin: Origin
    ) -> tuple[PlaybackSession, WatchProgress | None]:
        """Where the player stands. A report older than what is known changes nothing."""
        private = await self.private.get(account_id, session_id)
        if private is not None:
            return await self._move_unseen(private, report, origin.version), None
        async with self.sync.journal.writing(account_id) as writing:
            session = await self._active(account_id, session_id)
            return await self._move(writing, session, report, origin.version)

    async def end(
        self, account_id: str, session_id: str, position: Position | None, origin: Origin
    ) -> tuple[PlaybackSession, WatchProgress | None]:
        """The last word of a session. Ending it twice changes nothing.

        Without a position it says nothing of the title: another device may be further by now.
        """
        private = await self.private.get(account_id, session_id)
        if private is not None:
            last = position or Position(private.position_seconds)
            return await self._move_unseen(private, Report(PlaybackState.STOPPED, last), origin.version), None
        async with self.sync.journal.writing(account_id) as writing:
            session = await self._own(account_id, session_id)
            ledger = await self.sync.ledger(account_id, Wanted(progress={session.content_id}))
            progress = ledger.viewing(session.content_id, session.viewing)
            if session.active and position is not None:
                report = Report(PlaybackState.STOPPED, position)
                session, progress = await self._move(writing, session, report, origin.version)
            if session.active:
                session = await self.stop(writing, session)
            return session, progress

    async def forget_ended(self) -> int:
        """Drops sessions that ended long ago, or longer ago than their account keeps its history. How many
        there were.
        """
        now = self.now()
        return await self.store.forget_ended(
            now - KEEP_ENDED, FORGOTTEN_AT_ONCE
        ) + await self.store.forget_unwanted(now, FORGOTTEN_AT_ONCE)

    async def to_hand_over(self, account_id: str, session_id: str) -> PlaybackSession:
        """The session; raises `Refused` where there is none that another device may hear of."""
        if await self.private.get(account_id, session_id) is not None:
            raise refuse(
                "It plays incognito, so no other device is told of it.",
                UserErrorCode.UNAVAILABLE,
                "sessionId",
            )
        return await self._own(account_id, session_id)

    async def hand_over(
        self, account_id: str, session_id: str, device_id: str, content: str
    ) -> tuple[PlaybackSession, DeviceCommand]:
        """Has another device go on where a session stands, and stops it here; `content` as commands name it.

        The session stands still from then on, so that its device cannot overwrite what the other one tells.
        """
        target = await self.commands.check(account_id, device_id, Command("load", {"contentId": content}))
        async with self.sync.journal.writing(account_id) as writing:
            session = await self._active(account_id, session_id)
            if session.device_id == target.id:
                raise refuse("It plays there already.", UserErrorCode.CONFLICT, "deviceId")
            seconds = session.seconds_at(self.now())
            stopped = await self.stop(writing, replace(session, position_seconds=seconds))
            load = Command("load", {"contentId": content, "startSeconds": seconds})
            command = await self.commands.queue(writing, target.id, load)
            if session.device_id in await self.devices.presence.online([session.device_id]):
                await self.commands.queue(writing, session.device_id, Command("stop", {}))
            return stopped, command

    async def end_silent(self) -> int:
        """Stops sessions whose player has fallen silent, where it last stood; how many there were."""
        since, ended = self.now() - SILENT_FOR, 0
        for account_id, session_id in await self.store.silent(since, ENDED_AT_ONCE):
            async with self.sync.journal.writing(account_id) as writing:
                session = await self._own(account_id, session_id)
                if session.active and session.updated_at <= since:
                    await self.stop(writing, session)
                    ended += 1
        return ended

    async def set_incognito(self, account_id: str, device_id: str, *, incognito: bool) -> Device:
        """From now on nothing is kept of what is done on the device, or again all. What plays is stopped."""
        return await self.devices.set_incognito(account_id, device_id, self._stop_all_on, incognito=incognito)

    async def remove_device(self, account_id: str, device_id: str) -> Device:
        """Removes a device and stops what it plays, at once: nobody could end it on that device any more."""
        return await self.devices.remove(account_id, device_id, self._stop_all_on)

    async def _move(
        self, writing: Writing, session: PlaybackSession, report: Report, version: Timestamp | None
    ) -> tuple[PlaybackSession, WatchProgress]:
        ledger = await self.sync.ledger(writing.account_id, Wanted(progress={session.content_id}))
        known = ledger.viewing(session.content_id, session.viewing)
        seen = ledger.newest(session.content_id) if known is None else known.version
        stamp = self.sync.stamp(Origin(session.device_id, version), seen)
        written = self._written(session, report.position, stamp)
        progress = ledger.watched(written)
        await self.sync.keep(writing, ledger)
        if known is not None and stamp <= known.version and known.device_id == session.device_id:
            # The device's own later word. One of another device is about the title, not about this session.
            return session, progress
        moved = session.moved(written, report.state)
        await self._save(writing, moved, _event_of(session, moved))
        return moved, progress

    async def _move_unseen(
        self, session: PlaybackSession, report: Report, version: Timestamp | None
    ) -> PlaybackSession:
        moved = session.moved(self._written(session, report.position, version), report.state)
        if moved.active:
            await self._hold(moved)
        else:
            await self.private.drop(moved.account_id, moved.id)
        return moved

    async def _hold(self, session: PlaybackSession) -> None:
        await self.private.hold(session, SILENT_FOR.total_seconds())

    def _written(
        self, session: PlaybackSession, position: Position, version: Timestamp | None
    ) -> WatchProgress:
        # Not looked up again: what the catalogue dropped meanwhile can still be played to its end.
        title = Title(session.content_id, playable=True, duration_seconds=session.duration_seconds)
        return self.sync.written(title, session.viewing, position, Origin(session.device_id, version))

    async def _stop_all_on(self, writing: Writing, device_id: str) -> None:
        active = await self.store.active_on(writing.account_id, [device_id])
        for session in active.values():
            await self.stop(writing, session)

    async def stop(self, writing: Writing, session: PlaybackSession) -> PlaybackSession:
        """Ends a session where it stands; it says nothing of the title."""
        now = self.now()
        stopped = replace(session, state=PlaybackState.STOPPED, updated_at=now, ended_at=now)
        await self._save(writing, stopped, ENDED)
        return stopped

    async def _save(self, writing: Writing, session: PlaybackSession, topic: str | None) -> None:
        await self.store.save(session)
        payload = of_session(session)
        events = [] if topic is None else [Event(topic, session.id, _told(session))]
        writing.record(ChangeKind.PLAYBACK, payload, *events)

    async def _own(self, account_id: str, session_id: str) -> PlaybackSession:
        session = (await self.store.by_ids(account_id, [session_id])).get(session_id)
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
