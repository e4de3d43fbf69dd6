"""What a viewer notes of titles, the order of the watchlist, and writes that were lost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import strawberry
from strawberry import ID, Parent

from domain.catalog import model as catalog
from domain.identity.model import Viewer
from domain.platform.errors import BadInput, UserError, UserErrorCode, refuse
from domain.platform.paging import Cut, Page
from domain.sync import model
from domain.sync.clock import Timestamp
from domain.sync.model import MarkKind, MarkValue
from resolvers.arguments import After, First
from resolvers.batching import batched
from resolvers.context import Info
from resolvers.descriptions import entry
from resolvers.ids import content_key
from resolvers.mutations import refusing
from resolvers.sync import origin_of
from resolvers.visibility import must_show, shows


@entry
class MarkTitleInput:
    """What is noted of a title; what is left open stays as it is."""

    content_id: ID
    """The title."""
    note: str | None = strawberry.UNSET
    """A text of the viewer's own, up to 2,000 characters; null takes it back."""
    dropped: bool | None = strawberry.UNSET
    """Whether it is given up: then it is not offered to be gone on with, until it is watched again."""
    hidden: bool | None = strawberry.UNSET
    """Whether it is kept out of what is suggested."""
    device_id: ID | None = None
    """The device the user acted on."""
    version: Timestamp | None = None
    """The device's clock when the user acted; the server's if open."""


@entry
class MoveOnWatchlistInput:
    """Where a title of the watchlist is put: exactly one of `behind`, `before` and `place` says it."""

    content_id: ID
    """The title."""
    behind: ID | None = None
    """The title of the watchlist that it is to follow."""
    before: ID | None = None
    """The title of the watchlist that is to follow it."""
    place: str | None = None
    """The place, where the device has chosen one between the places of its neighbours."""
    device_id: ID | None = None
    """The device the user acted on."""
    version: Timestamp | None = None
    """The device's clock when the user acted; the server's if open."""


@dataclass(frozen=True, slots=True)
class MarkTitlePayload:
    marks: model.Marks | None = None
    user_errors: list[UserError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class MoveOnWatchlistPayload:
    entry: model.WatchlistEntry | None = None
    user_errors: list[UserError] = field(default_factory=list)


@refusing(MarkTitlePayload)
async def mark_title(
    info: Info, input: Annotated[MarkTitleInput, strawberry.argument(description="What is noted.")]
) -> MarkTitlePayload:
    given: Mapping[MarkKind, Any] = {
        MarkKind.NOTE: input.note,
        MarkKind.DROPPED: input.dropped,
        MarkKind.HIDDEN: input.hidden,
    }
    values: dict[MarkKind, MarkValue] = {
        kind: value for kind, value in given.items() if value is not strawberry.UNSET
    }
    origin = await origin_of(info, input.device_id, input.version)
    content = content_key(input.content_id, "input.contentId")
    await must_show(info.context, content)
    marks = await info.context.services.sync.mark(info.context.account_id, content, values, origin)
    return MarkTitlePayload(marks=marks)


@refusing(MoveOnWatchlistPayload)
async def move_on_watchlist(
    info: Info, input: Annotated[MoveOnWatchlistInput, strawberry.argument(description="What goes where.")]
) -> MoveOnWatchlistPayload:
    sync, account = info.context.services.sync, info.context.account_id
    match (input.behind, input.before, input.place):
        case (str(neighbour), None, None):
            key = content_key(neighbour, "input.behind")
            await _must_be_listed(info, key, "The neighbour")
            place = await sync.place_beside(account, key, behind=True)
        case (None, str(neighbour), None):
            key = content_key(neighbour, "input.before")
            await _must_be_listed(info, key, "The neighbour")
            place = await sync.place_beside(account, key, behind=False)
        case (None, None, str(place)):
            pass
        case _:
            raise BadInput("Give `behind`, `before` or `place`, exactly one of them.")
    origin = await origin_of(info, input.device_id, input.version)
    content = content_key(input.content_id, "input.contentId")
    await _must_be_listed(info, content, "The title")
    return MoveOnWatchlistPayload(entry=await sync.move_on_watchlist(account, content, place, origin))


async def _must_be_listed(info: Info, content: int, what: str) -> None:
    """Raises `Refused` for a hidden title, in the words for one that is not on the list."""
    if not await shows(info.context, content):
        raise refuse(f"{what} is not on the watchlist.", UserErrorCode.NOT_FOUND, "contentId")


@batched
async def my_marks(contents: Sequence[catalog.Content], info: Info) -> list[model.Marks | None]:
    if info.context.caller.anonymous:
        return [None] * len(contents)
    found = await info.context.sync.marks.load_many([content.id for content in contents])
    return [marks if marks is not None and marks.any else None for marks in found]


@batched
async def note(entries: Sequence[model.WatchlistEntry], info: Info) -> list[str | None]:
    found = await info.context.sync.marks.load_many([entry.content_id for entry in entries])
    return [None if marks is None else marks.note for marks in found]


async def conflicts(
    viewer: Parent[Viewer], info: Info, first: First = None, after: After = None
) -> Page[model.Conflict]:
    return await info.context.services.sync.store.conflicts(
        viewer.account_id, Cut.of(first, after), info.context.restriction
    )


def written(write: Parent[model.ContendingWrite]) -> dict[str, Any]:
    return write.value
