"""Administrators who look at the service as one of its accounts: for a short time, on the record."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final

from domain.identity.audit import Action, Actor, Audit
from domain.identity.model import Account, Caller, IssuedTokens, Role, Terms
from domain.identity.policy import NEEDS_CONSENT, Policy, Scope, granted
from domain.identity.sessions import InvalidGrant, Sessions

SCOPES: Final[frozenset[str]] = granted([Role.VIEWER]) - NEEDS_CONSENT
"""What an owner does every day; nothing that signs in, or makes a device of theirs play."""


@dataclass(frozen=True)
class Impersonation:
    """Sessions in which somebody acts as another (RFC 8693): they cannot be refreshed."""

    sessions: Sessions
    account: Callable[[str], Awaitable[Account | None]]
    """The account, if it is in use."""
    policy: Policy
    audit: Audit

    async def start(
        self,
        administrator: Caller,
        account_id: str,
        client_id: str,
        by: Actor,
        wanted: Terms | None = None,
    ) -> IssuedTokens:
        """Tokens of a session of the account, for what is wanted of `SCOPES`, its resources and its key.

        Raises `InvalidGrant` for whoever is no administrator, or acts as somebody already, and for accounts
        that are an administrator's, their own among them, or not in use.
        """
        acting_id = administrator.account_id
        if acting_id is None or administrator.acting_id is not None:
            raise InvalidGrant
        account = await self.account(account_id)
        # More than to look: an application that an administrator lets look must not become everybody.
        may = Role.ADMIN in administrator.roles and self.policy.holds(administrator, Scope.ADMIN_FULL)
        if not may or account is None or Role.ADMIN in account.roles:
            raise InvalidGrant
        terms = wanted or Terms()
        scopes = SCOPES if terms.scopes is None else SCOPES & terms.scopes
        terms = replace(terms, scopes=scopes, methods=(), authenticated_at=None, acting_id=acting_id)
        async with self.audit.writing():
            tokens = await self.sessions.start(account, by, terms, client_id=client_id, refreshable=False)
            told = {"client": client_id, "session": tokens.session.id}
            await self.audit.record(
                by.known_as(acting_id), Action.ACCOUNT_IMPERSONATED, account.id, after=told
            )
        return tokens
