"""How playback is started, followed and ended."""

from asyncio import gather
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

import strawberry
from strawberry import ID, Parent

from domain.catalog import model as catalog
from domain.catalog.links import PlaybackLink, links_for
from domain.identity.model import Viewer
from domain.identity.policy import Scope, own
from domain.platform.errors import BadInput, UserError, UserErrorCode, refuse
from domain.platform.soon import Soon
from domain.playback.model import PlaybackQuality, PlaybackSession, PlaybackState
from domain.playback.service import Asked, Beginning, Report
from domain.sync import model as sync
from domain.sync.clock import Timestamp
from domain.sync.operations import Origin, Position
from domain.sync.presence import NOBODY, DeviceActivity
from resolvers.batching import batched
from resolvers.context import Info
from resolvers.descriptions import entry
from resolvers.ids import content_key, global_id, key_of
from resolvers.mutations import refusing
from resolvers.sync import origin_of
from resolvers.visibility import may_watch, must_let_watch, must_show, must_watch, shown_of, shows

MAX_SESSIONS = 50


@entry
class StartPlaybackInput:
    """What is to be played where."""

    content_id: ID
    """A film, an episode or a track."""
    device_id: ID
    """The device that plays."""
    platform: ID | None = None
    """The service to play it on; the cheapest way in the viewer's region if open."""
    position_seconds: int | None = None
    """Where to start; where the viewer stopped if open."""
    duration_seconds: int | None = None
    """How long it is, where the player knows better than the catalogue."""
    quality: PlaybackQuality = PlaybackQuality.AUTO
    """How good a picture the player asks for."""


@entry
class ReportProgressInput:
    """Where a player stands: in a session, or, without one, in a title."""

    session_id: ID | None = None
    """The playback session."""
    content_id: ID | None = None
    """The title, where there is no session."""
    position_seconds: int
    """From the start."""
    duration_seconds: int | None = None
    """How long it is, where the player knows better than the catalogue."""
    state: PlaybackState | None = None
    """What the player does; unchanged if open."""
    device_id: ID | None = None
    """The device, where there is no session."""
    viewing: int | None = None
    """Which viewing of the title, where there is no session; the one that goes on if open."""
    version: Timestamp | None = None
    """The device's clock at this position; the server's if open."""


@entry
class EndPlaybackInput:
    """The end of a session."""

    session_id: ID
    """The playback session."""
    position_seconds: int | None = None
    """Where it ended; where it last stood if open."""
    version: Timestamp | None = None
    """The device's clock at the end; the server's if open."""


@entry
class ContinueOnInput:
    """Where playback is to go on."""

    session_id: ID
    """The session that plays now."""
    device_id: ID
    """The device that goes on."""
    position_seconds: int | None = None
    """Where it stands, as its player knows; where it last stood, played on since, if open."""
    command_id: ID | None = None
    """The `castTo` that the session's device carries out by this: it is executed with it."""


