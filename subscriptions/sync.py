"""Live streams of the viewer's own changes."""

from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Annotated, TypeVar

import strawberry
from strawberry import ID

from domain.identity.policy import Scope, needs
from domain.platform.errors import NotFound, Refused
from domain.playback.model import PlaybackState
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
    device_id: Annotated[
        ID | None,
        strawberry.argument(
            description="The device that follows, which counts as online meanwhile; it takes the scope "
            "`write:devices`. The one that the sign-in is on if open."
        ),
    ] = None,
) -> AsyncGenerator[Event, None]:
    services, anew = info.context.services, snapshot and info.context.last_seen is None
    device = None
    if device_id is not None:
        services.policy.check(info.context.caller, needs(Scope.WRITE_DEVICES))
        device = _key(device_id, "Device", "deviceId")
    followed = _follow(
        info, None if anew else after, catch_up=services.snapshots, anew=anew, device_id=device
    )
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
    """The commands for a device, each once and in order; it counts as online while it listens.

    Of several streams of a device the one that was opened last is told, unless its process has died.
    """
    key, account = _key(device_id, "Device", "deviceId"), info.context.account_id
    journal, sent = info.context.services.journal, info.context.services.commands
    async with sent.listeners.opened(account, key) as listener:
        missed = await journal.log.latest(account)
        # Commands lapse long before the log drops them.
        followed = _follow(info, after, {ChangeKind.COMMAND}, journal.skip, device_id=key)
        async with aclosing(followed):
            async for change in followed:
                event = event_of(change)
                if isinstance(event, CommandChanged) and event.command.device_id == key:
                    again = change.seq <= missed
                    command = await sent.take(account, event.command.id, listener, again=again)
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
    """Devices that change, come or go, and those that begin to play something, pause it or end it."""
    shown: dict[str, tuple[str, bool] | None] = {}
    kinds = {ChangeKind.DEVICE, ChangeKind.PLAYBACK}
    # No title is told of here, so nothing is left out for one.
    async with aclosing(_follow(info, None, kinds, with_titles=False)) as followed:
        async for change in followed:
            event: Event | None = event_of(change)
            if isinstance(event, PlaybackChanged):
                event = await _player(info, event, shown)
            if isinstance(event, DeviceChanged):
                yield _told(info, event)


async def _player(
    info: Info, event: PlaybackChanged, shown: dict[str, tuple[str, bool] | None]
) -> DeviceChanged | None:
    """The device that plays, where it is not `shown` as what it does now; where it stands is not news."""
    session = event.session
    plays = (session.id, session.state is PlaybackState.PAUSED) if session.active else None
    if session.device_id in shown and shown[session.device_id] == plays:
        return None
    shown[session.device_id] = plays
    device = await info.context.sync.device.load(session.device_id)
    return None if device is None or device.removed else DeviceChanged(event.cursor, device)


def _key(text: ID, type_name: str, argument: str) -> str:
    try:
        return key_of(text, type_name, argument)
    except Refused as refusal:
        raise NotFound(str(refusal)) from None


async def _follow(  # noqa: PLR0913 - all that streams differ in
    info: Info,
    after: str | None,
    kinds: Collection[ChangeKind] | None = None,
    catch_up: CatchUp | None = None,
    *,
    anew: bool = False,
    device_id: str | None = None,
    with_titles: bool = True,
) -> AsyncGenerator[Change, None]:
    """`device_id` is the device that follows, where it is named; `with_titles` says that what is hidden from
    the caller is left out.
    """
    journal, account = info.context.services.journal, info.context.account_id
    # First, so that a stream which begins now does not tell a device that it came itself.
    async with _present(info, device_id):
        if not anew:
            after = info.context.course.began = await _beginning(info, after)
        seen = 0 if anew else seq_of(after)
        async with aclosing(journal.follow(account, seen, catch_up, anew=anew)) as followed:
            async for change in followed:
                if kinds is None or change.kind in kinds:
                    info.context.forget()
                    await renew(info.context)
                    if not with_titles or await _may_see(info, change):
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


@asynccontextmanager
async def _present(info: Info, device_id: str | None) -> AsyncIterator[None]:
    """The device that follows is there meanwhile: the one that is named, else that of the sign-in."""
    services, account = info.context.services, info.context.account_id
    named, device_id = device_id, device_id or await services.sessions.device_of(info.context.caller)
    async with AsyncExitStack() as stack:
        if device_id is not None:
            try:
                await stack.enter_async_context(services.attendance.of(account, device_id))
            except Refused as refusal:
                if named is not None:
                    raise NotFound(str(refusal)) from None
        yield
