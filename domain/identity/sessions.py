"""The one place where tokens are issued: sessions, their refresh tokens, and their end."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from domain.identity import refreshing
from domain.identity.audit import Action, Actor, Audit
from domain.identity.model import (
    FIRST_PARTY,
    Account,
    Caller,
    IssuedTokens,
    LoginSession,
    Role,
    SessionEnd,
    Terms,
)
from domain.identity.policy import granted, implied
from domain.identity.recent import RecentAccounts, RecentClients
from domain.identity.revocations import REASONS, Revocation, Revocations
from domain.identity.session_store import Rotation, SessionStore
from domain.identity.tokens import SKEW_SECONDS, Tokens
from domain.platform.errors import Forbidden, Unauthenticated, UserErrorCode, refuse

log = structlog.get_logger(__name__)

MAX_USER_AGENT = 400
KEPT_AFTER_END = timedelta(days=7)
TOLD_FOR = timedelta(seconds=60)
"""For how long every process is told that an account is out of use; each reads it anew every five seconds."""


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


@dataclass(frozen=True)
class Sessions:
    """Starts, refreshes and ends sessions, and says whom an access token stands for."""

    store: SessionStore
    tokens: Tokens
    recent: RecentAccounts
    clients: RecentClients
    revocations: Revocations
    lifetimes: Lifetimes
    audit: Audit
    now: Callable[[], datetime]
    new_id: Callable[[], str]

    async def sign_in(
        self, account: Account, by: Actor, terms: Terms | None = None, *, client_id: str = FIRST_PARTY
    ) -> IssuedTokens:
        """Tokens of a new session of whoever has just proven to be the owner, by what was read no earlier
        than `account`; raises `Refused` as `hold` does.
        """
        async with self.audit.writing():
            await self.hold(account)
            return await self.start(account, by, terms, client_id=client_id)

    async def hold(self, account: Account) -> None:
        """Keeps, until the transaction ends, what signs in to the account as it was when this was read;
        raises `Refused` where some of it was taken away since, or its sessions were ended.
        """
        if not await self.store.hold(account.id, account.sign_in_epoch):
            raise refuse(
                "What signs in to this account has changed in between; sign in again.", UserErrorCode.CONFLICT
            )

    async def hold_session(self, account_id: str, session_id: str) -> Account:
        """The account of a session, in use: both stay so until the transaction ends, and whoever ends them
        waits for what is done in it. Raises `Unauthenticated` where that was first.
        """
        account = (await self.store.held([account_id])).get(account_id)
        stands = await self.store.stands(session_id, account_id, self.now())
        if account is None or account.suspended_at is not None or not stands:
            raise Unauthenticated("This session has ended: sign in again.", error="invalid_token")
        return account

    async def hold_administrator(self, by: Actor) -> None:
        """Keeps who acts an administrator until the transaction ends; raises `Forbidden` where they are none
        any more, as another process may not know yet.
        """
        if by.account_id is None:
            return
        account = (await self.store.held([by.account_id])).get(by.account_id)
        if account is None or account.suspended_at is not None or Role.ADMIN not in account.roles:
            raise no_administrator()

    async def start(
        self,
        account: Account,
        by: Actor,
        terms: Terms | None = None,
        *,
        client_id: str = FIRST_PARTY,
        refreshable: bool = True,
    ) -> IssuedTokens:
        """Tokens of a new session. One that is not `refreshable` lapses with its access token."""
        now, terms = self.now(), terms or Terms()
        access = timedelta(seconds=self.tokens.lifetime_seconds)
        final_at = now + (self.lifetimes.absolute if refreshable else access)
        session = LoginSession(
            id=self.new_id(),
            family_id=self.new_id(),
            account_id=account.id,
            client_id=client_id,
            scopes=terms.scopes,
            methods=terms.methods,
            authenticated_at=terms.authenticated_at or now,
            created_at=now,
            last_used_at=now,
            expires_at=min(now + self.lifetimes.idle, final_at),
            final_at=final_at,
            address=by.address,
            user_agent=_shortened(by.user_agent),
            resources=terms.resources,
            key_thumbprint=terms.key_thumbprint,
            acting_id=terms.acting_id,
            acting_in=terms.acting_in,
        )
        token = refreshing.new_token()
        await self.store.add(session, refreshing.fingerprint(token))
        return IssuedTokens(session, self.tokens.issue(account, session), token)

    async def refresh(
        self,
        token: str,
        by: Actor,
        client_id: str = FIRST_PARTY,
        *,
        scopes: frozenset[str] | None = None,
        key_thumbprint: str | None = None,
    ) -> IssuedTokens:
        """New tokens for a refresh token, the access token for `scopes` alone where these are given; raises
        `InvalidGrant`, also where the session is bound to another key.

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
            key_thumbprint,
        )
        session = await self.store.rotate(rotation)
        if session is None:
            session, following = await self._again(token, rotation)
        account = await self.account(session.account_id)
        if account is None:
            raise InvalidGrant
        narrowed = session if scopes is None else replace(session, scopes=scopes)
        return IssuedTokens(session, self.tokens.issue(account, narrowed), following)

    async def end(self, account_id: str, ids: Iterable[str], end: SessionEnd, by: Actor) -> list[str]:
        """Ends those of these sessions that are the account's and stand; answers their ids."""
        wanted = set(ids)
        found = await self.store.standing(account_id, self.now())
        return await self._end([session for session in found if session.id in wanted], end, by)

    async def end_all(self, account_id: str, end: SessionEnd, by: Actor, but: str | None = None) -> list[str]:
        """Ends every session of the account but one, and those in which it acts as another, and voids what
        could still become one; answers the ids of those that ended.
        """
        now = self.now()
        async with self.audit.writing():
            # First, so that a session that comes of it at this moment is among those that are found.
            await self.store.withdraw(account_id, now)
            found = await self.store.standing(account_id, now) + await self.store.acting(account_id, now)
            return await self._end([session for session in found if session.id != but], end, by)

    async def end_acting(self, administrator_id: str, end: SessionEnd, by: Actor) -> list[str]:
        """Ends every session in which an administrator acts as somebody else; answers the ids."""
        return await self._end(await self.store.acting(administrator_id, self.now()), end, by)

    async def tie(self, caller: Caller, device_id: str) -> None:
        """The caller's session is on this device from now on, unless somebody acts on the owner's behalf."""
        if caller.session_id is not None and caller.acting_id is None:
            await self.store.tie(caller.session_id, device_id)

    async def device_of(self, caller: Caller) -> str | None:
        """The device that the caller's session is on, unless somebody acts on the owner's behalf."""
        if caller.session_id is None or caller.acting_id is not None:
            return None
        return await self.store.device_of(caller.session_id)

    async def others_on(self, caller: Caller, device_id: str) -> bool:
        """Whether a session of the account stands on a device that is not the caller's own."""
        found = await self.store.standing(str(caller.account_id), self.now())
        return any(session.device_id == device_id and session.id != caller.session_id for session in found)

    async def end_of_device(self, account_id: str, device_id: str, by: Actor) -> list[str]:
        """Ends every session of the account on a device; answers the ids."""
        found = await self.store.standing(account_id, self.now())
        on_it = [session for session in found if session.device_id == device_id]
        return await self._end(on_it, SessionEnd.DEVICE_REMOVED, by)

    async def end_of_client(self, client_id: str, by: Actor) -> list[str]:
        """Ends every session with a client that may do less than before, and voids what could still become
        one; answers the ids.
        """
        now = self.now()
        async with self.audit.writing():
            await self.store.withdraw_with(client_id, now)
            found = await self.store.standing_with(client_id, now)
            return await self._end(found, SessionEnd.ADMINISTRATOR, by)

    async def account(self, account_id: str) -> Account | None:
        """The account as it was a moment ago, if it is in use."""
        found = await self.recent.get(account_id)
        return None if found is None or found.suspended_at is not None else found

    async def refuse_account(self, account_id: str, end: SessionEnd) -> Revocation:
        """Puts on record, in the transaction under way, that keys of an account and what they opened count no
        more; what this process has to take note of once that is committed.
        """
        told = Revocation(account_id, end, self.now() + TOLD_FOR)
        await self.store.revoke(told)
        return told

    async def revoke_token(self, caller: Caller, by: Actor) -> None:
        """The access token of a service counts no more."""
        until = self.now() + timedelta(seconds=self.tokens.lifetime_seconds + 2 * SKEW_SECONDS)
        revoked = Revocation(str(caller.token_id), SessionEnd.SIGNED_OUT, until)
        async with self.audit.writing():
            await self.store.revoke(revoked)
            told = {"client": caller.client_id}
            await self.audit.record(by, Action.TOKEN_REVOKED, caller.token_id, after=told)
        self.revocations.add([revoked])

    async def identify(self, token: str) -> Caller:
        """Whom an access token stands for now; raises `Unauthenticated` for bad tokens, sessions that have
        ended and accounts not in use.

        What has changed since it was issued (roles, suspension, region) counts within five seconds.
        """
        caller = self.tokens.verify(token)
        self.refuse_ended(caller)
        if caller.account_id is None:
            return await self._service(caller)
        account = await self.account(caller.account_id)
        if account is None:
            raise Unauthenticated("This account is not in use any more.", error="invalid_token")
        if caller.acting_id is not None and not await self._administers(caller.acting_id):
            raise Unauthenticated("Whoever acts as this account may not any more.", error="invalid_token")
        return replace(
            caller,
            roles=caller.roles.intersection(account.roles),
            scopes=caller.scopes & granted(account.roles),
            tier=account.tier,
            region=account.region,
            may_be_limited=account.has_limits,
        )

    async def _administers(self, account_id: str) -> bool:
        account = await self.account(account_id)
        return account is not None and Role.ADMIN in account.roles

    async def _service(self, caller: Caller) -> Caller:
        """A service of its own, whose client is in use and may still do what the token says."""
        client = await self.clients.get(str(caller.client_id))
        if client is None or client.disabled_at is not None:
            raise Unauthenticated("This client is not in use any more.", error="invalid_token")
        return replace(caller, scopes=caller.scopes & implied(client.scopes), tier=client.tier)

    def refuse_ended(self, caller: Caller) -> None:
        """Raises `Unauthenticated`, saying why, where the caller's session or token was revoked."""
        end = self.revocations.end_of(caller.session_id, caller.family_id, caller.token_id)
        if end is not None:
            raise Unauthenticated(REASONS[end], error="invalid_token", reason=end.name)

    async def forget(self) -> int:
        """Drops what no session and no token needs any more; answers how much."""
        return await self.store.forget(self.now() - KEPT_AFTER_END)

    async def _again(self, token: str, rotation: Rotation) -> tuple[LoginSession, str]:
        """The session and standing token of a family whose token was shown again."""
        now = self.now()
        shown = await self.store.presented(rotation.old)
        if shown is None or not rotation.fits(shown.session) or not shown.session.stands(now):
            raise InvalidGrant
        if shown.used_at is None or shown.salt is None:
            raise InvalidGrant
        if now - shown.used_at > self.lifetimes.grace:
            log.warning("session.token_replayed", session=shown.session.id, client=rotation.client_id)
            await self._end([shown.session], SessionEnd.REPLAYED, rotation.by)
            raise InvalidGrant
        following = refreshing.successor(token, shown.salt)
        standing = await self.store.presented(refreshing.fingerprint(following))
        if standing is None or standing.used_at is not None:
            raise InvalidGrant
        return standing.session, following

    async def _end(self, sessions: Sequence[LoginSession], end: SessionEnd, by: Actor) -> list[str]:
        """With those in which somebody acts who began that in one of them."""
        now = self.now()
        until = now + timedelta(seconds=self.tokens.lifetime_seconds + 2 * SKEW_SECONDS)
        async with self.audit.writing():
            ended = await self.store.end(sessions, end, now, until)
            # Afterwards, as whoever begins to act in one of them is waited for.
            acting = await self.store.acting_in(ended, now)
            ended += await self.store.end(acting, end, now, until)
            for session in [*sessions, *acting]:
                if session.id in ended:
                    told = {"account": session.account_id, "reason": end.value}
                    await self.audit.record(by, Action.SESSION_ENDED, session.id, after=told)
        self.revocations.add([Revocation(id_, end, until) for id_ in ended])
        return ended


def no_administrator() -> Forbidden:
    return Forbidden("You are no administrator any more.")


def _shortened(text: str | None) -> str | None:
    return None if text is None else text[:MAX_USER_AGENT]
