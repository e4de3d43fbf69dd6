"""How the fields of accounts are answered."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import Parent

from domain.identity.factors import Asked
from domain.identity.model import Account, LoginSession, Viewer
from domain.identity.policy import Scope, needs, own
from domain.identity.profile import Profile
from domain.identity.tokens import UUID
from domain.platform.errors import Unauthenticated, UserError
from resolvers.context import Info
from resolvers.descriptions import entry
from resolvers.mutations import refusing


@entry
class RegisterAccountInput:
    """Opens an account."""

    email: str
    """The e-mail address to sign in with."""
    password: str
    """At least 8 characters, among them a capital letter, a small letter and a digit."""
    display_name: str
    """What to call the viewer, 1 to 100 characters."""
    region: str | None = None
    """Where they watch, ISO 3166-1 alpha-2; the server's default if open."""
    language: str | None = None
    """What they read, BCP 47; English if open."""


@entry
class SignInInput:
    """Proves who is asking."""

    email: str
    """The e-mail address of the account."""
    password: str
    """Its password."""


@entry
class UpdateProfileInput:
    """Changes the caller's own account; what is open stays as it is."""

    display_name: str | None = None
    """What to call the viewer, 1 to 100 characters."""
    region: str | None = None
    """Where they watch, ISO 3166-1 alpha-2."""
    language: str | None = None
    """What they read, BCP 47."""


@dataclass(frozen=True, slots=True)
class RegisterAccountPayload:
    """What came of opening an account."""

    account: Account | None = None
    access_token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    refresh_token: str | None = field(default=None, repr=False)
    user_errors: list[UserError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SignInPayload:
    """What came of signing in."""

    account: Account | None = None
    access_token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    refresh_token: str | None = field(default=None, repr=False)
    challenge: Asked | None = None
    user_errors: list[UserError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class UpdateProfilePayload:
    """What came of changing a profile."""

    account: Account | None = None
    user_errors: list[UserError] = field(default_factory=list)


RegisterAccount = Annotated[RegisterAccountInput, strawberry.argument(description="Who opens the account.")]
SignIn = Annotated[SignInInput, strawberry.argument(description="Address and password.")]
UpdateProfile = Annotated[UpdateProfileInput, strawberry.argument(description="What to change.")]


def viewer(info: Info) -> Viewer | None:
    account_id = info.context.caller.account_id
    return None if account_id is None else Viewer(account_id)


def impersonated(info: Info) -> bool:
    return info.context.caller.acting_id is not None


async def account(viewer: Parent[Viewer], info: Info) -> Account:
    found = await info.context.identity.account.load(viewer.account_id)
    if found is None:
        raise Unauthenticated("This account is not in use any more.", error="invalid_token")
    return found


def email(account: Parent[Account], info: Info) -> str | None:
    context = info.context
    if account.id in context.identity.proven:
        return account.email
    policy = context.services.policy
    if not policy.sees_account(context.caller, account.id):
        return None
    if policy.owns(context.caller, account.id):
        policy.check(context.caller, needs(Scope.READ_PREFERENCES))
    return account.email


@refusing(RegisterAccountPayload)
async def register_account(info: Info, input: RegisterAccount) -> RegisterAccountPayload:
    await info.context.limit("graph.registerAccount")
    accounts = info.context.services.accounts
    region = info.context.region if input.region is None else input.region
    profile = Profile(input.display_name, region, input.language)
    account = await accounts.register(input.email, input.password, profile, info.context.actor)
    info.context.identity.proven.add(account.id)
    if accounts.verified_only:
        return RegisterAccountPayload(account)
    tokens = await info.context.services.sessions.sign_in(account, info.context.actor)
    return RegisterAccountPayload(
        account, tokens.access.value, tokens.access.expires_at, tokens.refresh_token
    )


@refusing(SignInPayload)
async def sign_in(info: Info, input: SignIn) -> SignInPayload:
    await info.context.limit("graph.signIn")
    services, by = info.context.services, info.context.actor
    account = await services.accounts.sign_in(input.email, input.password, by)
    asked = await services.sign_ins.second_step(account)
    if asked is not None:
        return SignInPayload(challenge=asked)
    tokens = await services.sessions.sign_in(account, by)
    info.context.identity.proven.add(account.id)
    return SignInPayload(account, tokens.access.value, tokens.access.expires_at, tokens.refresh_token)


@refusing(UpdateProfilePayload)
async def update_profile(info: Info, input: UpdateProfile) -> UpdateProfilePayload:
    account_id = info.context.account_id
    profile = Profile(input.display_name, input.region, input.language)
    account = await info.context.services.accounts.update_profile(account_id, profile, info.context.actor)
    info.context.identity.account.clear(account_id)
    return UpdateProfilePayload(account)


async def account_node(info: Info, key: str) -> Account | None:
    if not UUID.fullmatch(key) or not info.context.services.policy.sees_account(info.context.caller, key):
        return None
    return await info.context.identity.account.load(key)


async def session_node(info: Info, key: str) -> LoginSession | None:
    if info.context.caller.anonymous or not UUID.fullmatch(key):
        return None
    session = await info.context.identity.session.load(key)
    owned = session is not None and session.account_id == info.context.account_id
    return session if owned else None


NODES = {"Account": account_node, "LoginSession": session_node}
NODE_ACCESS = {"LoginSession": own(Scope.READ_SECURITY)}
