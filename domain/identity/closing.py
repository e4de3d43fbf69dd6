"""Closing an account: out of use at once, to be had back for thirty days, then gone with all there was."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from domain.identity.audit import Action, Actor, Audit
from domain.identity.letters import Letter, LetterKind, Letters
from domain.identity.links import LinkTokens, Purpose, digest_of, link_refused
from domain.identity.model import Account, SessionEnd
from domain.identity.recent import RecentAccounts
from domain.identity.recovery import Announce
from domain.identity.sessions import Sessions
from domain.platform.errors import UserErrorCode, refuse

log = structlog.get_logger(__name__)

GRACE = timedelta(days=30)
AT_ONCE = 20
CLOSED = "account.closed"
ERASED = "account.erased"


class ClosingStore(Protocol):
    """Of accounts, whether they are closed; and all that is kept of one."""

    async def close(self, account_id: str, at: datetime) -> Account | None:
        """The account, closed; nothing where it is gone or closed already."""
        ...

    async def reopen(self, account_id: str) -> Account | None:
        """The account, as it was; nothing where it is gone or was not closed."""
        ...

    async def due(self, closed_before: datetime, limit: int) -> Sequence[str]: ...

    async def erase(self, account_id: str, closed_before: datetime) -> bool:
        """Deletes all that is kept of an account but the audit log, in the transaction under way; whether it
        was still closed since then.
        """
        ...


@dataclass(frozen=True)
class Closing:
    """Closes, reopens, and erases."""

    store: ClosingStore
    sessions: Sessions
    recent: RecentAccounts
    letters: Letters
    tokens: LinkTokens
    announce: Announce
    hold: Callable[[str, Actor], Awaitable[object]]
    """Keeps an account, and who acts on it, as they are until the transaction ends; raises `Forbidden` where
    these administer nothing any more.
    """
    audit: Audit
    now: Callable[[], datetime]
    new_id: Callable[[], str]

    async def close(self, account_id: str, by: Actor) -> datetime:
        """Takes the account out of use and signs out everywhere; when it will be erased."""
        now = self.now()
        async with self.audit.writing():
            if by.account_id != account_id:
                await self.hold(account_id, by)
            account = await self.store.close(account_id, now)
            if account is None:
                raise refuse("This account is closed already.", UserErrorCode.CONFLICT)
            await self.sessions.end_all(account_id, SessionEnd.CLOSED, by)
            await self.announce(CLOSED, account_id, {"account": account_id})
            await self.audit.record(by, Action.ACCOUNT_CLOSED, account_id)
            await self._tell(LetterKind.ACCOUNT_DELETED, account, {"day": f"{now + GRACE:%Y-%m-%d}"})
            told = await self.sessions.refuse_account(account_id, SessionEnd.CLOSED)
        self.sessions.revocations.add([told])
        self.recent.forget(account_id)
        return now + GRACE

    async def close_any(self, account_id: str, by: Actor) -> datetime:
        """The same of somebody's, by an administrator; raises `Refused` for one's own and for none. Its owner
        is told, and can take it back; a suspended one stays so.
        """
        if account_id == by.account_id:
            raise refuse("You cannot close your own account here.", UserErrorCode.CONFLICT, "accountId")
        if await self.recent.get(account_id) is None:
            raise refuse("There is no such account.", UserErrorCode.NOT_FOUND, "accountId")
        return await self.close(account_id, by)

    async def reopen(self, token: str, by: Actor) -> Account:
        """The account, open again; raises `Refused` for a token that was used or has expired."""
        digest = digest_of(token)
        async with self.audit.writing():
            used = await self.tokens.use(digest, Purpose.RECOVER_ACCOUNT, self.now())
            account = used and await self.store.reopen(used.account_id)
            if not account:
                raise link_refused()
            await self.audit.record(by.known_as(account.id), Action.ACCOUNT_REOPENED, account.id)
            await self._tell(LetterKind.ACCOUNT_RECOVERED, account, {})
        self.recent.forget(account.id)
        return account

    async def erase_due(self) -> int:
        """Erases accounts that were closed thirty days ago, each on its own; how many are gone."""
        before = self.now() - GRACE
        gone = 0
        for account_id in await self.store.due(before, AT_ONCE):
            async with self.audit.writing():
                erased = await self.store.erase(account_id, before)
                if erased:
                    await self.audit.log.forget(account_id)
                    await self.announce(ERASED, account_id, {"account": account_id})
                    gone += 1
            self.recent.forget(account_id)
            log.info("account.erased", account=account_id, erased=erased)
        return gone

    async def _tell(self, kind: LetterKind, account: Account, details: dict[str, str]) -> None:
        if account.email is not None:
            await self.letters.post(Letter(self.new_id(), kind, account.email, self.now(), details))
