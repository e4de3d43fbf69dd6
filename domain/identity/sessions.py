"""The one place where tokens are issued: sessions, their refresh tokens, and their end."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

import structlog

from domain.identity import refreshing
from domain.identity.audit import Action, Actor, Audit
from domain.identity.model import (
    FIRST_PARTY,
    Account,
    Caller,
    IssuedTokens,
    LoginSession,
    Method,
    SessionEnd,
)
from domain.identity.policy import granted
from domain.identity.recent import RecentAccounts
from domain.identity.revocations import REASONS, Revocation, Revocations
from domain.identity.tokens import SKEW_SECONDS, Tokens
from domain.platform.errors import Unauthenticated

log = structlog.get_logger(__name__)

MAX_USER_AGENT = 400
KEPT_AFTER_END = timedelta(days=7)


class InvalidGrant(Exception):
    """A refresh token is unknown, lapsed, revoked, used up or another client's; nobody is told which."""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """For how long sessions hold."""

    idle: timedelta
    """Without a refresh."""
    absolute: timedelta
    """From sign-in, however often it is refreshed."""
    grace: timedelta
    """After a rotation, in which the old refresh token gets the same successor again."""


class Presented(NamedTuple):
    """A refresh token that a client has shown, as the store knows it."""

    session: LoginSession
    used_at: datetime | None
    salt: bytes | None


class Rotation(NamedTuple):
    """One refresh token that takes the place of another, and until when the session then lasts."""

    old: bytes
    new: bytes
    salt: bytes
    client_id: str
    at: datetime
    idle: timedelta
    by: Actor


class SessionStore(Protocol):
    """Refresh tokens come as fingerprints."""

    async def add(self, session: LoginSession, token: bytes) -> None: ...

    async def rotate(self, rotation: Rotation) -> LoginSession | None:
        """The session after it; nothing, and nothing changed, where the old token is not the standing one of
        a session that stands. Of several at once exactly one succeeds.
        """
        ...

    async def presented(self, token: bytes) -> Presented | None: ...

    async def sessions(self, ids: Sequence[str]) -> Mapping[str, LoginSession]: ...

    async def standing(self, account_id: str, now: datetime) -> list[LoginSession]:
        """Those that have neither ended nor lapsed, used last first."""
        ...

    async def end(
        self, sessions: Iterable[LoginSession], end: SessionEnd, at: datetime, until: datetime
    ) -> list[str]:
        """Ends those that have not ended yet, puts them on record as revoked, and answers their ids."""
        ...

    async def forget(self, before: datetime) -> int:
        """Deletes sessions that ended or lapsed before, and revocations that no token needs any more."""
        ...


