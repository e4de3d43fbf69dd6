"""Starting, following and ending playback."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from domain.platform.errors import UserErrorCode, refuse
from domain.playback import events
from domain.playback.model import (
    PlaybackEnd,
    PlaybackQuality,
    PlaybackSession,
    PlaybackState,
    has_ended,
    of_session,
)
from domain.sync.clock import Timestamp
from domain.sync.commands import Command, Commands
from domain.sync.devices import Devices
from domain.sync.journal import Writing
from domain.sync.model import ChangeKind, Device, DeviceCommand, WatchProgress
from domain.sync.operations import Origin, Position, Title, known_duration, known_position
from domain.sync.service import Sync, Wanted

SILENT_FOR = timedelta(hours=6)
"""A player that said nothing for so long, not even that it pauses, has gone."""
SILENT_WHILE_PLAYING = timedelta(minutes=5)
"""So has one that said that it plays, on a device that is offline."""
SILENT_WHILE_THERE = timedelta(seconds=90)
"""So has one that said that it plays, on a device that gives signs of life: nine reports did not come."""
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
    async def silent(
        self, since: datetime, playing_since: datetime, there_since: datetime, limit: int
    ) -> list[PlaybackSession]:
        """Sessions of all accounts that go on, and of which nothing was heard since; also those that play and
        of which nothing was heard since `playing_since`, as of their device, or since `there_since`, unlike
        of their device.
        """
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
    quality: PlaybackQuality = PlaybackQuality.AUTO


@dataclass(frozen=True, slots=True)
class Asked:
    """How the device of a session asks for it to go on elsewhere: where it stands, and what told it to."""

    position_seconds: int | None = None
    command_id: str | None = None


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
            await self._stop_all_on(writing, device.id, PlaybackEnd.REPLACED)
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
                quality=begin.quality,
                end_credits_seconds=title.end_credits_seconds,
                told_at=now,
            )
            if device.incognito:
                await self._hold(session)
            else:
                await self._save(writing, session, None)
            return session

    async def find(self, account_id: str, session_id: str) -> PlaybackSession | None:
        """The session, also one that is incognito."""
        private = await self.private.get(account_id, session_id)
        return private or (await self.store.by_ids(account_id, [session_id])).get(session_id)

    async def report(
        self, account_id: str, session_id: str, report: Report, origin: Origin, *, allowed: bool = True
    ) -> tuple[PlaybackSession, WatchProgress | None]:
        """Where the player stands. A report older than what is known changes nothing.

        `allowed` says whether its viewer may go on. Where they may not, what was watched is kept, and a
        session that would play on has ended with it.
        """
        private = await self.private.get(account_id, session_id)
        if private is not None:
            return await self._move_unseen(private, report, origin.version, allowed=allowed), None
        async with self.sync.journal.writing(account_id) as writing:
            session = await self._awaited(account_id, session_id)
            return await self._move(writing, session, report, origin.version, allowed=allowed)

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
            if session.takes_more and position is not None:
                report = Report(PlaybackState.STOPPED, position)
                session, progress = await self._move(writing, session, report, origin.version)
            if session.active:
                session = await self.stop(writing, session, PlaybackEnd.STOPPED)
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
        self, account_id: str, session_id: str, device_id: str, content: str, asked: Asked = Asked()
    ) -> tuple[PlaybackSession, DeviceCommand]:
        """Has another device go on where a session stands, and stops it here; `content` as commands name it.

        The session stands still from then on, so that its device cannot overwrite what the other one tells.
        Its device is told to stop, unless it is the one that asks, as a command told it.
        """
        target = await self.commands.check(account_id, device_id, Command("load", {"contentId": content}))
        async with self.sync.journal.writing(account_id) as writing:
            session = await self._active(account_id, session_id)
            if session.device_id == target.id:
                raise refuse("It plays there already.", UserErrorCode.CONFLICT, "deviceId")
            seconds = session.seconds_at(self.now())
            if asked.position_seconds is not None:
                seconds = min(known_position(asked.position_seconds), session.duration_seconds)
            standing = replace(session, position_seconds=seconds)
            stopped = await self.stop(writing, standing, PlaybackEnd.HANDED_OVER)
            load = Command("load", {"contentId": content, "startSeconds": seconds})
            command = await self.commands.queue(writing, target.id, load)
            if asked.command_id is not None:
                await self.commands.cast(writing, asked.command_id, session.device_id, target.id)
            elif session.device_id in await self.devices.online([session.device_id]):
                await self.commands.queue(writing, session.device_id, Command("stop", {}))
            return stopped, command

    async def end_silent(self) -> int:
        """Stops sessions whose player has fallen silent, where it last stood; how many there were."""
        now, ended = self.now(), 0
        silent = await self.store.silent(
            now - SILENT_FOR, now - SILENT_WHILE_PLAYING, now - SILENT_WHILE_THERE, ENDED_AT_ONCE
        )
        for found in silent:
            async with self.sync.journal.writing(found.account_id) as writing:
                session = await self._own(found.account_id, found.id)
                if session.active and session.updated_at <= found.updated_at:
                    await self.stop(writing, session, PlaybackEnd.SILENT)
                    ended += 1
        return ended

    async def set_incognito(self, account_id: str, device_id: str, *, incognito: bool) -> Device:
        """From now on nothing is kept of what is done on the device, or again all. What plays is stopped."""
        stop = partial(self._stop_all_on, reason=PlaybackEnd.INCOGNITO)
        return await self.devices.set_incognito(account_id, device_id, stop, incognito=incognito)

    async def remove_device(self, account_id: str, device_id: str) -> Device:
        """Removes a device and stops what it plays, at once: nobody could end it on that device any more."""
        stop = partial(self._stop_all_on, reason=PlaybackEnd.DEVICE_REMOVED)
        return await self.devices.remove(account_id, device_id, stop)

    async def _move(
        self,
        writing: Writing,
        session: PlaybackSession,
        report: Report,
        version: Timestamp | None,
        *,
        allowed: bool = True,
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
        moved = _allowed(session.moved(written, report.state), allowed=allowed)
        return await self._save(writing, moved, session), progress

    async def _move_unseen(
        self, session: PlaybackSession, report: Report, version: Timestamp | None, *, allowed: bool = True
    ) -> PlaybackSession:
        written = self._written(session, report.position, version)
        moved = _allowed(session.moved(written, report.state), allowed=allowed)
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
        title = Title(
            session.content_id,
            playable=True,
            duration_seconds=session.duration_seconds,
            end_credits_seconds=session.end_credits_seconds,
        )
        return self.sync.written(title, session.viewing, position, Origin(session.device_id, version))

    async def _stop_all_on(self, writing: Writing, device_id: str, reason: PlaybackEnd) -> None:
        active = await self.store.active_on(writing.account_id, [device_id])
        for session in active.values():
            await self.stop(writing, session, reason)

    async def stop(self, writing: Writing, session: PlaybackSession, reason: PlaybackEnd) -> PlaybackSession:
        """Ends a session where it stands; it says nothing of the title."""
        return await self._save(writing, session.ended(self.now(), reason), session)

    async def _save(
        self, writing: Writing, session: PlaybackSession, before: PlaybackSession | None
    ) -> PlaybackSession:
        """The session as it is kept, `before` being what is known of it."""
        kept, told = events.of_change(before, session)
        await self.store.save(kept)
        writing.record(ChangeKind.PLAYBACK, of_session(kept), *told)
        return kept

    async def _own(self, account_id: str, session_id: str) -> PlaybackSession:
        session = (await self.store.by_ids(account_id, [session_id])).get(session_id)
        if session is None:
            raise refuse("There is no such PlaybackSession.", UserErrorCode.NOT_FOUND, "sessionId")
        return session

    async def _active(self, account_id: str, session_id: str) -> PlaybackSession:
        session = await self._own(account_id, session_id)
        if not session.active:
            raise has_ended(session)
        return session

    async def _awaited(self, account_id: str, session_id: str) -> PlaybackSession:
        """One that its player may still speak of; as soon as it plays something else, no more."""
        session = await self._own(account_id, session_id)
        if session.active:
            return session
        others = await self.store.active_on(account_id, [session.device_id])
        if others or not session.takes_more:
            raise has_ended(session)
        return session


def _viewing(progress: WatchProgress | None) -> int:
    if progress is None:
        return 1
    return progress.viewing + 1 if progress.completed else progress.viewing


def _allowed(moved: PlaybackSession, *, allowed: bool) -> PlaybackSession:
    """What pauses is not watched, and may go on pausing."""
    if allowed or not moved.active or moved.state is PlaybackState.PAUSED:
        return moved
    return moved.ended(moved.updated_at, PlaybackEnd.NOT_ALLOWED)
