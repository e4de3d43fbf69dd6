"""How second factors are shown, added, removed, and asked for."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import strawberry
from strawberry import ID, Parent
from strawberry.scalars import JSON

from domain.identity.backup_codes import CODES
from domain.identity.factors import Asked, Enrolled, Given
from domain.identity.model import Account, IssuedTokens, Method, Terms, Viewer
from domain.identity.passkeys import Passkey
from domain.identity.policy import Scope, needs, own
from domain.platform.errors import BadInput, UserError
from domain.platform.pictures import qr_code
from resolvers.context import Info
from resolvers.descriptions import choice_of_one, entry
from resolvers.ids import key_of
from resolvers.mutations import refusing


class ChallengePurpose(StrEnum):
    """What the answer to a question is good for."""

    PASSKEY_SIGN_IN = "PASSKEY_SIGN_IN"
    """Signing in with a passkey alone, by `completePasskeySignIn`."""
    ADD_PASSKEY = "ADD_PASSKEY"
    """Adding a passkey, by `addPasskey`; needs `stepUp`."""
    STEP_UP = "STEP_UP"
    """Confirming who one is by a passkey, by `stepUp`."""


@choice_of_one
class SecondFactorInput:
    """A second factor, exactly one."""

    code: str | None = strawberry.UNSET
    """The six digits that the authenticator app shows."""
    backup_code: str | None = strawberry.UNSET
    """One of the backup codes, which is used up by this."""
    passkey: JSON | None = strawberry.UNSET
    """What `navigator.credentials.get()` answered, as its `toJSON()` has it."""


@entry
class CompleteSignInInput:
    """The second step of signing in."""

    challenge: str
    """The token that `signIn` answered."""
    factor: SecondFactorInput
    """A second factor."""


@entry
class CompletePasskeySignInInput:
    """What a passkey has signed."""

    challenge: str
    """The token that `beginChallenge` answered."""
    passkey: JSON
    """What `navigator.credentials.get()` answered, as its `toJSON()` has it."""


@entry
class ConfirmTotpInput:
    """That the authenticator app is set up."""

    code: str
    """The six digits that it shows."""


@entry
class AddPasskeyInput:
    """A passkey that was made."""

    challenge: str
    """The token that `beginChallenge` answered."""
    passkey: JSON
    """What `navigator.credentials.create()` answered, as its `toJSON()` has it."""
    name: str
    """What to call it, 1 to 60 characters."""


@choice_of_one
class RemoveSecondFactorInput:
    """What is not to be asked for any more, exactly one."""

    totp: bool | None = strawberry.UNSET
    """The authenticator app."""
    passkey_id: ID | None = strawberry.UNSET
    """A passkey."""


@entry
class EnrolTotpInput:
    """An authenticator app that is to be set up."""

    label: str | None = None
    """What the app calls the account; its e-mail address if open."""


@entry
class RenewBackupCodesInput:
    """New backup codes."""

    count: int = CODES
    """How many, 1 to 20."""


@entry
class BeginChallengeInput:
    """What a question is for."""

    purpose: ChallengePurpose
    """What its answer is good for."""


@entry
class SignedChallengeInput:
    """What a passkey has signed."""

    challenge: str
    """The token that `beginChallenge` answered."""
    passkey: JSON
    """What `navigator.credentials.get()` answered, as its `toJSON()` has it."""


@choice_of_one
class StepUpInput:
    """By what the caller confirms who they are, exactly one."""

    password: str | None = strawberry.UNSET
    """The password of the account; where it has a second factor, that does not do."""
    code: str | None = strawberry.UNSET
    """The six digits that the authenticator app shows."""
    backup_code: str | None = strawberry.UNSET
    """One of the backup codes, which is used up by this."""
    passkey: SignedChallengeInput | None = strawberry.UNSET
    """A passkey."""


@dataclass(frozen=True, slots=True)
class SignedInPayload:
    account: Account | None = None
    access_token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    refresh_token: str | None = field(default=None, repr=False)
    user_errors: list[UserError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ChallengePayload:
    challenge: Asked | None = None
    user_errors: list[UserError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class EnrolTotpPayload:
    secret: str | None = field(default=None, repr=False)
    uri: str | None = field(default=None, repr=False)
    qr_code: str | None = field(default=None, repr=False)
    user_errors: list[UserError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SecondFactorPayload:
    second_factors: Enrolled | None = None
    backup_codes: list[str] = field(default_factory=list, repr=False)
    user_errors: list[UserError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class StepUpPayload:
    holds_until: datetime | None = None
    user_errors: list[UserError] = field(default_factory=list)


async def second_factors(viewer: Parent[Viewer], info: Info) -> Enrolled:
    return await info.context.services.second_factors.store.enrolled(viewer.account_id)


def passkeys(enrolled: Parent[Enrolled]) -> list[Passkey]:
    return list(enrolled.passkeys)


def factors(asked: Parent[Asked]) -> list[Any]:
    return list(asked.factors)


@refusing(SignedInPayload)
async def complete_sign_in(
    info: Info,
    input: Annotated[CompleteSignInInput, strawberry.argument(description="A second factor.")],
) -> SignedInPayload:
    account, methods = await info.context.services.sign_ins.complete(
        input.challenge, given_in(input.factor), info.context.actor
    )
    return await _signed_in(info, account, methods)


@refusing(ChallengePayload)
async def begin_challenge(
    info: Info, input: Annotated[BeginChallengeInput, strawberry.argument(description="What for.")]
) -> ChallengePayload:
    services, caller = info.context.services, info.context.caller
    match input.purpose:
        case ChallengePurpose.PASSKEY_SIGN_IN:
            asked = await services.sign_ins.begin_passkey()
        case ChallengePurpose.ADD_PASSKEY:
            services.policy.check(caller, needs(Scope.WRITE_SECURITY))
            async with services.step_up.proven(caller) as account:
                asked = await services.second_factors.begin_passkey(account)
        case ChallengePurpose.STEP_UP:
            asked = await services.step_up.begin(caller)
    return ChallengePayload(asked)


@refusing(SignedInPayload)
async def complete_passkey_sign_in(
    info: Info,
    input: Annotated[CompletePasskeySignInInput, strawberry.argument(description="What it has signed.")],
) -> SignedInPayload:
    account, methods = await info.context.services.sign_ins.complete_passkey(
        input.challenge, credential_in(input.passkey), info.context.actor
    )
    return await _signed_in(info, account, methods)


@refusing(EnrolTotpPayload)
async def enrol_totp(
    info: Info, input: Annotated[EnrolTotpInput, strawberry.argument(description="What to call it.")]
) -> EnrolTotpPayload:
    services = info.context.services
    async with services.step_up.proven(info.context.caller) as account:
        made = await services.second_factors.enrol_totp(account, input.label)
    return EnrolTotpPayload(made.secret, made.uri, qr_code(made.uri))


@refusing(SecondFactorPayload)
async def confirm_totp(
    info: Info, input: Annotated[ConfirmTotpInput, strawberry.argument(description="The code it shows.")]
) -> SecondFactorPayload:
    services, factors = info.context.services, info.context.services.second_factors
    async with services.step_up.proven(info.context.caller) as account:
        codes = await factors.confirm_totp(account, input.code, info.context.actor)
    return SecondFactorPayload(await factors.store.enrolled(account.id), codes)


@refusing(SecondFactorPayload)
async def renew_backup_codes(
    info: Info, input: Annotated[RenewBackupCodesInput, strawberry.argument(description="How many.")]
) -> SecondFactorPayload:
    services, factors = info.context.services, info.context.services.second_factors
    async with services.step_up.proven(info.context.caller) as account:
        codes = await factors.renew_backup_codes(account, input.count, info.context.actor)
    return SecondFactorPayload(await factors.store.enrolled(account.id), codes)


@refusing(SecondFactorPayload)
async def add_passkey(
    info: Info, input: Annotated[AddPasskeyInput, strawberry.argument(description="What was made.")]
) -> SecondFactorPayload:
    services, factors = info.context.services, info.context.services.second_factors
    async with services.step_up.proven(info.context.caller) as account:
        _, codes = await factors.add_passkey(
            account, input.challenge, credential_in(input.passkey), input.name, info.context.actor
        )
    return SecondFactorPayload(await factors.store.enrolled(account.id), codes)


@refusing(SecondFactorPayload)
async def remove_second_factor(
    info: Info,
    input: Annotated[RemoveSecondFactorInput, strawberry.argument(description="Which one.")],
) -> SecondFactorPayload:
    services, factors, by = info.context.services, info.context.services.second_factors, info.context.actor
    async with services.step_up.proven(info.context.caller) as account:
        if isinstance(input.passkey_id, str):
            await factors.remove_passkey(account, key_of(input.passkey_id, "Passkey", "passkeyId"), by)
        else:
            await factors.remove_totp(account, by)
    return SecondFactorPayload(await factors.store.enrolled(account.id))


@refusing(StepUpPayload)
async def step_up(
    info: Info, input: Annotated[StepUpInput, strawberry.argument(description="By what.")]
) -> StepUpPayload:
    context = info.context
    proving, caller = context.services.step_up, context.caller
    if isinstance(input.password, str):
        return StepUpPayload(await proving.by_password(caller, input.password, context.actor))
    account = await _owner(info)
    if isinstance(input.passkey, SignedChallengeInput):
        given, token = Given(passkey=credential_in(input.passkey.passkey)), input.passkey.challenge
    else:
        given, token = Given(_text(input.code), _text(input.backup_code)), None
    return StepUpPayload(await proving.by_factor(caller, account, given, token, context.actor))


def given_in(factor: SecondFactorInput) -> Given:
    """The domain's own; raises `BadInput`."""
    shown = factor.passkey
    passkey = None if shown is None or shown is strawberry.UNSET else credential_in(shown)
    return Given(_text(factor.code), _text(factor.backup_code), passkey)


