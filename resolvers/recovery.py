"""How addresses are proven and passwords are set."""

from dataclasses import dataclass, field
from typing import Annotated

import strawberry

from domain.identity.factors import Factor
from domain.identity.model import Account
from domain.platform.errors import UserError
from resolvers.context import Info
from resolvers.descriptions import entry
from resolvers.mutations import refusing


@entry
class VerifyEmailInput:
    """Proves an address."""

    token: str
    """The token of the link in the letter."""


@entry
class ResendVerificationInput:
    """Asks for the letter again."""

    email: str
    """The e-mail address to prove."""


@entry
class RequestPasswordResetInput:
    """Asks for a letter with a link to choose another password."""

    email: str
    """The e-mail address of the account."""


@entry
class ResetPasswordInput:
    """Chooses another password."""

    token: str
    """The token of the link in the letter."""
    password: str
    """At least 8 characters, among them a capital letter, a small letter and a digit."""


@entry
class ChangePasswordInput:
    """Chooses another password, knowing the current one."""

    current_password: str
    """The password so far."""
    new_password: str
    """At least 8 characters, among them a capital letter, a small letter and a digit."""
    keep_current: bool = True
    """Whether this session goes on; all others end."""


@entry
class ChangeEmailInput:
    """Moves the account to another address."""

    email: str
    """The new e-mail address."""


@entry
class ConfirmEmailChangeInput:
    """Proves the new address."""

    token: str
    """The token of the link in the letter to the new address."""


@dataclass(frozen=True, slots=True)
class ChangeEmailPayload:
    accepted: bool = False
    user_errors: list[UserError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ConfirmEmailChangePayload:
    sessions_invalidated: int | None = None
    tokens_revoked: int | None = None
    user_errors: list[UserError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class VerifyEmailPayload:
    account: Account | None = None
    user_errors: list[UserError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ResendVerificationPayload:
    accepted: bool = False
    user_errors: list[UserError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RequestPasswordResetPayload:
    accepted: bool = False
    user_errors: list[UserError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ResetPasswordPayload:
    sessions_invalidated: int | None = None
    tokens_revoked: int | None = None
    user_errors: list[UserError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ChangePasswordPayload:
    sessions_invalidated: int | None = None
    tokens_revoked: int | None = None
    user_errors: list[UserError] = field(default_factory=list)


@refusing(VerifyEmailPayload)
async def verify_email(
    info: Info,
    input: Annotated[VerifyEmailInput, strawberry.argument(description="The token of the link.")],
) -> VerifyEmailPayload:
    account = await info.context.services.recovery.verify_email(input.token, info.context.actor)
    info.context.identity.proven.add(account.id)
    return VerifyEmailPayload(account)


@refusing(ResendVerificationPayload)
async def resend_verification(
    info: Info,
    input: Annotated[ResendVerificationInput, strawberry.argument(description="To which address.")],
) -> ResendVerificationPayload:
    await info.context.services.recovery.resend_verification(input.email)
    return ResendVerificationPayload(accepted=True)


@refusing(RequestPasswordResetPayload)
async def request_password_reset(
    info: Info,
    input: Annotated[RequestPasswordResetInput, strawberry.argument(description="To which address.")],
) -> RequestPasswordResetPayload:
    await info.context.services.recovery.request_reset(input.email)
    return RequestPasswordResetPayload(accepted=True)


@refusing(ResetPasswordPayload)
async def reset_password(
    info: Info,
    input: Annotated[ResetPasswordInput, strawberry.argument(description="The token and the password.")],
) -> ResetPasswordPayload:
    ended = await info.context.services.recovery.reset_password(
        input.token, input.password, info.context.actor
    )
    return ResetPasswordPayload(ended.sessions, ended.tokens)


@refusing(ChangePasswordPayload)
async def change_password(
    info: Info,
    input: Annotated[ChangePasswordInput, strawberry.argument(description="The current and the new one.")],
) -> ChangePasswordPayload:
    context = info.context
    if Factor.PASSWORD not in await context.services.step_up.accepted(context.account_id):
        await context.services.step_up.require(context.caller)
    ended = await context.services.recovery.change_password(
        context.account_id,
        input.current_password,
        input.new_password,
        context.caller.session_id if input.keep_current else None,
        context.actor,
    )
    return ChangePasswordPayload(ended.sessions, ended.tokens)


@refusing(ChangeEmailPayload)
async def change_email(
    info: Info,
    input: Annotated[ChangeEmailInput, strawberry.argument(description="The new address.")],
) -> ChangeEmailPayload:
    context = info.context
    async with context.services.step_up.proven(context.caller) as account:
        await context.services.address_change.request(account, input.email, context.actor)
    return ChangeEmailPayload(accepted=True)


@refusing(ConfirmEmailChangePayload)
async def confirm_email_change(
    info: Info,
    input: Annotated[ConfirmEmailChangeInput, strawberry.argument(description="The token of the link.")],
) -> ConfirmEmailChangePayload:
    _, ended = await info.context.services.address_change.change(input.token, info.context.actor)
    return ConfirmEmailChangePayload(ended.sessions, ended.tokens)
