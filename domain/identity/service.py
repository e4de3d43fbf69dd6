"""What accounts can do, and the ports they ask."""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from domain.identity.attempts import Allowance, AttemptLimit
from domain.identity.audit import Action, Actor, Audit, differences
from domain.identity.letters import Letter, LetterKind, Letters
from domain.identity.model import Account, Role, Tier
from domain.identity.passwords import Passwords
from domain.identity.profile import Profile, email_of, normalised, registered
from domain.identity.recent import RecentAccounts
from domain.platform.errors import Forbidden, TooManyRequests, UserErrorCode, refuse

SIGN_INS = Allowance(attempts=10, seconds=60.0)
DEFAULT_LANGUAGE = "en"


class Credentials(NamedTuple):
    """An account and what its password is checked against."""

    account: Account
    password_hash: str | None


class AccountStore(Protocol):
    """Addresses come in lower case; a key that is missing from an answer has nothing."""

    async def accounts(self, ids: Sequence[str]) -> Mapping[str, Account]: ...
    async def credentials(self, email: str) -> Credentials | None: ...

    async def demonstration(self, name: str) -> Account | None:
        """The demonstration account whose address begins with `name@`."""
        ...

    async def add(self, account: Account, password_hash: str) -> bool:
        """Whether it was added; not where the address is another account's."""
        ...

    async def locked(self, account_id: str) -> Account | None:
        """The account as it stays until the transaction ends, whoever else would change it."""
        ...

    async def change_profile(self, account_id: str, profile: Profile) -> Account | None:
        """The changed account, or nothing where there is none."""
        ...

    async def renew_password_hash(self, account_id: str, old: str, new: str) -> None:
        """Writes `new` unless the hash is no longer `old`."""
        ...


@dataclass(frozen=True)
class Accounts:
    """Who people are: registration, passwords, profiles."""

    store: AccountStore
    recent: RecentAccounts
    passwords: Passwords
    attempts: AttemptLimit
    audit: Audit
    letters: Letters
    now: Callable[[], datetime]
    new_id: Callable[[], str]
    verified_only: bool = False
    """Whether only who has proven an address may sign in."""

    async def register(self, email: str, password: str, profile: Profile, by: Actor) -> Account:
        """A new account; raises `Refused` with everything that is wrong, or where the address is taken.

        `profile` has at least a name and a region.
        """
        address, profile = registered(email, password, profile)
        account = Account(
            id=self.new_id(),
            email=address,
            display_name=profile.display_name or "",
            region=profile.region or "",
            language=profile.language or DEFAULT_LANGUAGE,
            roles=(Role.VIEWER,),
            tier=Tier.FREE,
            created_at=self.now(),
            suspended_at=None,
        )
        password_hash = await self.passwords.hash(password)
        async with self.audit.writing():
            if not await self.store.add(account, password_hash):
                raise refuse("This e-mail address already has an account.", UserErrorCode.CONFLICT, "email")
            await self.audit.record(by.known_as(account.id), Action.ACCOUNT_REGISTERED, account.id)
            await self.letters.post(Letter(self.new_id(), LetterKind.VERIFY_EMAIL, address, self.now()))
        return account

    async def sign_in(self, email: str, password: str, by: Actor) -> Account:
        """The account whose password this is.

        Raises `Refused` alike, and after the same work, for an address that is unknown and a password that
        is wrong; `TooManyRequests` from the eleventh attempt within a minute on one address from one client;
        `Forbidden` for a suspended account whose password is right.
        """
        address = email_of(email)
        await self._take_attempt(address or email, by.address)
        found = await self.store.credentials(address or "")
        fits = await self.passwords.verify(found and found.password_hash, password)
        if not fits or found is None or found.password_hash is None:
            await self._failed(by, found and found.account, "credentials")
            raise refuse("E-mail address and password do not belong together.", UserErrorCode.CREDENTIALS)
        account = found.account
        if account.suspended_at is not None:
            await self._failed(by, account, "suspended")
            if account.closed_at is not None:
                raise Forbidden("This account is closed; the link in the letter opens it again.")
            raise Forbidden("This account is suspended.")
        if self.verified_only and account.email_verified_at is None:
            await self._failed(by, account, "unverified")
            raise refuse(
                "Confirm your e-mail address first, by the link in the letter.", UserErrorCode.NOT_VERIFIED
            )
        if self.passwords.outdated(found.password_hash):
            renewed = await self.passwords.hash(password)
            await self.store.renew_password_hash(account.id, found.password_hash, renewed)
        await self.audit.record(by.known_as(account.id), Action.SIGNED_IN, account.id)
        return account

    async def update_profile(self, account_id: str, profile: Profile, by: Actor) -> Account:
        """The changed account; raises `Refused` with everything that is wrong."""
        wanted = normalised(profile)
        async with self.audit.writing():
            account = await self.store.locked(account_id)
            changed = await self.store.change_profile(account_id, wanted)
            if account is None or changed is None:
                raise refuse("This account is gone.", UserErrorCode.NOT_FOUND)
            if changed != account:
                await self.audit.record(
                    by, Action.PROFILE_CHANGED, account_id, *differences(account, changed)
                )
        self.recent.forget(account_id)
        return changed

    async def named(self, name: str) -> Account | None:
        """The account with this address, or the demonstration account with this first part of one."""
        address = email_of(name)
        if address is None:
            return await self.store.demonstration(name.strip().lower())
        found = await self.store.credentials(address)
        return None if found is None else found.account

    async def _failed(self, by: Actor, account: Account | None, reason: str) -> None:
        await self.audit.record(
            by, Action.SIGN_IN_FAILED, None if account is None else account.id, after={"reason": reason}
        )

    async def _take_attempt(self, address: str, client: str | None) -> None:
        # Hashed, so that keys are short and no address lies open in the store of the limits.
        who = hashlib.sha256(f"{address}\0{client or ''}".encode(errors="surrogatepass")).hexdigest()
        wait = await self.attempts.attempt(f"sign-in:{who}", SIGN_INS)
        if wait > 0:
            seconds = math.ceil(wait)
            raise TooManyRequests(
                f"Too many attempts to sign in; try again in {seconds} seconds.", retryAfter=seconds
            )
