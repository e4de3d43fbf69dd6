"""Proving an address, and getting or setting another password."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from domain.identity.attempts import Allowance, AttemptLimit
from domain.identity.audit import Action, Actor, Audit
from domain.identity.letters import Letter, LetterKind, Letters
from domain.identity.links import LinkToken, LinkTokens, Purpose, digest_of, link_refused
from domain.identity.model import Account, SessionEnd
from domain.identity.passwords import Passwords, weaknesses
from domain.identity.profile import email_of
from domain.identity.recent import RecentAccounts
from domain.identity.sessions import Sessions
from domain.identity.trying import take
from domain.platform.errors import Refused, UserErrorCode, refuse

RESENDS = Allowance(attempts=1, seconds=60.0)
RESETS = Allowance(attempts=3, seconds=3_600.0)
CHANGES = Allowance(attempts=10, seconds=60.0)
SESSIONS_ENDED = "auth.sessions_invalidated"


class Ended(NamedTuple):
    """How many sessions ended, and how many refresh tokens died with them."""

    sessions: int
    tokens: int


Announce = Callable[[str, str, Mapping[str, Any]], Awaitable[None]]
"""Tells the outside of an event, by topic, key and payload, in the transaction under way."""


class RecoveryStore(Protocol):
    """Of accounts, what recovery changes."""

    async def verify_email(self, account_id: str, address: str, at: datetime) -> Account | None:
        """The account, its address proven; nothing where it has another address by now."""
        ...

    async def password_hash(self, account_id: str) -> str | None: ...

    async def set_password(
        self, account_id: str, password_hash: str, instead_of: str | None = None
    ) -> Account | None:
        """The account; nothing, and nothing set, where its hash is another than `instead_of` by now."""
        ...


@dataclass(frozen=True)
class Recovery:
    """What letters prove, and passwords that change."""

    store: RecoveryStore
    recent: RecentAccounts
    passwords: Passwords
    letters: Letters
    tokens: LinkTokens
    sessions: Sessions
    announce: Announce
    attempts: AttemptLimit
    audit: Audit
    evict: Callable[[Account, Actor], Awaitable[None]]
    """Takes away what else signs in to an account."""
    now: Callable[[], datetime]
    new_id: Callable[[], str]

    async def resend_verification(self, email: str) -> None:
        """Posts the letter again, to whoever has to prove this address; does not say whether somebody has.

        Raises `Refused` for what is no address, `TooManyRequests` within a minute of the last.
        """
        address = _address(email)
        await take(self.attempts, RESENDS, "verify-email", address)
        await self._post(LetterKind.VERIFY_EMAIL, address)

    async def verify_email(self, token: str, by: Actor) -> Account:
        """The account, its address proven; raises `Refused` for a token that was used or has expired."""
        digest = digest_of(token)
        async with self.audit.writing():
            used = await self.tokens.use(digest, Purpose.VERIFY_EMAIL, self.now())
            account = used and await self.store.verify_email(used.account_id, used.address, self.now())
            if not account:
                raise link_refused()
            await self.audit.record(by.known_as(account.id), Action.EMAIL_VERIFIED, account.id)
        self.recent.forget(account.id)
        return account

    async def request_reset(self, email: str) -> None:
        """Posts a letter with a link, to whoever has this address; says nothing of whether somebody does.

        Raises `Refused` for what is no address, `TooManyRequests` after three within an hour.
        """
        address = _address(email)
        await take(self.attempts, RESETS, "reset-password", address)
        await self._post(LetterKind.RESET_PASSWORD, address)

    async def address_to_reset(self, token: str) -> str | None:
        """Where the token was sent; None where it would not be accepted now."""
        try:
            sent = await self._sent(token)
        except Refused:
            return None
        return None if sent is None else sent.address

    async def reset_password(self, token: str, password: str, by: Actor) -> Ended:
        """Sets the password and signs out everywhere; where nobody had proven the address before, API keys
        and second factors go too, as somebody else may have made them. Raises `Refused` for a token that was
        used or has expired, and for a weak password, which leaves the token to be used with a better one.
        """
        if await self._sent(token) is None:
            raise link_refused()
        password_hash = await self._hashed(password)
        async with self.audit.writing():
            used = await self.tokens.use(digest_of(token), Purpose.RESET_PASSWORD, self.now())
            if used is None:
                raise link_refused()
            # Whoever got the letter has the address, so this proves it as well.
            now, by = self.now(), by.known_as(used.account_id)
            account = await self.store.verify_email(used.account_id, used.address, now)
            if account is not None and account.email_verified_at == now:
                await self.evict(account, by)
            account = await self.store.set_password(used.account_id, password_hash)
            if account is None:
                raise refuse("This account is gone.", UserErrorCode.NOT_FOUND)
            return await self._replaced(account, None, Action.PASSWORD_RESET, by)

    async def change_password(
        self, account_id: str, current: str, password: str, keep: str | None, by: Actor
    ) -> Ended:
        """Sets the password and signs out everywhere but in the session `keep`.

        Raises `Refused` for a wrong or a weak password, `TooManyRequests` after ten tries in a minute.
        """
        await take(self.attempts, CHANGES, "change-password", account_id)
        known = await self.store.password_hash(account_id)
        if not await self.passwords.verify(known, current):
            raise refuse(
                "This is not the password of the account.", UserErrorCode.CREDENTIALS, "currentPassword"
            )
        password_hash = await self._hashed(password)
        async with self.audit.writing():
            # Of two who change it at once, who is second may be somebody whom the first locks out.
            account = await self.store.set_password(account_id, password_hash, instead_of=known)
            if account is None:
                raise refuse("The password was changed in between.", UserErrorCode.CONFLICT)
            return await self._replaced(account, keep, Action.PASSWORD_CHANGED, by)

    async def _replaced(self, account: Account, keep: str | None, action: Action, by: Actor) -> Ended:
        """What another password entails, in the transaction that sets it."""
        account_id = account.id
        # Whoever else asked for a letter (to move the account to their address, say) gets no further.
        await self.tokens.drop(account_id)
        ids = await self.sessions.end_all(account_id, SessionEnd.PASSWORD_CHANGED, by, keep)
        ended = Ended(sessions=len(ids), tokens=len(ids))
        counts = {"sessions": ended.sessions, "tokens": ended.tokens}
        await self.announce(
            SESSIONS_ENDED, account_id, {"account": account_id, **counts, "reason": action.value}
        )
        await self.audit.record(by, action, account_id, after=counts)
        if account.email is not None:
            await self._post(LetterKind.PASSWORD_CHANGED, account.email)
        self.recent.forget(account_id)
        return ended

    async def _hashed(self, password: str) -> str:
        if broken := weaknesses(password):
            raise Refused(*broken)
        return await self.passwords.hash(password)

    async def _sent(self, token: str) -> LinkToken | None:
        return await self.tokens.find(digest_of(token), Purpose.RESET_PASSWORD, self.now())

    async def _post(self, kind: LetterKind, address: str) -> None:
        await self.letters.post(Letter(self.new_id(), kind, address, self.now()))


def _address(email: str) -> str:
    address = email_of(email)
    if address is None:
        raise refuse("This is not an e-mail address such as ada@example.org.", UserErrorCode.INVALID, "email")
    return address
