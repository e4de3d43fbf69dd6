"""How the viewer's state is answered and written."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Protocol

import strawberry
from strawberry import ID, Parent

from domain.catalog import model as catalog
from domain.identity.model import Viewer
from domain.platform.errors import UserError
from domain.platform.paging import Cut, Page
from domain.platform.soon import Soon
from domain.sync import model
from domain.sync.clock import Timestamp
from domain.sync.operations import Origin
from domain.sync.service import WatchlistOrder
from resolvers.arguments import After, Before, First, Last
from resolvers.batching import batched
from resolvers.context import Info
from resolvers.cursors import Cursors
from resolvers.descriptions import entry
from resolvers.ids import content_key, key_of
from resolvers.mutations import refusing
from resolvers.visibility import must_show


@entry
class AddToWatchlistInput:
    """What is put on the watchlist."""

    content_id: ID
    """The title."""
    tag: ID | None = None
    """A UUID that names this addition, made once when the user acted: repeating it changes nothing."""
    device_id: ID | None = None
    """The device the user acted on."""
    version: Timestamp | None = None
    """The device's clock when the user acted; the server's if open."""


@entry
class RemoveFromWatchlistInput:
    """What is taken off the watchlist."""

    content_id: ID
    """The title."""
    tags: list[ID] | None = None
    """The additions that were seen, as `WatchlistEntry.tags` shows them; all that are known if open."""
    device_id: ID | None = None
    """The device the user acted on."""
    version: Timestamp | None = None
    """The device's clock when the user acted; the server's if open."""


@entry
class ReactInput:
    """What the viewer thinks; neither verdict nor stars takes it back."""

    content_id: ID
    """The title."""
    verdict: model.Verdict | None = None
    """In a word."""
    stars: float | None = None
    """From 0.5 to 5, in halves."""
    device_id: ID | None = None
    """The device the user acted on."""
    version: Timestamp | None = None
    """The device's clock when the user acted; the server's if open."""


@dataclass(frozen=True, slots=True)
class AddToWatchlistPayload:
    entry: model.WatchlistEntry | None = None
    user_errors: list[UserError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RemoveFromWatchlistPayload:
    content_id: int | None = None
    removed: bool = False
    user_errors: list[UserError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ReactPayload:
    reaction: model.Reaction | None = None
    user_errors: list[UserError] = field(default_factory=list)


@refusing(AddToWatchlistPayload)
async def add_to_watchlist(
    info: Info, input: Annotated[AddToWatchlistInput, strawberry.argument(description="What to add.")]
) -> AddToWatchlistPayload:
    account = info.context.account_id
    content = content_key(input.content_id, "input.contentId")
    await must_show(info.context, content)
    origin = await origin_of(info, input.device_id, input.version)
    added = await info.context.services.sync.add_to_watchlist(account, content, input.tag, origin)
    return AddToWatchlistPayload(entry=added)


@refusing(RemoveFromWatchlistPayload)
async def remove_from_watchlist(
    info: Info,
    input: Annotated[RemoveFromWatchlistInput, strawberry.argument(description="What to remove.")],
) -> RemoveFromWatchlistPayload:
    content = content_key(input.content_id, "input.contentId")
    origin = await origin_of(info, input.device_id, input.version)
    removed = await info.context.services.sync.remove_from_watchlist(
        info.context.account_id, content, input.tags, origin
    )
    return RemoveFromWatchlistPayload(content_id=content, removed=removed)


@refusing(ReactPayload)
async def react_to_content(
    info: Info, input: Annotated[ReactInput, strawberry.argument(description="What the viewer thinks.")]
) -> ReactPayload:
    account = info.context.account_id
    content = content_key(input.content_id, "input.contentId")
    await must_show(info.context, content)
    origin = await origin_of(info, input.device_id, input.version)
    reaction = await info.context.services.sync.react(account, content, input.verdict, input.stars, origin)
    return ReactPayload(reaction=reaction)


async def origin_of(info: Info, device_id: ID | None, version: Timestamp | None) -> Origin:
    """Where a write comes from; a device that is not the caller's does not exist."""
    if device_id is None:
        return Origin(version=version)
    key = key_of(device_id, "Device", "deviceId")
    device = await info.context.services.devices.own(info.context.account_id, key)
    return Origin(device.id, version)


