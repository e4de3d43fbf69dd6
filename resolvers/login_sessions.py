"""How sessions are shown, refreshed and ended."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import strawberry
from strawberry import ID, Parent

from domain.identity.model import LoginSession, SessionEnd, Viewer
from domain.identity.policy import Scope, needs
from domain.identity.sessions import InvalidGrant
from domain.identity.tokens import UUID
from domain.platform.errors import Unauthenticated, UserError, UserErrorCode, refuse
from resolvers.context import Info
from resolvers.descriptions import entry
from resolvers.ids import key_of
from resolvers.mutations import refusing


class SessionChoice(StrEnum):
    """Which of the caller's sessions."""

    CURRENT = "CURRENT"
    """The one that asks."""
    OTHERS = "OTHERS"
    """All but the one that asks."""
    ALL = "ALL"
    """All of them."""


@entry
class RefreshSessionInput:
    """Keeps a session alive."""

    refresh_token: str
    """The refresh token that the session got last."""


@entry
class SignOutInput:
    """Ends sessions of the caller."""

    sessions: SessionChoice = SessionChoice.CURRENT
    """Which ones."""


@entry
class RevokeSessionInput:
    """Ends one session of the caller."""

    session_id: ID
    """The session."""


@dataclass(frozen=True, slots=True)
class RefreshSessionPayload:
    """What came of refreshing a session."""

    access_token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    refresh_token: str | None = field(default=None, repr=False)
    user_errors: list[UserError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SignOutPayload:
    """What came of signing out."""

    ended_sessions: int = 0
    user_errors: list[UserError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RevokeSessionPayload:
    """What came of ending a session."""

    session: LoginSession | None = None
    user_errors: list[UserError] = field(default_factory=list)


RefreshSession = Annotated[RefreshSessionInput, strawberry.argument(description="The refresh token.")]
SignOut = Annotated[SignOutInput, strawberry.argument(description="Which sessions to end.")]
RevokeSession = Annotated[RevokeSessionInput, strawberry.argument(description="Which session to end.")]


async def sessions(viewer: Parent[Viewer], info: Info) -> list[LoginSession]:
    found = info.context.services.sessions
    return await found.store.standing(viewer.account_id, found.now())


def current(session: Parent[LoginSession], info: Info) -> bool:
    return session.id == info.context.caller.session_id


@refusing(RefreshSessionPayload)
async def refresh_session(info: Info, input: RefreshSession) -> RefreshSessionPayload:
    try:
        tokens = await info.context.services.sessions.refresh(input.refresh_token, info.context.actor)
    except InvalidGrant:
        raise refuse(
            "This refresh token is not valid any more: sign in again.",
            UserErrorCode.CREDENTIALS,
            "refreshToken",
        ) from None
    return RefreshSessionPayload(tokens.access.value, tokens.access.expires_at, tokens.refresh_token)


@refusing(SignOutPayload)
async def sign_out(info: Info, input: SignOut) -> SignOutPayload:
    account_id, own = info.context.account_id, _own_session(info)
    service = info.context.services.sessions
    ended: list[str] = []
    if input.sessions is not SessionChoice.CURRENT:
        info.context.services.policy.check(info.context.caller, needs(Scope.WRITE_SECURITY))
        ended += await service.end_all(account_id, SessionEnd.REVOKED, info.context.actor, but=own)
    if input.sessions is not SessionChoice.OTHERS:
        ended += await service.end(account_id, [own], SessionEnd.SIGNED_OUT, info.context.actor)
    return SignOutPayload(len(ended))


@refusing(RevokeSessionPayload)
async def revoke_session(info: Info, input: RevokeSession) -> RevokeSessionPayload:
    account_id, own = info.context.account_id, _own_session(info)
    key = key_of(input.session_id, "LoginSession", "sessionId")
    end = SessionEnd.SIGNED_OUT if key == own else SessionEnd.REVOKED
    service = info.context.services.sessions
    ended = await service.end(account_id, [key], end, info.context.actor) if UUID.fullmatch(key) else []
    if not ended:
        raise refuse("There is no such LoginSession.", UserErrorCode.NOT_FOUND, "sessionId")
    return RevokeSessionPayload((await service.store.sessions(ended)).get(key))


def _own_session(info: Info) -> str:
    """The caller's session; only its owner, signed in directly, may end sessions."""
    session_id = info.context.caller.session_id
    if session_id is None:
        raise Unauthenticated("Sign in first: this needs the access token of a session.")
    return session_id
