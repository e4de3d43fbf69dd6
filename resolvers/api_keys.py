"""How API keys are shown, made and revoked."""

from dataclasses import dataclass, field
from typing import Annotated

import strawberry
from strawberry import ID, Parent

from domain.identity.api_keys import DEFAULT_PER_MINUTE, ApiKey, Wanted
from domain.identity.model import Viewer
from domain.identity.policy import Scope, own
from domain.identity.tokens import UUID
from domain.platform.errors import UserError, UserErrorCode, refuse
from resolvers.context import Info
from resolvers.descriptions import entry
from resolvers.ids import key_of
from resolvers.mutations import refusing


@entry
class CreateApiKeyInput:
    """Makes a key for scripts and servers."""

    name: str
    """What to call it, 1 to 100 characters."""
    scopes: list[str]
    """What it grants, such as `read:watchlist`; no more than the caller holds."""
    per_minute: int = DEFAULT_PER_MINUTE
    """How many requests a minute it may make, 1 to 6,000."""
    expires_in_days: int | None = None
    """After how many days it lapses, 1 to 3,650; never if open."""


@entry
class RevokeApiKeyInput:
    """Ends a key for good."""

    key_id: ID
    """The key."""


@dataclass(frozen=True, slots=True)
class CreateApiKeyPayload:
    """What came of making a key."""

    api_key: ApiKey | None = None
    secret: str | None = field(default=None, repr=False)
    user_errors: list[UserError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RevokeApiKeyPayload:
    """What came of revoking a key."""

    api_key: ApiKey | None = None
    user_errors: list[UserError] = field(default_factory=list)


CreateApiKey = Annotated[CreateApiKeyInput, strawberry.argument(description="What the key is to be.")]
RevokeApiKey = Annotated[RevokeApiKeyInput, strawberry.argument(description="Which key to revoke.")]


async def api_keys(viewer: Parent[Viewer], info: Info) -> list[ApiKey]:
    return await info.context.services.keys.store.of(viewer.account_id)


def scopes(key: Parent[ApiKey]) -> list[str]:
    return [scope.value for scope in key.scopes]


@refusing(CreateApiKeyPayload)
async def create_api_key(info: Info, input: CreateApiKey) -> CreateApiKeyPayload:
    services, caller = info.context.services, info.context.caller
    wanted = Wanted(input.name, tuple(input.scopes), input.per_minute, input.expires_in_days)
    async with services.step_up.proven(caller):
        made = await services.keys.create(caller, wanted, info.context.actor)
    return CreateApiKeyPayload(made.key, made.text)


@refusing(RevokeApiKeyPayload)
async def revoke_api_key(info: Info, input: RevokeApiKey) -> RevokeApiKeyPayload:
    key_id = api_key_id(input.key_id)
    keys = info.context.services.keys
    return RevokeApiKeyPayload(await keys.revoke(info.context.account_id, key_id, info.context.actor))


def api_key_id(text: ID) -> str:
    """The key behind an id of the graph; raises `Refused` where it is none of a key."""
    key_id = key_of(text, "ApiKey", "keyId")
    if not UUID.fullmatch(key_id):
        raise refuse("There is no such API key.", UserErrorCode.NOT_FOUND, "keyId")
    return key_id


async def api_key_node(info: Info, key: str) -> ApiKey | None:
    context = info.context
    if context.caller.anonymous or not UUID.fullmatch(key):
        return None
    found = (await context.services.keys.store.found([key])).get(key)
    if found is None or not context.services.policy.sees_account(context.caller, found.account_id):
        return None
    return found


NODES = {"ApiKey": api_key_node}
NODE_ACCESS = {"ApiKey": own(Scope.READ_SECURITY)}
