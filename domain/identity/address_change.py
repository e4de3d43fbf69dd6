"""Moving an account to another e-mail address: the new one has to be proven, and the old one is told."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.identity.attempts import AttemptLimit
from domain.identity.audit import Action, Actor, Audit
from domain.identity.letters import ADDRESSEE, Letter, LetterKind, Letters
from domain.identity.links import LinkTokens, Purpose, digest_of, link_refused
from domain.identity.model import Account, SessionEnd
from domain.identity.profile import email_of
from domain.identity.recent import RecentAccounts
from domain.identity.recovery import RESENDS, RESETS, SESSIONS_ENDED, Announce, Ended
from domain.identity.sessions import Sessions
from domain.identity.trying import take
from domain.platform.errors import UserErrorCode, refuse


class AddressStore(Protocol):
    """Of accounts, their addresses."""

    async def locked(self, account_id: str) -> Account | None: ...

    async def change_email(self, account_id: str, address: str, at: datetime) -> Account | None:
        """The account with another address, which is proven; nothing where somebody has it already."""
        ...


@dataclass(frozen=True)
class AddressChange:
    """Asked for by the owner, done by a link that only the new address is sent."""

    store: AddressStore
    recent: RecentAccounts
    letters: Letters
    tokens: LinkTokens
    sessions: Sessions
    announce: Announce
    attempts: AttemptLimit
    audit: Audit
    now: Callable[[], datetime]
    new_id: Callable[[], str]

    async def request(self, account: Account, email: str, by: Actor) -> None:
        """Posts a letter with a link to the new address, unless somebody has it, which nobody is told; and
        one to the old address, in case that somebody else asks.

        Raises `Refused` for what is no other address, `TooManyRequests` after three within an hour.
        """
        address = email_of(email)
        if address is None:
            raise refuse(
                "This is not an e-mail address such as ada@example.org.", UserErrorCode.INVALID, "email"
            )
        if address == account.email:
            raise refuse("This is the address of the account already.", UserErrorCode.CONFLICT, "email")
        await take(self.attempts, RESETS, "change-email", account.id)
        await take(self.attempts, RESENDS, "change-email-to", address)
        async with self.audit.writing():
            await self._post(LetterKind.CHANGE_EMAIL, address, account)
            if account.email is not None:
                await self._post(LetterKind.EMAIL_CHANGE_ASKED, account.email, account)
            await self.audit.record(by, Action.EMAIL_CHANGE_ASKED, account.id, after={"email": address})

    async def change(self, token: str, by: Actor) -> tuple[Account, Ended]:
        """The account at its new address, signed out everywhere; raises `Refused` for a token that was used
        or has expired, and where somebody has the address by now. Links sent to the old address end.
        """
        digest = digest_of(token)
        async with self.audit.writing():
            used = await self.tokens.use(digest, Purpose.CHANGE_EMAIL, self.now())
            before = None if used is None else await self.store.locked(used.account_id)
            if used is None or before is None or before.suspended_at is not None:
                raise link_refused()
            account = await self.store.change_email(before.id, used.address, self.now())
            if account is None:
                raise link_refused()
            await self.tokens.drop(account.id)
            by = by.known_as(account.id)
            ids = await self.sessions.end_all(account.id, SessionEnd.EMAIL_CHANGED, by)
            ended = Ended(sessions=len(ids), tokens=len(ids))
            counts = {"sessions": ended.sessions, "tokens": ended.tokens}
            reason = Action.EMAIL_CHANGED.value
            await self.announce(
                SESSIONS_ENDED, account.id, {"account": account.id, **counts, "reason": reason}
            )
            told = {"email": account.email, **counts}
            await self.audit.record(by, Action.EMAIL_CHANGED, account.id, {"email": before.email}, told)
            if before.email is not None:
                await self._post(LetterKind.EMAIL_CHANGED, before.email, account)
        self.recent.forget(account.id)
        return account, ended

    async def _post(self, kind: LetterKind, address: str, account: Account) -> None:
        await self.letters.post(Letter(self.new_id(), kind, address, self.now(), {ADDRESSEE: account.id}))
