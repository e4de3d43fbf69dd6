"""Confirming who one is, before what must not be done by whoever finds a device unlocked."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from domain.identity.attempts import Allowance
from domain.identity.audit import Action, Actor
from domain.identity.challenges import Purpose
from domain.identity.factors import Asked, Factor, Given, SecondFactors
from domain.identity.model import Account, Caller, Method
from domain.identity.passwords import Passwords
from domain.identity.trying import take
from domain.platform.errors import Forbidden, StepUpRequired, UserErrorCode, refuse

FRESH = timedelta(minutes=10)
GUESSES = Allowance(attempts=10, seconds=60.0)


class Proofs(Protocol):
    """Until when the owner of a session has proven who they are."""

    async def until(self, session_id: str) -> datetime | None: ...
    async def prove(self, session_id: str, until: datetime) -> None: ...


class PasswordHashes(Protocol):
    """What passwords are checked against."""

    async def password_hash(self, account_id: str) -> str | None: ...


@dataclass(frozen=True)
class StepUp:
    """A proof holds for ten minutes, in one session, until another profile is chosen in it. Having signed in
    is one, if by all that is asked, but not where a profile limits who watches: it may be a parent who did.
    """

    factors: SecondFactors
    proofs: Proofs
    hashes: PasswordHashes
    passwords: Passwords
    hold: Callable[[str, str], Awaitable[Account]]
    """Keeps an account and its session in use until the transaction ends; raises `Unauthenticated`."""
    limited: Callable[[Caller], Awaitable[bool]]
    """Whether a viewing profile limits the caller now."""
    now: Callable[[], datetime]

    @asynccontextmanager
    async def proven(self, caller: Caller) -> AsyncIterator[Account]:
        """The account of a caller as `require` wants them. What is done inside is one transaction, in which
        the session stands: nobody leaves a way back behind after they were signed out, which raises
        `Unauthenticated`.
        """
        session_id, account_id = _session_of(caller)
        async with self.factors.audit.writing():
            account = await self.hold(account_id, session_id)
            await self.require(caller)
            yield account

    async def require(self, caller: Caller) -> None:
        """Raises `StepUpRequired`, saying what is accepted, and `Forbidden` where there is no session."""
        session_id, account_id = _session_of(caller)
        enrolled = await self.factors.store.enrolled(account_id)
        signed_in = caller.authenticated_at
        by_all = Method.MULTIPLE in caller.methods or (not enrolled.required and bool(caller.methods))
        fresh = signed_in is not None and self.now() - signed_in < FRESH
        if by_all and fresh and not await self.limited(caller):
            return
        until = await self.proofs.until(session_id)
        if until is None or until <= self.now():
            accepted = [factor.name for factor in await self.accepted(account_id)]
            raise StepUpRequired(
                "Confirm that it is you first, by `stepUp`.",
                accepted=accepted,
                maxAgeSeconds=int(FRESH.total_seconds()),
            )

    async def accepted(self, account_id: str) -> tuple[Factor, ...]:
        """The account's second factors; its password only where it has none."""
        return (await self.factors.store.enrolled(account_id)).factors or (Factor.PASSWORD,)

    async def begin(self, caller: Caller) -> Asked:
        """What a passkey is asked to sign, where there is one."""
        _, account_id = _session_of(caller)
        enrolled = await self.factors.store.enrolled(account_id)
        return await self.factors.ask_for(Purpose.STEP_UP, account_id, enrolled)

    async def by_password(self, caller: Caller, password: str, by: Actor) -> datetime:
        """Until when the proof holds; raises `Refused` for a wrong password, and where none does."""
        session_id, account_id = _session_of(caller)
        if Factor.PASSWORD not in await self.accepted(account_id):
            raise refuse("Use a second factor; the password does not do.", UserErrorCode.INVALID, "password")
        await take(self.factors.attempts, GUESSES, "change-password", account_id)
        if not await self.passwords.verify(await self.hashes.password_hash(account_id), password):
            raise refuse("This is not the password of the account.", UserErrorCode.CREDENTIALS, "password")
        return await self._proven(session_id, account_id, by)

    async def by_factor(
        self, caller: Caller, account: Account, given: Given, token: str | None, by: Actor
    ) -> datetime:
        """Until when the proof holds; raises `Refused` and `TooManyRequests` as `check` does."""
        session_id, account_id = _session_of(caller)
        challenge = None
        if given.passkey is not None:
            challenge = await self.factors.asked(token or "", Purpose.STEP_UP, account_id)
        await self.factors.check(account, given, challenge, by)
        return await self._proven(session_id, account_id, by)

    async def _proven(self, session_id: str, account_id: str, by: Actor) -> datetime:
        until = self.now() + FRESH
        async with self.factors.audit.writing():
            await self.proofs.prove(session_id, until)
            await self.factors.audit.record(by, Action.STEPPED_UP, account_id)
        return until


def _session_of(caller: Caller) -> tuple[str, str]:
    if caller.session_id is None or caller.account_id is None or caller.acting_id is not None:
        raise Forbidden("Only the owner may do this, signed in; no API key, and nobody on their behalf.")
    return caller.session_id, caller.account_id
