"""Signing in with an account of somebody else's: Google, Apple, GitHub, or any provider of OpenID Connect."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, Protocol

from domain.identity.audit import Action, Actor, Audit
from domain.identity.model import Account, Role, Tier
from domain.identity.profile import MAX_NAME_CHARACTERS, email_of
from domain.platform.errors import Forbidden, UserErrorCode, refuse

NAMELESS: Final = "Viewer"
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class Outsider:
    """Somebody as a provider knows them, by its own id; the address counts if the provider has proven it."""

    provider: str
    subject: str
    email: str | None
    email_verified: bool
    name: str | None = None
    language: str | None = None


class Link(NamedTuple):
    """A provider that vouches for the owner of an account, since when."""

    provider: str
    linked_at: datetime


class LinkStore(Protocol):
    """Which accounts of ours belong to whom elsewhere."""

    async def linked(self, provider: str, subject: str) -> Account | None: ...

    async def by_email(self, email: str) -> Account | None: ...

    async def open(self, account: Account) -> bool:
        """Adds an account without a password, its address proven; not where that is another account's."""
        ...

    async def link(self, account_id: str, outsider: Outsider, at: datetime) -> bool:
        """Whether they belong together now; not where one of ours belongs to this subject already."""
        ...

    async def links(self, account_id: str) -> list[Link]:
        """Those of an account, oldest first."""
        ...

    async def unlink(self, account_id: str, provider: str) -> bool:
        """Whether they belonged together until now; voids sign-ins that are under way."""
        ...


@dataclass(frozen=True)
class Federation:
    """Finds, links or opens the account of whoever a provider vouches for."""

    store: LinkStore
    audit: Audit
    region: str
    """Where somebody is taken to watch who has not said."""
    now: Callable[[], datetime]
    new_id: Callable[[], str]

    async def account(self, outsider: Outsider, by: Actor) -> Account:
        """The account; raises `Refused` where none can be found, linked or opened, `Forbidden` for a
        suspended one.

        An account is linked by its address only where the provider has proven it and so have we: who has
        opened an account with the address of another must not be joined by them, nor they by him.
        """
        found = await self.store.linked(outsider.provider, outsider.subject)
        account = found or await self._joined(outsider, by)
        if account.suspended_at is not None:
            raise Forbidden("This account is suspended.")
        told = {"provider": outsider.provider}
        await self.audit.record(by.known_as(account.id), Action.SIGNED_IN, account.id, after=told)
        return account

    async def _joined(self, outsider: Outsider, by: Actor) -> Account:
        address = email_of(outsider.email or "")
        if address is None or not outsider.email_verified:
            raise refuse("The provider has not confirmed an e-mail address.", UserErrorCode.NOT_VERIFIED)
        async with self.audit.writing():
            account = await self.store.by_email(address)
            if account is None:
                account = await self._opened(outsider, address, by)
            elif account.email_verified_at is None:
                raise refuse(
                    "Sign in with your password, and confirm your address first.", UserErrorCode.CONFLICT
                )
            if not await self.store.link(account.id, outsider, self.now()):
                raise refuse("This was done already; begin again.", UserErrorCode.CONFLICT)
            told = {"provider": outsider.provider}
            await self.audit.record(by.known_as(account.id), Action.PROVIDER_LINKED, account.id, after=told)
        return account

    async def _opened(self, outsider: Outsider, address: str, by: Actor) -> Account:
        now = self.now()
        account = Account(
            id=self.new_id(),
            email=address,
            display_name=_name(outsider),
            region=self.region,
            language=outsider.language or "en",
            roles=(Role.VIEWER,),
            tier=Tier.FREE,
            created_at=now,
            suspended_at=None,
            email_verified_at=now,
        )
        if not await self.store.open(account):
            raise refuse("This was done already; begin again.", UserErrorCode.CONFLICT)
        await self.audit.record(by.known_as(account.id), Action.ACCOUNT_REGISTERED, account.id)
        return account


@dataclass(frozen=True)
class Links:
    """By which providers owners sign in, for them to see and to end.

    Who has ended all of them gets a password by a letter: what is linked has a proven address.
    """

    store: LinkStore
    audit: Audit

    async def of(self, account_id: str) -> list[Link]:
        return await self.store.links(account_id)

    async def remove(self, account_id: str, provider: str, by: Actor) -> None:
        """The provider signs in to the account no more; raises `Refused` where it did not."""
        async with self.audit.writing():
            if not await self.store.unlink(account_id, provider):
                raise refuse("No account of this provider is linked.", UserErrorCode.NOT_FOUND, "provider")
            await self.audit.record(by, Action.PROVIDER_UNLINKED, account_id, after={"provider": provider})


def _name(outsider: Outsider) -> str:
    return _UNPRINTABLE.sub(" ", outsider.name or "").strip()[:MAX_NAME_CHARACTERS] or NAMELESS
