"""The audit log: who did what to what, written in the same transaction as the act, and never changed.

async with self.audit.writing():
    before = await self.store.locked(account_id)
    after = await self.store.change_profile(account_id, profile)
    await self.audit.record(by, Action.PROFILE_CHANGED, account_id, *differences(before, after))
"""

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

MAX_USER_AGENT_CHARACTERS = 400
SECRETS = frozenset({"password", "secret", "hash", "token", "pin", "code", "verifier", "key"})
"""Words that the name of a value in the log does not have."""
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")

Values = Mapping[str, Any]
"""What JSON can say, by names in camel case or words joined by underscores."""


class Action(StrEnum):
    """Every act that is recorded; the only list of them. The first word is the kind of thing acted on."""

    ACCOUNT_REGISTERED = "account.registered"
    """An account was opened."""
    PROFILE_CHANGED = "account.profile_changed"
    """Its name, region or language changed."""
    ACCOUNT_SUSPENDED = "account.suspended"
    """An administrator took it out of use."""
    ACCOUNT_RESTORED = "account.restored"
    """An administrator put it back into use."""
    ROLES_CHANGED = "account.roles_changed"
    """It was given other roles."""
    TIER_CHANGED = "account.tier_changed"
    """Its subscription covers something else."""
    SIGNED_IN = "account.signed_in"
    """Somebody proved to be its owner."""
    SIGN_IN_FAILED = "account.sign_in_failed"
    """Somebody did not prove to be its owner, or the account is not in use."""
    EMAIL_VERIFIED = "account.email_verified"
    """The link in a letter proved its address."""
    EMAIL_CHANGE_ASKED = "account.email_change_asked"
    """Its owner wants it to have another address."""
    EMAIL_CHANGED = "account.email_changed"
    """The link in a letter to another address made that its own."""
    PASSWORD_CHANGED = "account.password_changed"  # noqa: S105 - a name
    """Its owner chose another password."""
    PASSWORD_RESET = "account.password_reset"  # noqa: S105 - a name
    """The link in a letter let somebody choose another password."""
    PROVIDER_LINKED = "account.provider_linked"
    """Its owner proved to be somebody whom another provider knows."""
    ACCOUNT_IMPERSONATED = "account.impersonated"
    """An administrator began to act as it."""
    TOTP_ADDED = "account.totp_added"
    """An authenticator app was set up."""
    TOTP_REMOVED = "account.totp_removed"
    """The authenticator app was removed."""
    PASSKEY_ADDED = "account.passkey_added"
    """A passkey was added."""
    PASSKEY_REMOVED = "account.passkey_removed"
    """A passkey was removed."""
    BACKUP_CODES_RENEWED = "account.backup_codes_renewed"
    """All backup codes were replaced."""
    BACKUP_CODE_USED = "account.backup_code_used"
    """A backup code was used up."""
    SECOND_FACTOR_FAILED = "account.second_factor_failed"
    """What somebody showed as a second factor was none."""
    PARENTAL_PIN_SET = "account.parental_pin_set"
    """The PIN was set that lifts what limits profiles."""
    PARENTAL_PIN_FAILED = "account.parental_pin_failed"
    """Somebody entered another PIN."""
    VIEWING_PROFILE_CREATED = "viewing_profile.created"
    """Somebody who watches was added."""
    VIEWING_PROFILE_CHANGED = "viewing_profile.changed"
    """A profile, or what limits it, was changed."""
    VIEWING_PROFILE_DELETED = "viewing_profile.deleted"
    """A profile was deleted."""
    ACCOUNT_CLOSED = "account.closed"
    """Its owner closed it."""
    ACCOUNT_REOPENED = "account.reopened"
    """Its owner took it back, by the link in a letter."""
    DATA_EXPORTED = "account.data_exported"
    """Its owner got a copy of all there is."""
    STEPPED_UP = "account.stepped_up"
    """Its owner confirmed who they are."""
    PROVIDER_UNLINKED = "account.provider_unlinked"
    """An account of another provider signs in to it no more."""
    CLIENT_AUTHORIZED = "account.client_authorized"
    """Its owner let an application act for it."""
    CLIENT_REGISTERED = "client.registered"
    """An application was registered."""
    CLIENT_CHANGED = "client.changed"
    """What an application may do, or how it is called, was changed."""
    CLIENT_CREDENTIALS_ROTATED = "client.credentials_rotated"
    """An application proves itself by another secret."""
    CLIENT_DISABLED = "client.disabled"
    """An application can act no more."""
    TOKEN_REVOKED = "token.revoked"  # noqa: S105 - its name
    """An access token of a service was revoked."""
    SESSION_ENDED = "session.ended"
    """A session was ended before its time."""

    API_KEY_CREATED = "api_key.created"
    """A key was made."""
    API_KEY_REVOKED = "api_key.revoked"
    """A key was revoked."""
    SIGNING_KEY_ADDED = "signing_key.added"
    """A key was published that tokens are going to be signed with."""
    SIGNING_KEY_RETIRED = "signing_key.retired"
    """A key was dropped, as no token that it signed can still hold."""
    RATE_LIMIT_CHANGED = "rate_limit.changed"
    """A limit was set."""
    RATE_LIMIT_RESET = "rate_limit.reset"
    """A limit went back to its default."""

    COST_BUDGET_CHANGED = "cost_budget.changed"
    """What callers of a kind may spend was set."""
    COST_BUDGET_RESET = "cost_budget.reset"
    """What they may spend went back to the setting of the process."""
    ANNOUNCED = "announcement.published"
    """Something was announced to everybody, or to a region."""
    ANNOUNCEMENT_WITHDRAWN = "announcement.withdrawn"
    """An announcement was ended before its time."""

    @property
    def resource_type(self) -> str:
        """The kind of thing that is acted on."""
        return self.value.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and from where; everything open is the system itself."""

    account_id: str | None = None
    """Who really acts."""
    on_behalf_of: str | None = None
    """Whose account they act in, where it is not their own (the subject of a token with `act`)."""
    address: str | None = None
    """Of the peer."""
    user_agent: str | None = None
    request_id: str | None = None

    def known_as(self, account_id: str) -> "Actor":
        """The same, now that they proved to be this account."""
        return replace(self, account_id=account_id)


SYSTEM = Actor()


@dataclass(frozen=True, slots=True)
class Entry:
    """One act. `before` and `after` hold what changed by it, or what else is worth knowing."""

    action: Action
    by: Actor
    resource_id: str | None
    before: Values | None
    after: Values | None
    at: datetime


class AuditLog(Protocol):
    """Keeps entries; nothing in it is changed or dropped."""

    def writing(self) -> AbstractAsyncContextManager[object]:
        """A transaction: what this task writes inside commits together, or not at all."""
        ...

    async def add(self, entry: Entry) -> None: ...

    async def forget(self, account_id: str) -> int:
        """Blanks values, addresses and user agents in the entries about an account that is gone: that
        somebody acted, and when, stays. How many there were; none while the account exists.
        """
        ...


@dataclass(frozen=True)
class Audit:
    """What use cases record their acts with."""

    log: AuditLog
    now: Callable[[], datetime]

    def writing(self) -> AbstractAsyncContextManager[object]:
        """A transaction for an act and its record."""
        return self.log.writing()

    async def record(
        self,
        by: Actor,
        action: Action,
        resource_id: str | None = None,
        before: Values | None = None,
        after: Values | None = None,
    ) -> None:
        """Records an act in the transaction that the task is in; raises `ValueError` for what looks like a
        secret, as nothing can be taken out of the log again.
        """
        _refuse_secrets(before or {})
        _refuse_secrets(after or {})
        agent = None if by.user_agent is None else by.user_agent[:MAX_USER_AGENT_CHARACTERS]
        await self.log.add(
            Entry(action, replace(by, user_agent=agent), resource_id, before, after, self.now())
        )


def differences(before: Any, after: Any) -> tuple[Values, Values]:
    """What differs between two values of one dataclass, as it was and as it is, in values of JSON."""
    names = [each.name for each in fields(before) if getattr(before, each.name) != getattr(after, each.name)]
    return (
        {name: _plain(getattr(before, name)) for name in names},
        {name: _plain(getattr(after, name)) for name in names},
    )


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple | list | set | frozenset):
        return [_plain(each) for each in value]
    return value


def _refuse_secrets(values: Values) -> None:
    for name, value in values.items():
        if SECRETS.intersection(word.lower() for word in _WORD.findall(name)):
            raise ValueError(f"{name} looks like a secret, which the audit log does not take")
        if isinstance(value, Mapping):
            _refuse_secrets(value)