@dataclass(frozen=True)
class Sessions:
    """Starts, refreshes and ends sessions, and says whom an access token stands for."""

    store: SessionStore
    tokens: Tokens
    recent: RecentAccounts
    revocations: Revocations
    lifetimes: Lifetimes
    audit: Audit
    now: Callable[[], datetime]
    new_id: Callable[[], str]

    async def start(
        self,
        account: Account,
        by: Actor,
        methods: Sequence[str] = (Method.PASSWORD,),
        *,
        client_id: str = FIRST_PARTY,
        scopes: frozenset[str] | None = None,
    ) -> IssuedTokens:
        """Tokens of a new session; without `scopes` they grant whatever the roles allow."""
        now = self.now()
        session = LoginSession(
            id=self.new_id(),
            family_id=self.new_id(),
            account_id=account.id,
            client_id=client_id,
            scopes=scopes,
            methods=tuple(methods),
            authenticated_at=now,
            created_at=now,
            last_used_at=now,
            expires_at=now + min(self.lifetimes.idle, self.lifetimes.absolute),
            final_at=now + self.lifetimes.absolute,
            address=by.address,
            user_agent=_shortened(by.user_agent),
        )
        token = refreshing.new_token()
        await self.store.add(session, refreshing.fingerprint(token))
        return IssuedTokens(session, self.tokens.issue(account, session), token)

    async def refresh(self, token: str, by: Actor, client_id: str = FIRST_PARTY) -> IssuedTokens:
        """New tokens for a refresh token; raises `InvalidGrant`.

        The old one is used up. Who shows it again within the grace period gets the same successor, so that
        an answer that was lost signs nobody out; after that somebody else has it, and the session ends.
        """
        if len(token) > refreshing.MAX_CHARACTERS:
            raise InvalidGrant
        salt = refreshing.new_salt()
        following = refreshing.successor(token, salt)
        rotation = Rotation(
            refreshing.fingerprint(token),
            refreshing.fingerprint(following),
            salt,
            client_id,
            self.now(),
            self.lifetimes.idle,
            replace(by, user_agent=_shortened(by.user_agent)),
        )
        session = await self.store.rotate(rotation)
        if session is None:
            session, following = await self._again(token, client_id, by)
        account = await self.recent.get(session.account_id)
        if account is None or account.suspended_at is not None:
            raise InvalidGrant
        return IssuedTokens(session, self.tokens.issue(account, session), following)

    async def end(self, account_id: str, ids: Iterable[str], end: SessionEnd, by: Actor) -> list[str]:
        """Ends those of these sessions that are the account's and stand; answers their ids."""
        wanted = set(ids)
        found = await self.store.standing(account_id, self.now())
        return await self._end([session for session in found if session.id in wanted], end, by)

    async def end_all(self, account_id: str, end: SessionEnd, by: Actor, but: str | None = None) -> list[str]:
        """Ends every session of the account but one; answers the ids of those that ended."""
        found = await self.store.standing(account_id, self.now())
        return await self._end([session for session in found if session.id != but], end, by)

    async def identify(self, token: str) -> Caller:
        """Whom an access token stands for now; raises `Unauthenticated` for bad tokens, sessions that have
        ended and accounts not in use.

        What has changed since it was issued (roles, suspension, region) counts within five seconds.
        """
        caller = self.tokens.verify(token)
        self.refuse_ended(caller)
        account = None if caller.account_id is None else await self.recent.get(caller.account_id)
        if account is None or account.suspended_at is not None:
            raise Unauthenticated("This account is not in use any more.", error="invalid_token")
        return replace(
            caller,
            roles=caller.roles.intersection(account.roles),
            scopes=caller.scopes & granted(account.roles),
            tier=account.tier,
            region=account.region,
        )

    def refuse_ended(self, caller: Caller) -> None:
        """Raises `Unauthenticated`, saying why, where the caller's session or token was revoked."""
        end = self.revocations.end_of(caller.session_id, caller.family_id, caller.token_id)
        if end is not None:
            raise Unauthenticated(REASONS[end], error="invalid_token", reason=end.name)

    async def forget(self) -> int:
        """Drops what no session and no token needs any more; answers how much."""
        return await self.store.forget(self.now() - KEPT_AFTER_END)

    async def _again(self, token: str, client_id: str, by: Actor) -> tuple[LoginSession, str]:
        """The session and standing token of a family whose token was shown again."""
        now = self.now()
        shown = await self.store.presented(refreshing.fingerprint(token))
        if shown is None or shown.session.client_id != client_id or not shown.session.stands(now):
            raise InvalidGrant
        if shown.used_at is None or shown.salt is None:
            raise InvalidGrant
        if now - shown.used_at > self.lifetimes.grace:
            log.warning("session.token_replayed", session=shown.session.id, client=client_id)
            await self._end([shown.session], SessionEnd.REPLAYED, by)
            raise InvalidGrant
        following = refreshing.successor(token, shown.salt)
        standing = await self.store.presented(refreshing.fingerprint(following))
        if standing is None or standing.used_at is not None:
            raise InvalidGrant
        return standing.session, following

    async def _end(self, sessions: Sequence[LoginSession], end: SessionEnd, by: Actor) -> list[str]:
        now = self.now()
        until = now + timedelta(seconds=self.tokens.lifetime_seconds + 2 * SKEW_SECONDS)
        async with self.audit.writing():
            ended = await self.store.end(sessions, end, now, until)
            for session in sessions:
                if session.id in ended:
                    told = {"account": session.account_id, "reason": end.value}
                    await self.audit.record(by, Action.SESSION_ENDED, session.id, after=told)
        self.revocations.add([Revocation(id_, end, until) for id_ in ended])
        return ended


def _shortened(text: str | None) -> str | None:
    return None if text is None else text[:MAX_USER_AGENT]
