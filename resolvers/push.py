"""How the queue of a device that was offline is taken in."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated

import strawberry
from strawberry import ID

from domain.platform.errors import BadInput, UserError, UserErrorCode
from domain.sync.clock import Timestamp
from domain.sync.model import MarkKind, Verdict
from domain.sync.operations import Act, Added, Marked, Operation, Position, Reacted, Removed, Watched
from domain.sync.push import OperationFate, Outcome
from resolvers.context import Info
from resolvers.descriptions import choice_of_one, entry
from resolvers.ids import content_key, key_of
from resolvers.mutations import refusing
from resolvers.visibility import no_such_title, shown_of


@entry
class WatchedInput:
    """How far the viewer came with a title."""

    content_id: ID
    """A film, an episode or a track."""
    viewing: int | None = None
    """Which viewing of the title, from 1; name it, and writes merge the same in whatever order they come."""
    position_seconds: int
    """From the start."""
    duration_seconds: int | None = None
    """How long it is, where the player knows better than the catalogue."""


@entry
class AddedInput:
    """A title that was put on the watchlist."""

    content_id: ID
    """The title."""
    tag: ID | None = None
    """A UUID that names this addition; the id of the operation if open."""


@entry
class RemovedInput:
    """A title that was taken off the watchlist."""

    content_id: ID
    """The title."""
    tags: list[ID] | None = None
    """The additions that the device knew, as `WatchlistEntry.tags` shows them; all that are known if open."""


@entry
class ReactedInput:
    """What the viewer thinks of a title; neither verdict nor stars takes it back."""

    content_id: ID
    """The title."""
    verdict: Verdict | None = None
    """In a word."""
    stars: float | None = None
    """From 0.5 to 5, in halves."""


@entry
class MovedInput:
    """A title that was put elsewhere on the watchlist."""

    content_id: ID
    """The title."""
    place: str
    """The new place."""


@entry
class NotedInput:
    """What the viewer noted of a title."""

    content_id: ID
    """The title."""
    text: str | None = None
    """Up to 2,000 characters; null takes it back."""


@entry
class DroppedInput:
    """Whether the viewer gave a title up."""

    content_id: ID
    """The title."""
    dropped: bool = True
    """Whether it is given up from then on."""


@entry
class HiddenInput:
    """Whether the viewer hid a title."""

    content_id: ID
    """The title."""
    hidden: bool = True
    """Whether it is hidden from then on."""


@choice_of_one
class OperationChangeInput:
    """What was done: exactly one of these."""

    watched: WatchedInput | None = strawberry.UNSET
    """Came so far with a title."""
    added: AddedInput | None = strawberry.UNSET
    """Put a title on the watchlist."""
    removed: RemovedInput | None = strawberry.UNSET
    """Took a title off the watchlist."""
    reacted: ReactedInput | None = strawberry.UNSET
    """Said what the viewer thinks of a title."""
    moved: MovedInput | None = strawberry.UNSET
    """Put a title elsewhere on the watchlist."""
    noted: NotedInput | None = strawberry.UNSET
    """Noted something of a title."""
    dropped: DroppedInput | None = strawberry.UNSET
    """Gave a title up, or took that back."""
    hidden: HiddenInput | None = strawberry.UNSET
    """Hid a title, or took that back."""


@entry
class OperationInput:
    """An operation as it waited in the queue of the device."""

    id: ID
    """A UUID, made once when the user acted: an operation is done once, however often it is sent."""
    version: Timestamp
    """The device's clock when the user acted. Its name does not count: the device is the one that pushes."""
    base: Timestamp | None = None
    """The version of what the device knew then and replaced: what it did not know is noted as lost."""
    change: OperationChangeInput
    """What was done."""


@entry
class PushChangesInput:
    """The queue of a device, or its beginning."""

    device_id: ID
    """The device."""
    operations: list[OperationInput]
    """Up to 1,000, in the order in which they were done."""
    settled_through: Timestamp | None = None
    """The clock up to which the device has an answer to all it sent, and sends nothing again: removals that
    are kept in case an older addition comes late can then be forgotten.
    """


@dataclass(frozen=True, slots=True)
class PushChangesPayload:
    results: list[Outcome] = field(default_factory=list)
    user_errors: list[UserError] = field(default_factory=list)


@refusing(PushChangesPayload)
async def push_changes(
    info: Info,
    input: Annotated[PushChangesInput, strawberry.argument(description="What waited in the queue.")],
) -> PushChangesPayload:
    device = key_of(input.device_id, "Device", "deviceId")
    read = await _of_shown(info, [_read(given) for given in input.operations])
    operations = [found for found in read if isinstance(found, Operation)]
    done = iter(
        await info.context.services.pushing.push(
            info.context.account_id, device, operations, input.settled_through
        )
    )
    return PushChangesPayload(
        [_renamed(next(done)) if isinstance(found, Operation) else found for found in read]
    )


def _renamed(outcome: Outcome) -> Outcome:
    """Its errors name the fields as the input has them: of a note, its text."""
    errors = tuple(
        replace(error, field=("text",)) if error.field == ("note",) else error
        for error in outcome.user_errors
    )
    return replace(outcome, user_errors=errors) if errors else outcome


async def _of_shown(info: Info, read: Sequence[Operation | Outcome]) -> list[Operation | Outcome]:
    """Those that are about hidden titles are refused, in the words for what does not exist."""
    context = info.context
    if context.restriction is None:
        return list(read)
    shown = await shown_of(context, [found.act.content_id for found in read if isinstance(found, Operation)])
    return [
        Outcome(found.id, OperationFate.REFUSED, (no_such_title().errors[0],))
        if isinstance(found, Operation) and found.act.content_id not in shown
        else found
        for found in read
    ]


def _read(given: OperationInput) -> Operation | Outcome:
    """The operation, or its refusal where it names something that cannot be a title."""
    try:
        return Operation(given.id, _act(given.id, given.change), given.version, given.base)
    except BadInput as error:
        reason = UserError(error.message, UserErrorCode.INVALID, ("contentId",))
        return Outcome(given.id, OperationFate.REFUSED, (reason,))


def _act(operation_id: str, change: OperationChangeInput) -> Act:  # noqa: PLR0911 - one line for each
    match change:
        case OperationChangeInput(watched=WatchedInput() as it):
            position = Position(it.position_seconds, it.duration_seconds)
            return Watched(content_key(it.content_id), position, it.viewing)
        case OperationChangeInput(added=AddedInput() as it):
            return Added(content_key(it.content_id), operation_id if it.tag is None else it.tag)
        case OperationChangeInput(removed=RemovedInput() as it):
            return Removed(content_key(it.content_id), it.tags)
        case OperationChangeInput(reacted=ReactedInput() as it):
            return Reacted(content_key(it.content_id), it.verdict, it.stars)
        case OperationChangeInput(moved=MovedInput() as it):
            return Marked(content_key(it.content_id), MarkKind.PLACE, it.place)
        case OperationChangeInput(noted=NotedInput() as it):
            return Marked(content_key(it.content_id), MarkKind.NOTE, it.text)
        case OperationChangeInput(dropped=DroppedInput() as it):
            return Marked(content_key(it.content_id), MarkKind.DROPPED, it.dropped)
        case OperationChangeInput(hidden=HiddenInput() as it):
            return Marked(content_key(it.content_id), MarkKind.HIDDEN, it.hidden)
    raise BadInput("`change` says nothing.")