# The caller's own on titles.


@batched
async def my_progress(contents: Sequence[catalog.Content], info: Info) -> list[model.WatchProgress | None]:
    if info.context.caller.anonymous:
        return [None] * len(contents)
    return await info.context.sync.progress.load_many([content.id for content in contents])


@batched
async def my_watchlist_entry(
    contents: Sequence[catalog.Content], info: Info
) -> list[model.WatchlistEntry | None]:
    if info.context.caller.anonymous:
        return [None] * len(contents)
    return await info.context.sync.entry.load_many([content.id for content in contents])


@batched
async def my_reaction(contents: Sequence[catalog.Content], info: Info) -> list[model.Reaction | None]:
    if info.context.caller.anonymous:
        return [None] * len(contents)
    found = await info.context.sync.reaction.load_many([content.id for content in contents])
    return [reaction if reaction is not None and reaction.given else None for reaction in found]


@batched
async def next_episode(series: Sequence[catalog.Series], info: Info) -> list[catalog.Episode | None]:
    """Behind the last episode that was finished; the one begun, where there is one; else the first."""
    context = info.context
    found = await context.services.sync.store.next_episodes(
        None if context.caller.anonymous else context.account_id,
        [each.id for each in series],
        context.services.now(),
        context.restriction,
    )
    episodes = await context.catalog.content.load_many(list(found.values()))
    by_series = {
        key: episode
        for key, episode in zip(found, episodes, strict=True)
        if isinstance(episode, catalog.Episode)
    }
    return [by_series.get(each.id) for each in series]


# The viewer's lists.


async def watchlist(
    viewer: Parent[Viewer],
    info: Info,
    order_by: Annotated[
        WatchlistOrder, strawberry.argument(description="How the list is sorted.")
    ] = WatchlistOrder.NEWEST,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Page[model.WatchlistEntry]:
    cut = Cut.of(first, after, last, before)
    return await info.context.services.sync.store.watchlist(
        viewer.account_id, order_by, cut, info.context.restriction
    )


async def continue_watching(
    viewer: Parent[Viewer], info: Info, first: First = None, after: After = None
) -> Page[model.WatchProgress]:
    services = info.context.services
    return await services.sync.store.continuing(
        viewer.account_id, services.now(), Cut.of(first, after), info.context.restriction
    )


async def history(
    viewer: Parent[Viewer], info: Info, first: First = None, after: After = None
) -> Page[model.WatchProgress]:
    return await info.context.services.sync.store.history(
        viewer.account_id, Cut.of(first, after), info.context.restriction
    )


async def sync_cursor(viewer: Parent[Viewer], info: Info) -> str:
    return cursor_of(await info.context.services.journal.log.latest(viewer.account_id))


CURSORS = Cursors("change", "an event or `syncCursor`")
"""Those of the change log."""
cursor_of = CURSORS.of
seq_of = CURSORS.number


# Content behind an entry.


class AboutContent(Protocol):
    @property
    def content_id(self) -> int: ...


@batched
def content(entries: Sequence[AboutContent], info: Info) -> Soon[list[catalog.Content | None]]:
    return info.context.catalog.content.soon([entry.content_id for entry in entries])


@batched
async def device(
    entries: Sequence[model.WatchProgress | model.WatchlistEntry | model.ContendingWrite], info: Info
) -> list[model.Device | None]:
    ids = {entry.device_id for entry in entries if entry.device_id is not None}
    found = dict(zip(ids, await info.context.sync.device.load_many(ids), strict=True))
    return [None if entry.device_id is None else found[entry.device_id] for entry in entries]


async def removed_content(payload: Parent[RemoveFromWatchlistPayload], info: Info) -> catalog.Content | None:
    if payload.content_id is None:
        return None
    return await info.context.catalog.content.load(payload.content_id)
