"""What administrators do to applications."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Final

import strawberry
from strawberry import ID

from domain.identity.clients import GrantType, OAuthClient
from domain.identity.model import Tier
from domain.identity.registrations import Changes, Registration
from domain.platform.errors import UserError
from resolvers.context import Info
from resolvers.descriptions import entry
from resolvers.mutations import refusing

BY_CODE: Final = (GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN)


@entry
class RegisterClientInput:
    """Registers an application."""

    name: str
    """What its users are shown."""
    redirect_uris: list[str] | None = None
    """Where it may be called back, compared sign by sign; nowhere if open."""
    grants: list[str] | None = None
    """How it gets tokens, by the names of OAuth; by code and refresh token if open."""
    scopes: list[str] | None = None
    """The most it can be granted; nothing if open."""
    confidential: bool = False
    """Whether it can keep a secret, as a server can and an app cannot."""
    trusted: bool = False
    """Whether it is one of our own, so that nobody is asked for consent."""
    bound: bool = False
    """Whether its tokens must be bound to a key of its own (DPoP)."""
    tier: Tier = Tier.FREE
    """What it may spend where it acts for nobody but itself (client credentials)."""


@entry
class UpdateClientInput:
    """Changes an application; what is open stays as it is."""

    client_id: ID
    """The application; not one that describes itself at an address."""
    name: str | None = None
    """What its users are shown."""
    redirect_uris: list[str] | None = None
    """All the places where it may be called back."""
    grants: list[str] | None = None
    """All the ways in which it gets tokens, by the names of OAuth."""
    scopes: list[str] | None = None
    """The most it can be granted."""
    trusted: bool | None = None
    """Whether it is one of our own, so that nobody is asked for consent."""
    bound: bool | None = None
    """Whether its tokens must be bound to a key of its own (DPoP)."""
    tier: Tier | None = None
    """What it may spend where it acts for nobody but itself."""


@entry
class RotateClientSecretInput:
    """Gives an application another secret."""

    client_id: ID
    """The application."""
    keep_old_seconds: int = 0
    """For how long the secret before holds as well, a week at most."""


@entry
class DisableClientInput:
    """Ends what an application may do."""

    client_id: ID
    """The application."""


@dataclass(frozen=True, slots=True)
class RegisterClientPayload:
    """What came of registering an application, or of another secret."""

    client: OAuthClient | None = None
    secret: str | None = field(default=None, repr=False)
    user_errors: list[UserError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ClientPayload:
    """What became of an application."""

    client: OAuthClient | None = None
    ended_sessions: int = 0
    user_errors: list[UserError] = field(default_factory=list)


@refusing(RegisterClientPayload)
async def register_client(
    info: Info, input: Annotated[RegisterClientInput, strawberry.argument(description="What it is.")]
) -> RegisterClientPayload:
    services = info.context.services
    wanted = Registration(
        name=input.name,
        redirect_uris=input.redirect_uris or (),
        grants=BY_CODE if input.grants is None else input.grants,
        scopes=input.scopes or (),
        confidential=input.confidential,
        trusted=input.trusted,
        bound=input.bound,
        tier=input.tier,
    )
    async with services.step_up.proven(info.context.caller):
        made = await services.registrations.register(wanted, info.context.actor)
    return RegisterClientPayload(made.client, made.secret)


@refusing(ClientPayload)
async def update_client(
    info: Info,
    input: Annotated[UpdateClientInput, strawberry.argument(description="Which one, and what changes.")],
) -> ClientPayload:
    await info.context.services.step_up.require(info.context.caller)
    changes = Changes(
        name=input.name,
        redirect_uris=input.redirect_uris,
        grants=input.grants,
        scopes=input.scopes,
        trusted=input.trusted,
        bound=input.bound,
        tier=input.tier,
    )
    registrations = info.context.services.registrations
    return ClientPayload(*await registrations.update(input.client_id, changes, info.context.actor))


@refusing(RegisterClientPayload)
async def rotate_client_secret(
    info: Info, input: Annotated[RotateClientSecretInput, strawberry.argument(description="Whose secret.")]
) -> RegisterClientPayload:
    services, keep_old = info.context.services, timedelta(seconds=input.keep_old_seconds)
    async with services.step_up.proven(info.context.caller):
        made = await services.registrations.rotate_secret(input.client_id, keep_old, info.context.actor)
    return RegisterClientPayload(made.client, made.secret)


@refusing(ClientPayload)
async def disable_client(
    info: Info, input: Annotated[DisableClientInput, strawberry.argument(description="Which application.")]
) -> ClientPayload:
    registrations = info.context.services.registrations
    return ClientPayload(*await registrations.disable(input.client_id, info.context.actor))
