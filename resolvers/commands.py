"""How devices are told what to do, and what becomes of it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

import strawberry
from strawberry import ID, Parent

from domain.catalog import model as catalog
from domain.catalog.model import VideoQuality
from domain.identity.policy import Scope, own
from domain.platform.errors import UserError, UserErrorCode, refuse
from domain.sync import model
from domain.sync.commands import CAST_TO, COMMAND_SECONDS, Command
from resolvers.batching import batched
from resolvers.context import Context, Info
from resolvers.descriptions import choice_of_one, entry
from resolvers.ids import content_key, encode, global_id, key_of
from resolvers.mutations import refusing
from resolvers.visibility import must_let_watch, must_watch, no_such_title, shown_of, shows

MAX_VOLUME = 1.0
MAX_REASON = 500
PLAIN = ("play", "pause", "stop", "mute", "unmute", "next", "previous")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}")


class CommandReport(StrEnum):
    """How far a device came with a command."""

    ACKNOWLEDGED = "acknowledged"
    """It has it and begins; it then has 30 seconds."""
    EXECUTED = "executed"
    """It did it."""


REACHED = {
    CommandReport.ACKNOWLEDGED: model.CommandState.ACKNOWLEDGED,
    CommandReport.EXECUTED: model.CommandState.EXECUTED,
}


@entry
class Seek:
    """Where to go on."""

    position_seconds: int
    """From the start."""


@entry
class Skip:
    """How far to go from where it stands."""

    seconds: int
    """Forward, or back where it is negative; never beyond the start or the end."""


@entry
class SetVolume:
    """How loud to be."""

    level: float
    """From 0 to 1."""


@entry
class Load:
    """What to play."""

    content_id: ID
    """The title."""
    start_seconds: int = 0
    """Where to start."""


@entry
class CastTo:
    """Where to hand what plays to; the command then says what that is, and where it stands."""

    device_id: ID
    """The device that takes over."""


@entry
class SetSubtitles:
    """Which subtitles to show."""

    language: str | None = None
    """BCP 47, as in `en` or `pt-BR`; none are shown if open."""


@entry
class SetAudio:
    """Which sound track to play."""

    language: str
    """BCP 47, as in `en` or `pt-BR`."""


@entry
class SetQuality:
    """How good the picture is to be."""

    quality: VideoQuality
    """The best that is wanted."""


@entry
class NoArguments:
    """A command that needs no more than its name: pass `{}`."""

    reason: str | None = None
    """Why, for the log of the device."""


@choice_of_one
class DeviceCommandInput:
    """What the device is to do: exactly one of these."""

    play: NoArguments | None = strawberry.UNSET
    """Go on playing."""
    pause: NoArguments | None = strawberry.UNSET
    """Pause."""
    stop: NoArguments | None = strawberry.UNSET
    """Stop and leave the player."""
    seek: Seek | None = strawberry.UNSET
    """Go to a position."""
    set_volume: SetVolume | None = strawberry.UNSET
    """Set the volume."""
    load: Load | None = strawberry.UNSET
    """Play a title."""
    cast_to: CastTo | None = strawberry.UNSET
    """Hand playback to another device."""
    mute: NoArguments | None = strawberry.UNSET
    """Be silent, and remember the volume."""
    unmute: NoArguments | None = strawberry.UNSET
    """Be as loud as before."""
    next: NoArguments | None = strawberry.UNSET
    """Play what follows, as the next episode."""
    previous: NoArguments | None = strawberry.UNSET
    """Play what came before."""
    set_subtitles: SetSubtitles | None = strawberry.UNSET
    """Show subtitles, or none."""
    set_audio: SetAudio | None = strawberry.UNSET
    """Play another sound track."""
    set_quality: SetQuality | None = strawberry.UNSET
    """Show a better or a smaller picture."""
    skip: Skip | None = strawberry.UNSET
    """Go forward or back by so many seconds."""


@entry
class SendCommandInput:
    """A remote command."""

    device_id: ID
    """The device that is to do it."""
    command: DeviceCommandInput
    """What it is to do."""
    expires_in_seconds: int = COMMAND_SECONDS
    """How long it may wait to be done, 1 to 60 seconds."""


@entry
class AcknowledgeCommandInput:
    """What became of a command, told by the device that got it."""

    command_id: ID
    """The command."""
    failure: str | None = None
    """Why it could not be done; open where it was not so."""
    report: CommandReport = CommandReport.EXECUTED
    """How far it is, where it did not fail."""


@dataclass(frozen=True, slots=True)
class CommandPayload:
    command: model.DeviceCommand | None = None
    user_errors: list[UserError] = field(default_factory=list)


@refusing(CommandPayload)
async def send_command(
    info: Info, input: Annotated[SendCommandInput, strawberry.argument(description="Who is to do what.")]
) -> CommandPayload:
    commands, account = info.context.services.commands, info.context.account_id
    device, command = _device_key(input.device_id), _command(input.command)
    plays_on = device
    if command.action == CAST_TO:
        await commands.check(account, device, command)
        command = await _with_what_plays(info.context, device, command)
        plays_on = command.arguments["deviceId"]
    loaded = content_of(command.arguments)
    if loaded is not None:
        # The device plays in the name of whoever is signed in there, so here is where the sender is held to.
        if loaded not in await shown_of(info.context, [loaded]):
            raise no_such_title("command", "load", "contentId")
        must_watch(info.context)
        await must_let_watch(info.context, plays_on, loaded)
    sent = await commands.send(account, device, command, input.expires_in_seconds)
    return CommandPayload(command=sent)


@refusing(CommandPayload)
async def acknowledge_command(
    info: Info,
    input: Annotated[AcknowledgeCommandInput, strawberry.argument(description="What became of it.")],
) -> CommandPayload:
    commands, account = info.context.services.commands, info.context.account_id
    key = key_of(input.command_id, "DeviceCommand", "commandId")
    return CommandPayload(
        command=await commands.acknowledge(account, key, input.failure, REACHED[input.report])
    )


@batched
async def command_device(commands: Sequence[model.DeviceCommand], info: Info) -> list[model.Device | None]:
    return await info.context.sync.device.load_many(command.device_id for command in commands)


@batched
async def command_content(
    commands: Sequence[model.DeviceCommand], info: Info
) -> list[catalog.Content | None]:
    keys = [content_of(command.arguments) for command in commands]
    found = await info.context.catalog.content.load_many({key for key in keys if key is not None})
    by_key = {content.id: content for content in found if content is not None}
    return [None if key is None else by_key.get(key) for key in keys]


def arguments(command: Parent[model.DeviceCommand]) -> dict[str, Any]:
    """What a command carries, with ids of the graph."""
    shown = dict(command.arguments)
    if "deviceId" in shown:
        shown["deviceId"] = encode("Device", shown["deviceId"])
    return shown


def content_of(arguments: Mapping[str, Any]) -> int | None:
    """The title that a command is about."""
    loaded = arguments.get("contentId")
    return None if loaded is None else content_key(loaded)


async def may_see(context: Context, command: model.DeviceCommand) -> bool:
    """Whether the title that a command is about is not hidden from the caller."""
    loaded = content_of(command.arguments)
    return loaded is None or await shows(context, loaded)


async def command_node(info: Info, key: str) -> model.DeviceCommand | None:
    if info.context.caller.anonymous:
        return None
    command = await info.context.sync.command.load(key)
    if command is None or not await may_see(info.context, command):
        return None
    return command.at(info.context.services.now())


NODES = {"DeviceCommand": command_node}
NODE_ACCESS = {"DeviceCommand": own(Scope.READ_DEVICES)}


def _device_key(text: str) -> str:
    return key_of(text, "Device", "deviceId")


async def _with_what_plays(context: Context, device: str, command: Command) -> Command:
    """The command, with what is to be handed over and where that stands."""
    playback = context.services.playback
    session = (await playback.store.active_on(context.account_id, [device])).get(device)
    content = None if session is None else await context.catalog.content.load(session.content_id)
    if session is None or content is None:
        raise refuse("Nothing plays on the device.", UserErrorCode.UNAVAILABLE, "deviceId")
    standing = {"contentId": global_id(content), "startSeconds": session.seconds_at(context.services.now())}
    return Command(command.action, command.arguments | standing)


def _command(given: DeviceCommandInput) -> Command:
    match given:
        case DeviceCommandInput(seek=Seek(position_seconds=seconds)):
            _not_negative(seconds, "seek", "positionSeconds")
            command = Command("seek", {"positionSeconds": seconds})
        case DeviceCommandInput(skip=Skip(seconds=seconds)):
            command = Command("skip", {"seconds": seconds})
        case DeviceCommandInput(set_volume=SetVolume(level=level)):
            if not 0 <= level <= MAX_VOLUME:
                raise refuse(
                    "`level` must be between 0 and 1.", UserErrorCode.INVALID, "command", "setVolume", "level"
                )
            command = Command("setVolume", {"level": level})
        case DeviceCommandInput(load=Load(content_id=content_id, start_seconds=start)):
            content_key(content_id, "command.load.contentId")
            _not_negative(start, "load", "startSeconds")
            command = Command("load", {"contentId": content_id, "startSeconds": start})
        case DeviceCommandInput(cast_to=CastTo(device_id=device_id)):
            command = Command(CAST_TO, {"deviceId": _device_key(device_id)})
        case DeviceCommandInput(set_subtitles=SetSubtitles(language=language)):
            command = Command("setSubtitles", {"language": language and _language(language, "setSubtitles")})
        case DeviceCommandInput(set_audio=SetAudio(language=language)):
            command = Command("setAudio", {"language": _language(language, "setAudio")})
        case DeviceCommandInput(set_quality=SetQuality(quality=quality)):
            command = Command("setQuality", {"quality": quality.value})
        case _:
            name = next(name for name in PLAIN if getattr(given, name))
            reason = getattr(given, name).reason
            command = Command(name, {} if reason is None else {"reason": reason[:MAX_REASON]})
    return command


def _not_negative(seconds: int, command: str, argument: str) -> None:
    if seconds < 0:
        raise refuse(f"`{argument}` cannot be negative.", UserErrorCode.INVALID, "command", command, argument)


def _language(text: str, command: str) -> str:
    if not _LANGUAGE.fullmatch(text):
        raise refuse(
            "A language is a BCP 47 tag, as in `en` or `pt-BR`.",
            UserErrorCode.INVALID,
            "command",
            command,
            "language",
        )
    return text