def credential_in(value: Any) -> dict[str, Any]:
    """A credential of WebAuthn; raises `BadInput` for what is no object."""
    if not isinstance(value, dict):
        raise BadInput("A passkey's answer is the object that `toJSON()` makes of it.", argument="passkey")
    return value


async def _signed_in(info: Info, account: Account, methods: tuple[Method, ...]) -> SignedInPayload:
    sessions, terms = info.context.services.sessions, Terms(methods=methods)
    issued = await sessions.sign_in(account, info.context.actor, terms)
    info.context.identity.proven.add(account.id)
    return _tokens(account, issued)


def _tokens(account: Account, issued: IssuedTokens) -> SignedInPayload:
    return SignedInPayload(account, issued.access.value, issued.access.expires_at, issued.refresh_token)


async def _owner(info: Info) -> Account:
    viewer = info.context.account_id
    account = await info.context.identity.account.load(viewer)
    if account is None:
        raise BadInput("This account is gone.")
    return account


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


async def passkey_node(info: Info, key: str) -> Passkey | None:
    context = info.context
    if context.caller.anonymous:
        return None
    enrolled = await context.services.second_factors.store.enrolled(context.account_id)
    return next((passkey for passkey in enrolled.passkeys if passkey.id == key), None)


NODES = {"Passkey": passkey_node}
NODE_ACCESS = {"Passkey": own(Scope.READ_SECURITY)}
