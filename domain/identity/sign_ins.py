"""Signing in, where a password may not be all that is asked for."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from domain.identity.audit import Action, Actor
from domain.identity.challenges import Purpose, challenge_refused
from domain.identity.factors import Asked, Factor, Given, SecondFactors
from domain.identity.model import Account, Method
from domain.identity.service import AccountStore
from domain.platform.errors import Forbidden, UserErrorCode, refuse


@dataclass(frozen=True)
class SignIns:
    """The second step of signing in, and signing in with a passkey alone."""

    accounts: AccountStore
    factors: SecondFactors
    hold: Callable[[Account], Awaitable[None]]
    """Keeps what signs in to an account as it is until the transaction ends; raises `Refused` where it has
    changed since this was read.
    """
    verified_only: bool = False
    """Whether an account can be used only once its address is confirmed."""

    async def second_step(self, account: Account) -> Asked | None:
        """What is asked of somebody who has taken the first step, by the account as it was then; nothing
        where that is enough. Raises `Refused` as `hold` does.
        """
        enrolled = await self.factors.store.enrolled(account.id)
        if not enrolled.required:
            return None
        async with self.factors.audit.writing():
            await self.hold(account)
            return await self.factors.ask_for(Purpose.SIGN_IN, account.id, enrolled)

    async def second_step_again(self, token: str) -> Asked:
        """The same question, for whoever answered it wrong; raises `Refused` where it does not stand."""
        challenge = await self.factors.asked(token, Purpose.SIGN_IN)
        account_id = str(challenge.account_id)
        enrolled = await self.factors.store.enrolled(account_id)
        options = None
        if Factor.PASSKEY in enrolled.factors:
            options = self.factors.relying_party.request(enrolled.passkeys, challenge.nonce)
        return Asked(token, challenge.expires_at, enrolled.factors, options)

    async def complete(
        self, token: str, given: Given, by: Actor, first: Method = Method.PASSWORD
    ) -> tuple[Account, tuple[Method, ...]]:
        """Who has signed in, by what methods, of which `first` was the first step; raises `Refused` and
        `TooManyRequests` as `check` does.
        """
        challenge = await self.factors.asked(token, Purpose.SIGN_IN)
        account = await self._usable(challenge.account_id)
        methods = await self.factors.check(account, given, challenge, by)
        return account, (first, *methods)

    async def begin_passkey(self) -> Asked:
        """What a browser asks any passkey of ours to sign."""
        return await self.factors.ask(
            Purpose.PASSKEY_SIGN_IN,
            None,
            (Factor.PASSKEY,),
            lambda nonce: self.factors.relying_party.request((), nonce),
        )

    async def complete_passkey(
        self, token: str, credential: Mapping[str, Any], by: Actor
    ) -> tuple[Account, tuple[Method, ...]]:
        """Who has signed in; raises `Refused`. The authenticator has seen a PIN, a face or a finger: that
        makes two factors.
        """
        challenge = await self.factors.asked(token, Purpose.PASSKEY_SIGN_IN)
        async with self.factors.audit.writing():
            passkey = await self.factors.used_passkey(credential, challenge)
            if passkey is not None:
                if not await self.factors.challenges.close(challenge.digest):
                    raise challenge_refused()
                # Whoever removes the passkey waits until this has been read, and then voids it.
                account = await self._usable(passkey.account_id)
                return account, (Method.HARDWARE_KEY, Method.MULTIPLE)
        await self.factors.audit.record(by, Action.SIGN_IN_FAILED, None, after={"reason": "passkey"})
        raise refuse("This passkey belongs to no account here.", UserErrorCode.CREDENTIALS)

    async def _usable(self, account_id: str | None) -> Account:
        found = {} if account_id is None else await self.accounts.accounts([account_id])
        account = found.get(account_id or "")
        if account is None:
            raise challenge_refused()
        if account.suspended_at is not None:
            raise Forbidden("This account is suspended.")
        if self.verified_only and account.email_verified_at is None:
            raise refuse(
                "Confirm your e-mail address first, by the link in the letter.", UserErrorCode.NOT_VERIFIED
            )
        return account
