"""What administrators do to accounts; every act of theirs is on record, and none is done to themselves."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from domain.identity.api_keys import ApiKey
from domain.identity.audit import Action, Actor, Audit, Values, differences
from domain.identity.clients import OAuthClient
from domain.identity.model import Account, LoginSession, Role, SessionEnd, Tier
from domain.identity.recent import RecentAccounts
from domain.identity.sessions import Sessions, no_administrator
from domain.platform.errors import BadInput, UserErrorCode, refuse
from domain.platform.paging import Cut, Page

MAX_REASON: Final = 500
ACTIVITY: Final = 20


class AccountStatus(StrEnum):
    """Whether an account can be used."""

    ACTIVE = "active"
    """It can."""
    SUSPENDED = "suspended"
    """An administrator took it out of use."""


class AccountOrder(StrEnum):
    """How accounts are listed."""

    NEWEST = "newest"
    """Latest opened first."""
    EMAIL = "email"
    """By address."""
    NAME = "name"
    """By what they are called."""


@dataclass(frozen=True, slots=True)
class AccountFilter:
    """Which accounts; what is open does not matter. Accounts without an address are never among them."""

    search: str | None = None
    """A part of the address or the name, in any case."""
    status: AccountStatus | None = None
    role: Role | None = None


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries; what is open does not matter."""

    since: datetime | None = None
    until: datetime | None = None
    """Before this."""
    account_id: str | None = None
    """Who acted, or on whose behalf."""
    actions: tuple[str, ...] | None = None
    resource_type: str | None = None
    resource_id: str | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An entry as it stands in the log."""

    id: int
    occurred_at: datetime
    action: str
    account_id: str | None
    on_behalf_of: str | None
    resource_type: str
    resource_id: str | None
    before: Values | None
    after: Values | None
    address: str | None
    user_agent: str | None
    request_id: str | None


class AdministrationStore(Protocol):
    async def accounts(self, wanted: AccountFilter, order: AccountOrder, cut: Cut) -> Page[Account]: ...

    async def entries(self, wanted: AuditFilter, cut: Cut) -> Page[AuditEntry]:
        """Latest first."""
        ...

    async def activity(self, account_ids: Sequence[str]) -> Mapping[str, list[AuditEntry]]:
        """The last twenty things that each account did, latest first."""
        ...

    async def sessions(self, account_ids: Sequence[str], now: datetime) -> Mapping[str, list[LoginSession]]:
        """Those that have neither ended nor lapsed, used last first."""
        ...

    async def keys(self, account_ids: Sequence[str]) -> Mapping[str, list[ApiKey]]:
        """Newest first."""
        ...

    async def clients(self, search: str | None, cut: Cut) -> Page[OAuthClient]:
        """Applications by a part of their name, in any case, oldest first."""
        ...

    async def locked(self, account_ids: Sequence[str]) -> Mapping[str, Account]:
        """The accounts as they stay until the transaction ends, whoever else would change them; always taken
        in the same order.
        """
        ...

    async def put(self, account: Account) -> None:
        """Writes what administrators decide: roles, tier, whether its address is confirmed."""
        ...

    async def suspend(self, account_id: str, at: datetime) -> Account | None:
        """The account, suspended; nothing where an administrator did that before. That its owner has closed
        it is another thing: who takes it back takes back a suspended one.
        """
        ...

    async def restore(self, account_id: str) -> Account | None:
        """The account, suspended no more; nothing where it was not."""
        ...


@dataclass(frozen=True)
class Administration:
    """Accounts and the audit log, as administrators see and change them."""

    store: AdministrationStore
    sessions: Sessions
    recent: RecentAccounts
    audit: Audit
    now: Callable[[], datetime]

    async def suspend(self, account_id: str, reason: str, by: Actor) -> Account:
        """Takes an account out of use: its sessions end, and its keys count for nothing, in every process
        within a second. Raises `Refused` for one's own and for none.
        """
        self._not_oneself(account_id, by, "You cannot suspend yourself.")
        why = reason.strip()
        if len(why) > MAX_REASON or not why.isprintable():
            raise refuse(f"A reason has up to {MAX_REASON} characters.", UserErrorCode.INVALID, "reason")
        async with self.audit.writing():
            before = await self.hold(account_id, by)
            account = await self.store.suspend(account_id, self.now())
            if account is None:
                return before
            await self.audit.record(by, Action.ACCOUNT_SUSPENDED, account_id, after={"reason": why})
            await self.sessions.end_all(account_id, SessionEnd.SUSPENDED, by)
            told = await self.sessions.refuse_account(account_id, SessionEnd.SUSPENDED)
        self.sessions.revocations.add([told])
        self.recent.forget(account_id)
        return account

    async def restore(self, account_id: str, by: Actor) -> Account:
        """Puts an account back into use, unless its owner has closed it: they sign in again, and its keys
        count within two minutes.
        """
        async with self.audit.writing():
            before = await self.hold(account_id, by)
            account = await self.store.restore(account_id)
            if account is None:
                return before
            await self.audit.record(by, Action.ACCOUNT_RESTORED, account_id, *differences(before, account))
        self.recent.forget(account_id)
        return account

    async def set_roles(self, account_id: str, roles: Sequence[Role], by: Actor) -> Account:
        """Gives an account these roles, which all are viewers besides; what a role that is gone allowed is
        refused within five seconds. Raises `Refused` for one's own, so that nobody locks everybody out.
        """
        self._not_oneself(account_id, by, "You cannot change your own roles.")
        kept = tuple(role for role in Role if role is Role.VIEWER or role in roles)
        account = await self._change(
            account_id, by, Action.ROLES_CHANGED, lambda account: replace(account, roles=kept)
        )
        if Role.ADMIN not in kept:
            await self.sessions.end_acting(account_id, SessionEnd.ADMINISTRATOR, by)
        return account

    async def set_tier(self, account_id: str, tier: Tier, by: Actor) -> Account:
        """What the account's subscription covers from now on."""
        return await self._change(
            account_id, by, Action.TIER_CHANGED, lambda account: replace(account, tier=tier)
        )

    async def verify_email(self, account_id: str, by: Actor) -> Account:
        """Takes an account's address for confirmed, as whoever owns it could not."""
        return await self._change(
            account_id,
            by,
            Action.EMAIL_VERIFIED,
            lambda account: replace(account, email_verified_at=account.email_verified_at or self.now()),
        )

    async def standing(self, account_ids: Sequence[str]) -> Mapping[str, list[LoginSession]]:
        """Where accounts are signed in, used last first."""
        return await self.store.sessions(account_ids, self.now())

    async def end_sessions(self, account_id: str, by: Actor) -> int:
        """Signs an account out everywhere; how many sessions ended."""
        return len(await self.sessions.end_all(account_id, SessionEnd.ADMINISTRATOR, by))

    async def _change(
        self, account_id: str, by: Actor, action: Action, change: Callable[[Account], Account]
    ) -> Account:
        async with self.audit.writing():
            account = await self.hold(account_id, by)
            changed = change(account)
            if changed == account:
                return account
            await self.store.put(changed)
            await self.audit.record(by, action, account_id, *differences(account, changed))
        self.recent.forget(account_id)
        return changed

    async def hold(self, account_id: str, by: Actor) -> Account:
        """An account, as it and who acts on it stay until the transaction ends. Raises `Forbidden` where
        these administer nothing any more: of two who do away with each other one stays.
        """
        found = await self.store.locked([account_id] + ([by.account_id] if by.account_id else []))
        if by.account_id is not None:
            acting = found.get(by.account_id)
            if acting is None or acting.suspended_at is not None or Role.ADMIN not in acting.roles:
                raise no_administrator()
        account = found.get(account_id)
        if account is None:
            raise refuse("There is no such account.", UserErrorCode.NOT_FOUND, "accountId")
        return account

    def _not_oneself(self, account_id: str, by: Actor, message: str) -> None:
        if account_id == by.account_id:
            raise refuse(message, UserErrorCode.CONFLICT, "accountId")


def known_actions(names: Sequence[str] | None) -> tuple[str, ...] | None:
    """The actions of a filter; raises `BadInput` for one that there is not."""
    if names is None:
        return None
    known = {action.value for action in Action}
    for name in names:
        if name not in known:
            raise BadInput(f"There is no action {name[:100]}.", argument="actions")
    return tuple(names)
