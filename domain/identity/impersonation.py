"""Administrators who look at the service as one of its accounts: for a short time, on the record."""

from dataclasses import dataclass, replace
from typing import Final

from domain.identity.audit import Action, Actor, Audit
from domain.identity.model import Account, Caller, IssuedTokens, Role, Terms
from domain.identity.policy import NEEDS_CONSENT, Policy, Scope, granted
from domain.identity.sessions import InvalidGrant, Sessions
from domain.identity.tokens import UUID

SCOPES: Final[frozenset[str]] = granted([Role.VIEWER]) - NEEDS_CONSENT
"""What an owner does every day; nothing that signs in, or makes a device of theirs play."""


@dataclass(frozen=True)
class Impersonation:
    """Sessions in which somebody acts as another (RFC 8693): they cannot be refreshed."""

    sessions: Sessions
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

        Raises `InvalidGrant` for whoever is no administrator, or acts as somebody already, or whose session
        has ended, and for accounts that are an administrator's, their own among them, or not in use.
        """
        acting_id, acting_in = administrator.account_id, administrator.session_id
        if acting_id is None or acting_in is None or administrator.acting_id is not None:
            raise InvalidGrant
        # More than to look: an application that an administrator lets look must not become everybody.
        may = Role.ADMIN in administrator.roles and self.policy.holds(administrator, Scope.ADMIN_FULL)
        if not may or not UUID.fullmatch(account_id):
            raise InvalidGrant
        terms = wanted or Terms()
        scopes = SCOPES if terms.scopes is None else SCOPES & terms.scopes
        terms = replace(
            terms,
            scopes=scopes,
            methods=(),
            authenticated_at=None,
            acting_id=acting_id,
            acting_in=acting_in,
        )
        async with self.audit.writing():
            account = await self._held(acting_id, acting_in, account_id)
            tokens = await self.sessions.start(account, by, terms, client_id=client_id, refreshable=False)
            told = {"client": client_id, "session": tokens.session.id}
            await self.audit.record(
                by.known_as(acting_id), Action.ACCOUNT_IMPERSONATED, account.id, after=told
            )
        return tokens

    async def _held(self, acting_id: str, acting_in: str, account_id: str) -> Account:
        """The account, which may be acted as until the transaction ends; raises `InvalidGrant`."""
        store = self.sessions.store
        held = await store.held([acting_id, account_id])
        stands = await store.stands(acting_in, acting_id, self.sessions.now())
        administrator, account = held.get(acting_id), held.get(account_id)
        if administrator is None or account is None or not stands:
            raise InvalidGrant
        in_use = administrator.suspended_at is None and account.suspended_at is None
        if not in_use or Role.ADMIN not in administrator.roles or Role.ADMIN in account.roles:
            raise InvalidGrant
        return account
