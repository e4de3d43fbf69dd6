"""By which other providers somebody signs in."""

from dataclasses import dataclass, field
from typing import Annotated

import strawberry
from strawberry import Parent

from domain.identity.federation import Link
from domain.identity.model import Viewer
from domain.platform.errors import UserError
from resolvers.context import Info
from resolvers.descriptions import entry
from resolvers.mutations import refusing


@entry
class UnlinkProviderInput:
    """Ends signing in by another provider."""

    provider: str
    """As `LinkedProvider` names it."""


@dataclass(frozen=True, slots=True)
class UnlinkProviderPayload:
    linked_providers: list[Link] = field(default_factory=list)
    user_errors: list[UserError] = field(default_factory=list)


async def linked_providers(viewer: Parent[Viewer], info: Info) -> list[Link]:
    return await info.context.services.links.of(viewer.account_id)


@refusing(UnlinkProviderPayload)
async def unlink_provider(
    info: Info, input: Annotated[UnlinkProviderInput, strawberry.argument(description="Which one.")]
) -> UnlinkProviderPayload:
    context = info.context
    await context.services.step_up.require(context.caller)
    await context.services.links.remove(context.account_id, input.provider, context.actor)
    return UnlinkProviderPayload(await context.services.links.of(context.account_id))