@dataclass(frozen=True, slots=True)
class ContinueOnPayload:
    session: PlaybackSession | None = None
    command: sync.DeviceCommand | None = None
    user_errors: list[UserError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PlaybackPayload:
    session: PlaybackSession | None = None
    progress: sync.WatchProgress | None = None
    user_errors: list[UserError] = field(default_factory=list)


@refusing(PlaybackPayload)
async def start_playback(
    info: Info, input: Annotated[StartPlaybackInput, strawberry.argument(description="What and where.")]
) -> PlaybackPayload:
    context = info.context
    account = context.account_id
    content = content_key(input.content_id, "input.contentId")
    device = key_of(input.device_id, "Device", "deviceId")
    await must_show(context, content)
    must_watch(context)
    platform = await _platform(info, content, input.platform)
    begin = Beginning(platform, input.position_seconds, input.duration_seconds, input.quality)
    session = await context.services.playback.start(account, content, device, begin)
    return PlaybackPayload(session=session, progress=await context.sync.progress.load(content))


@refusing(PlaybackPayload)
async def report_progress(
    info: Info, input: Annotated[ReportProgressInput, strawberry.argument(description="Where it stands.")]
) -> PlaybackPayload:
    services, account = info.context.services, info.context.account_id
    position = Position(input.position_seconds, input.duration_seconds)
    if (input.session_id is None) == (input.content_id is None):
        raise BadInput("Give `sessionId` or `contentId`, exactly one of them.")
    if input.session_id is not None:
        key = key_of(input.session_id, "PlaybackSession", "sessionId")
        report, origin = Report(input.state, position), Origin(version=input.version)
        allowed = await _may_go_on(info, key)
        session, moved = await services.playback.report(account, key, report, origin, allowed=allowed)
        return PlaybackPayload(session=session, progress=moved)
    origin = await origin_of(info, input.device_id, input.version)
    content = content_key(input.content_id or "", "input.contentId")
    await must_show(info.context, content)
    return PlaybackPayload(
        progress=await services.sync.record_progress(account, content, position, origin, input.viewing)
    )


@refusing(PlaybackPayload)
async def end_playback(
    info: Info, input: Annotated[EndPlaybackInput, strawberry.argument(description="Which session.")]
) -> PlaybackPayload:
    services, account = info.context.services, info.context.account_id
    key = key_of(input.session_id, "PlaybackSession", "sessionId")
    position = None if input.position_seconds is None else Position(input.position_seconds)
    session, progress = await services.playback.end(account, key, position, Origin(version=input.version))
    return PlaybackPayload(session=session, progress=progress)


@refusing(ContinueOnPayload)
async def continue_on(
    info: Info, input: Annotated[ContinueOnInput, strawberry.argument(description="What and where.")]
) -> ContinueOnPayload:
    context, account = info.context, info.context.account_id
    key = key_of(input.session_id, "PlaybackSession", "sessionId")
    device = key_of(input.device_id, "Device", "deviceId")
    playing = await context.services.playback.to_hand_over(account, key)
    content = await context.catalog.content.load(playing.content_id)
    if content is None:
        raise refuse("There is no such PlaybackSession.", UserErrorCode.NOT_FOUND, "sessionId")
    must_watch(context)
    await must_let_watch(context, device, content.id)
    told_by = None if input.command_id is None else key_of(input.command_id, "DeviceCommand", "commandId")
    asked = Asked(input.position_seconds, told_by)
    session, command = await context.services.playback.hand_over(
        account, key, device, global_id(content), asked
    )
    context.playback.session.clear(key)
    return ContinueOnPayload(session=session, command=command)


async def playback_sessions(
    viewer: Parent[Viewer],
    info: Info,
    active: Annotated[
        bool | None, strawberry.argument(description="Only those that play, or only ended ones.")
    ] = None,
) -> list[PlaybackSession]:
    context = info.context
    sessions = await context.services.playback.store.of_account(
        viewer.account_id, active=active, limit=MAX_SESSIONS
    )
    if context.restriction is None:
        return sessions
    shown = await shown_of(context, [session.content_id for session in sessions])
    return [session for session in sessions if session.content_id in shown]


@batched
async def now_playing(devices: Sequence[sync.Device], info: Info) -> list[PlaybackSession | None]:
    context = info.context
    found = await context.playback.active_on.load_many([device.id for device in devices])
    if context.restriction is None:
        return found
    shown = await shown_of(context, [session.content_id for session in found if session is not None])
    return [session if session is not None and session.content_id in shown else None for session in found]


@batched
async def activity(devices: Sequence[sync.Device], info: Info) -> list[DeviceActivity | None]:
    """That something is watched is shown to all who see the device; what, by `now_playing`."""
    ids, context = [device.id for device in devices], info.context
    standings, playing = await gather(
        context.sync.standing.load_many(ids), context.playback.active_on.load_many(ids)
    )
    return [
        (standing or NOBODY).activity(
            paused=None if session is None else session.state is PlaybackState.PAUSED
        )
        for standing, session in zip(standings, playing, strict=True)
    ]


@batched
def content(sessions: Sequence[PlaybackSession], info: Info) -> Soon[list[catalog.Content | None]]:
    return info.context.catalog.content.soon([session.content_id for session in sessions])


@batched
async def device(sessions: Sequence[PlaybackSession], info: Info) -> list[sync.Device | None]:
    return await info.context.sync.device.load_many([session.device_id for session in sessions])


async def links(session: Parent[PlaybackSession], info: Info) -> Sequence[PlaybackLink]:
    """Links that go on where the session stands, for its device; none where it is not offered."""
    loaders = info.context
    if not may_watch(loaders):
        return []
    offers = await loaders.catalog.availability.load(catalog.Place(session.content_id, loaders.region))
    offer = next((offer for offer in offers if offer.platform_id == session.platform_id), None)
    if offer is None:
        return []
    device = await loaders.sync.device.load(session.device_id)
    content = await loaders.catalog.content.load(offer.content_id)  # a track may be offered as its album
    kind = catalog.ContentKind.TRACK if isinstance(content, catalog.Track) else catalog.ContentKind.ALBUM
    return links_for(
        offer.platform_id,
        offer.link_id,
        kind,
        None if device is None else device.kind,
        session.position_seconds,
        offer.region,
        installed=device is None or offer.platform_id not in device.capabilities.missing_apps,
    )


async def session_node(info: Info, key: str) -> PlaybackSession | None:
    if info.context.caller.anonymous:
        return None
    session = await info.context.playback.session.load(key)
    return session if session is not None and await shows(info.context, session.content_id) else None


NODES = {"PlaybackSession": session_node}
NODE_ACCESS = {"PlaybackSession": own(Scope.READ_PROGRESS)}


async def _may_go_on(info: Info, key: str) -> bool:
    """Whether the caller's profile lets them go on with a session. What was begun outside of the hours, which
    takes the PIN, goes on. Asks nothing where nothing is limited.
    """
    context = info.context
    if context.restriction is None and context.hours is None:
        return True
    session = await context.services.playback.find(context.account_id, key)
    if session is None:
        return True
    hours = context.hours
    closed = hours is not None and hours.open_at(session.started_at) and not may_watch(context)
    return not closed and await shows(context, session.content_id)


async def _platform(info: Info, content_id: int, wanted: ID | None) -> str | None:
    """The wanted platform, where the title stands there, else the cheapest way; nothing where it has none."""
    offers = await info.context.catalog.availability.load(catalog.Place(content_id, info.context.region))
    if wanted is None:
        return offers[0].platform_id if offers else None
    if wanted not in {offer.platform_id for offer in offers}:
        raise refuse(
            f"The title does not stand on {wanted!r} in {info.context.region}.",
            UserErrorCode.UNAVAILABLE,
            "platform",
        )
    return wanted
