"""Live streams of the viewer's own changes."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Annotated, TypeVar

import strawberry
from strawberry import ID

from domain.platform.errors import GatewayError, NotFound, Refused
from domain.sync.devices import HEARTBEAT
from domain.sync.journal import CatchUp
from domain.sync.model import Change, ChangeKind
from resolvers.commands import may_see
from resolvers.context import Info
from resolvers.ids import content_key, key_of
from resolvers.sync import cursor_of, seq_of
from resolvers.viewing import renew
from resolvers.visibility import shows
from subscriptions.events import (
    CommandChanged,
    DeviceChanged,
    Event,
    PlaybackChanged,
    ProgressChanged,
    WatchlistChanged,
    event_of,
)

Delivered = TypeVar("Delivered", bound=Event)

PRESENCE_SECONDS = 5.0
"""How long a device that fell silent may still be shown as online, beyond its lease."""

After = Annotated[
    str | None,
    strawberry.argument(
        description="A cursor of an earlier event, or `Viewer.syncCursor`: what came behind it is delivered "
        "first. From now on if open."
    ),
]


async def changes(
    info: Info,
    after: After = None,
    snapshot: Annotated[  # noqa: FBT002 - the graph passes arguments by name
        bool,
        strawberry.argument(
            description="Whether to begin with all of the state, for a device that has nothing yet; `after` "
            "does not count then."
        ),
    ] = False,
) -> AsyncGenerator[Event, None]:
    anew = snapshot and info.context.last_seen is None
    followed = _follow(info, None if anew else after, catch_up=info.context.services.snapshots, anew=anew)
    whole = True
    async with aclosing(followed):
        async for change in followed:
            event = event_of(change)
            # Who breaks off within a snapshot has to begin it again.
            if change.kind is ChangeKind.SNAPSHOT_BEGAN:
                whole = False
            elif change.kind is ChangeKind.SNAPSHOT_ENDED:
                whole = True
            yield _told(info, event) if whole else event


async def progress(
    info: Info,
    content_id: Annotated[ID | None, strawberry.argument(description="Of one title; of all if open.")] = None,
    after: After = None,
) -> AsyncGenerator[ProgressChanged, None]:
    wanted = None if content_id is None else content_key(content_id)
    async with aclosing(_follow(info, after, {ChangeKind.PROGRESS})) as followed:
        async for change in followed:
            event = event_of(change)
            if isinstance(event, ProgressChanged) and wanted in {None, event.progress.content_id}:
                yield _told(info, event)


async def watchlist(info: Info, after: After = None) -> AsyncGenerator[WatchlistChanged, None]:
    async with aclosing(_follow(info, after, {ChangeKind.WATCHLIST})) as followed:
        async for change in followed:
            event = event_of(change)
            if isinstance(event, WatchlistChanged):
                yield _told(info, event)


async def playback(info: Info, after: After = None) -> AsyncGenerator[PlaybackChanged, None]:
    async with aclosing(_follow(info, after, {ChangeKind.PLAYBACK})) as followed:
        async for change in followed:
            event = event_of(change)
            if isinstance(event, PlaybackChanged):
                yield _told(info, event)


async def device_commands(
    info: Info,
    device_id: Annotated[ID, strawberry.argument(description="The device that is to obey.")],
    after: After = None,
) -> AsyncGenerator[CommandChanged, None]:
    """The commands for a device, each once and in order; it counts as online while it listens."""
    key, account = _key(device_id, "Device", "deviceId"), info.context.account_id
    journal, sent = info.context.services.journal, info.context.services.commands
    missed = await journal.log.latest(account)
    async with (
        _kept_online(info, key),
        # Commands lapse long before the log drops them.
        aclosing(_follow(info, after, {ChangeKind.COMMAND}, journal.skip)) as followed,
    ):
        async for change in followed:
            event = event_of(change)
            if isinstance(event, CommandChanged) and event.command.device_id == key:
                command = await sent.take(account, event.command.id, again=change.seq <= missed)
                if command is not None:
                    yield _told(info, CommandChanged(event.cursor, command))


async def commands(
    info: Info,
    command_id: Annotated[ID | None, strawberry.argument(description="One command; all if open.")] = None,
    after: After = None,
) -> AsyncGenerator[CommandChanged, None]:
    """What becomes of commands."""
    key = None if command_id is None else _key(command_id, "DeviceCommand", "commandId")
    journal, kinds = info.context.services.journal, {ChangeKind.COMMAND, ChangeKind.COMMAND_STATE}
    async with aclosing(_follow(info, after, kinds, journal.skip)) as followed:
        async for change in followed:
            event = event_of(change)
            if isinstance(event, CommandChanged) and key in {None, event.command.id}:
                yield _told(info, event)


async def devices(info: Info) -> AsyncGenerator[DeviceChanged, None]:
    """Devices that change, come or go; presence lapses without a message, so it is also looked at."""
    cursor = await _beginning(info, None)
    known = await _presence(info)
    pause = min(PRESENCE_SECONDS, info.context.services.devices.heartbeat_seconds)
    async with aclosing(_or_pauses(_follow(info, cursor, {ChangeKind.DEVICE}), pause)) as followed:
        async for change in followed:
            changed = event_of(change) if change is not None else None
            if isinstance(changed, DeviceChanged):
                cursor = changed.cursor
                yield _told(info, changed)
            before, known = known, await _presence(info)
            told = changed.device.id if isinstance(changed, DeviceChanged) else None
            for device_id, online in known.items():
                if before.get(device_id, online) != online and device_id != told:
                    info.context.forget()
                    device = await info.context.sync.device.load(device_id)
                    if device is not None:
                        yield DeviceChanged(cursor, device)


def _key(text: ID, type_name: str, argument: str) -> str:
    try:
        return key_of(text, type_name, argument)
    except Refused as refusal:
        raise NotFound(str(refusal)) from None


async def _follow(
    info: Info,
    after: str | None,
    kinds: Collection[ChangeKind] | None = None,
    catch_up: CatchUp | None = None,
    *,
    anew: bool = False,
) -> AsyncGenerator[Change, None]:
    journal, account = info.context.services.journal, info.context.account_id
    if not anew:
        after = info.context.course.began = await _beginning(info, after)
    seen = 0 if anew else seq_of(after)
    async with aclosing(journal.follow(account, seen, catch_up, anew=anew)) as followed:
        async for change in followed:
            if kinds is None or change.kind in kinds:
                info.context.forget()
                await renew(info.context)
                if await _may_see(info, change):
                    yield change


async def _may_see(info: Info, change: Change) -> bool:
    """Whether the title that a change is about is not hidden from the caller."""
    if info.context.restriction is None:
        return True
    event = event_of(change)
    if isinstance(event, CommandChanged):
        return await may_see(info.context, event.command)
    content = change.payload.get("content")
    return content is None or await shows(info.context, content)


async def _beginning(info: Info, after: str | None) -> str:
    """Where a stream begins: where it broke, else where its client wants it to, else now."""
    after = info.context.last_seen or after
    if after is not None:
        return after
    return cursor_of(await info.context.services.journal.log.latest(info.context.account_id))


def _told(info: Info, event: Delivered) -> Delivered:
    """The event, which is about to be delivered: whoever has it goes on behind it."""
    info.context.course.cursor = event.cursor
    return event


async def _presence(info: Info) -> dict[str, bool]:
    devices = info.context.services.devices
    ids = [device.id for device in await devices.store.devices(info.context.account_id)]
    online = await devices.presence.online(ids)
    return {device_id: device_id in online for device_id in ids}


async def _or_pauses(
    source: AsyncGenerator[Change, None], seconds: float
) -> AsyncGenerator[Change | None, None]:
    """The source's items, and nothing whenever it has been quiet for so long."""
    async with aclosing(source):
        pending = asyncio.ensure_future(anext(source, None))
        try:
            while True:
                done, _ = await asyncio.wait({pending}, timeout=seconds)
                if not done:
                    yield None
                    continue
                change = pending.result()
                if change is None:
                    return
                pending = asyncio.ensure_future(anext(source, None))
                yield change
        finally:
            pending.cancel()
            with suppress(asyncio.CancelledError):
                await pending


@asynccontextmanager
async def _kept_online(info: Info, device_id: str) -> AsyncIterator[None]:
    """The stream holds a lease of its own: the end of one that broke must not take a new one offline."""
    devices, account = info.context.services.devices, info.context.account_id
    stream = devices.new_id()

    async def renew() -> None:
        while True:
            await asyncio.sleep(devices.heartbeat_seconds)
            with suppress(GatewayError, Refused):
                await devices.heartbeat(account, device_id, stream)

    try:
        await devices.heartbeat(account, device_id, stream)
    except Refused as refusal:
        raise NotFound(str(refusal)) from None
    renewing = asyncio.create_task(renew())
    try:
        yield
    finally:
        renewing.cancel()
        with suppress(GatewayError, Refused):
            await devices.leave(account, device_id, stream, HEARTBEAT)
