"""How an account is closed, taken back and copied."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import Parent

from domain.identity.model import Account
from domain.identity.profile import email_of
from domain.platform.errors import Unauthenticated, UserError, UserErrorCode, refuse
from resolvers.context import Info
from resolvers.descriptions import entry
from resolvers.mutations import refusing


@entry
class CloseAccountInput:
    """Closes the caller's account."""

    email: str
    """The e-mail address of the account, as a sign that it is really meant."""


@entry
class ReopenAccountInput:
    """Takes back an account that was closed."""

    token: str
    """The token of the link in the letter."""


@entry
class ExportDataInput:
    """Asks for a copy of all that is kept of the caller's account."""

    email: str
    """The e-mail address of the account, as a sign that it is really meant."""


@dataclass(frozen=True, slots=True)
class CloseAccountPayload:
    erased_at: datetime | None = None
    user_errors: list[UserError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ReopenAccountPayload:
    account: Account | None = None
    user_errors: list[UserError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ExportDataPayload:
    url: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    user_errors: list[UserError] = field(default_factory=list)


async def avatar_url(account: Parent[Account], info: Info) -> str | None:
    name = await info.context.avatars.load(account.id)
    return None if name is None else f"{info.context.services.origin}/avatars/{name}"


@refusing(CloseAccountPayload)
async def close_account(
    info: Info, input: Annotated[CloseAccountInput, strawberry.argument(description="Which one.")]
) -> CloseAccountPayload:
    account = await _meant(info, input.email)
    erased_at = await info.context.services.closing.close(account.id, info.context.actor)
    return CloseAccountPayload(erased_at)


@refusing(ReopenAccountPayload)
async def reopen_account(
    info: Info, input: Annotated[ReopenAccountInput, strawberry.argument(description="The token.")]
) -> ReopenAccountPayload:
    account = await info.context.services.closing.reopen(input.token, info.context.actor)
    info.context.identity.proven.add(account.id)
    return ReopenAccountPayload(account)


@refusing(ExportDataPayload)
async def export_data(
    info: Info, input: Annotated[ExportDataInput, strawberry.argument(description="Of which account.")]
) -> ExportDataPayload:
    account = await _meant(info, input.email)
    services = info.context.services
    token, expires_at = await services.exports.link(account, info.context.actor)
    return ExportDataPayload(f"{services.origin}/account/export?token={token}", expires_at)


async def _meant(info: Info, email: str) -> Account:
    """The caller's account, which they have proven of late, and named."""
    await info.context.services.step_up.require(info.context.caller)
    account = await info.context.identity.account.load(info.context.account_id)
    if account is None:
        raise Unauthenticated("This account is not in use any more.", error="invalid_token")
    if account.email is None or email_of(email) != account.email:
        raise refuse("This is not the address of the account.", UserErrorCode.INVALID, "email")
    return account
