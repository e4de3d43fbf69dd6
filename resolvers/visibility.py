"""What the caller's viewing profile lets them see and watch, where no list or loader has said so already."""

from collections.abc import Iterable

from domain.catalog.restricted import seen_by
from domain.platform.errors import Refused, UserErrorCode, refuse
from resolvers.context import Context
from resolvers.viewing import limits_in


async def shown_of(context: Context, content_ids: Iterable[int]) -> set[int]:
    """Those that exist for the caller."""
    distinct = list(dict.fromkeys(content_ids))
    found = await context.catalog.content.load_many(distinct)
    return {key for key, content in zip(distinct, found, strict=True) if content is not None}


async def shows(context: Context, content_id: int) -> bool:
    """Whether a title is not hidden from the caller; asks nothing where nothing is."""
    return context.restriction is None or content_id in await shown_of(context, [content_id])


async def must_show(context: Context, content_id: int, *path: str) -> None:
    """Raises `Refused` for a hidden title, in the words for one that does not exist."""
    if not await shows(context, content_id):
        raise no_such_title(*path)


def no_such_title(*path: str) -> Refused:
    return refuse("There is no such title.", UserErrorCode.NOT_FOUND, *(path or ("contentId",)))


def may_watch(context: Context) -> bool:
    """Whether it is within the hours of the caller's profile."""
    return context.hours is None or context.hours.open_at(context.services.now())


def must_watch(context: Context) -> None:
    """Raises `Refused` outside of the hours of the caller's profile."""
    if context.hours is not None and not may_watch(context):
        raise refuse(
            f"This profile may watch {context.hours}; the PIN lets it for five minutes.",
            UserErrorCode.UNAVAILABLE,
        )


async def must_let_watch(context: Context, device_id: str, content_id: int) -> None:
    """Raises `Refused` where whoever watches on a device may not watch the title there now.

    The device would refuse it as well, but only once it plays no longer where it did.
    """
    if not context.caller.may_be_limited:
        return
    services = context.services
    limits = limits_in(await services.viewing.controls_on(context.account_id, device_id))
    hidden = limits.restriction is not None and content_id not in await seen_by(
        limits.restriction, services.catalog
    ).store.contents([content_id])
    if hidden or (limits.hours is not None and not limits.hours.open_at(services.now())):
        raise refuse(
            "The profile that watches on that device may not watch this title, or not at this hour.",
            UserErrorCode.UNAVAILABLE,
            "deviceId",
        )
