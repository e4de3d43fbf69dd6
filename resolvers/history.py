"""How viewers have their history forgotten."""

from dataclasses import dataclass, field
from typing import Annotated

import strawberry
from strawberry import ID, Parent

from domain.identity.model import Viewer
from domain.platform.errors import UserError
from resolvers.context import Info
from resolvers.descriptions import entry
from resolvers.ids import content_key
from resolvers.mutations import refusing
from resolvers.visibility import must_show


@entry
class ForgetTitleInput:
    """A title whose history is to go."""

    content_id: ID
    """The title; a series goes with its seasons and episodes, an album with its tracks."""


@entry
class KeepHistoryInput:
    """For how long the history is kept."""

    days: int | None
    """So many days, up to 3,650; for good if null."""


@dataclass(frozen=True, slots=True)
class ForgetTitlePayload:
    viewings: int | None = None
    user_errors: list[UserError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class KeepHistoryPayload:
    days: int | None = None
    user_errors: list[UserError] = field(default_factory=list)


@refusing(ForgetTitlePayload)
async def forget_title(
    info: Info, input: Annotated[ForgetTitleInput, strawberry.argument(description="Which title.")]
) -> ForgetTitlePayload:
    context = info.context
    content = content_key(input.content_id, "input.contentId")
    await must_show(context, content)
    return ForgetTitlePayload(await context.services.forgetting.forget(context.account_id, content))


@refusing(KeepHistoryPayload)
async def keep_history(
    info: Info, input: Annotated[KeepHistoryInput, strawberry.argument(description="For how long.")]
) -> KeepHistoryPayload:
    await info.context.services.history.keep(info.context.account_id, input.days)
    return KeepHistoryPayload(input.days)


async def history_days(viewer: Parent[Viewer], info: Info) -> int | None:
    return await info.context.services.history.limits.days(viewer.account_id)
