"""Second factors: an authenticator app, backup codes, passkeys; and whether somebody has one at hand."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

import structlog

from domain.identity import backup_codes, totp
from domain.identity.attempts import Allowance, AttemptLimit
from domain.identity.audit import Action, Actor, Audit
from domain.identity.challenges import (
    HOLDS,
    Challenge,
    Challenges,
    Purpose,
    challenge_refused,
    digest_of,
)
from domain.identity.letters import Letter, LetterKind, Letters
from domain.identity.model import Account, Method
from domain.identity.passkeys import Options, Passkey, PasskeyRefused, RelyingParty, credential_id_of
from domain.identity.sealing import Sealer
from domain.identity.trying import forgive, take
from domain.platform.errors import UserErrorCode, refuse

log = structlog.get_logger(__name__)

TRIES = Allowance(attempts=5, seconds=60.0)
CODES_A_DAY = Allowance(attempts=50, seconds=86_400.0)
"""Codes of an app are short: who knows the password and tries all day finds one in eighteen years."""
MAX_PASSKEYS = 20
MAX_BACKUP_CODES = 20
MAX_PASSKEY_NAME = 60
_WHAT = "second-factor"
_CODES = "codes-of-an-app"


class Factor(StrEnum):
    """By what somebody proves who they are."""

    PASSWORD = "password"  # noqa: S105 - a name
    """The password of the account."""
    TOTP = "totp"
    """A code of the authenticator app."""
    BACKUP_CODE = "backup_code"
    """One of the ten backup codes."""
    PASSKEY = "passkey"
    """A passkey."""


class Totp(NamedTuple):
    """What is kept of an authenticator app."""

    sealed: bytes
    confirmed_at: datetime | None
    last_step: int


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What an account has."""

    totp_confirmed_at: datetime | None = None
    backup_codes_left: int = 0
    passkeys: tuple[Passkey, ...] = ()

    @property
    def required(self) -> bool:
        """Whether a password alone does not do."""
        return self.totp_confirmed_at is not None or bool(self.passkeys)

    @property
    def factors(self) -> tuple[Factor, ...]:
        """The second factors that can be used."""
        has = {
            Factor.TOTP: self.totp_confirmed_at is not None,
            Factor.BACKUP_CODE: self.required and self.backup_codes_left > 0,
            Factor.PASSKEY: bool(self.passkeys),
        }
        return tuple(factor for factor, held in has.items() if held)


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody shows as a second factor: exactly one of these."""

    code: str | None = None
    backup_code: str | None = None
    passkey: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to a client: the token to answer it with, and what may be the answer."""

    token: str = field(repr=False)
    expires_at: datetime
    factors: tuple[Factor, ...]
    passkey_options: Options | None = None


class TotpSecret(NamedTuple):
    """What an authenticator app is set up with."""

    secret: str
    uri: str


class FactorStore(Protocol):
    """Second factors, by account. What takes one away voids sign-ins that are under way."""

    async def enrolled(self, account_id: str) -> Enrolled: ...
    async def totp(self, account_id: str) -> Totp | None: ...

    async def set_totp(self, account_id: str, sealed: bytes, at: datetime) -> bool:
        """Whether it was written: not over one that is confirmed."""
        ...

    async def use_step(self, account_id: str, step: int, confirm_at: datetime | None) -> bool:
        """Whether the step lies behind all that were used; of two at once, one does. May confirm the app."""
        ...

    async def remove_totp(self, account_id: str) -> bool: ...
    async def set_backup_codes(self, account_id: str, digests: Sequence[bytes]) -> None: ...

    async def use_backup_code(self, account_id: str, digests: Sequence[bytes]) -> bool:
        """Whether one of these stood until now."""
        ...

    async def passkey(self, credential_id: bytes) -> Passkey | None: ...

    async def add_passkey(self, passkey: Passkey) -> bool:
        """Whether it was added; not where its credential is known."""
        ...

    async def passkey_used(self, passkey_id: str, sign_count: int, at: datetime) -> bool:
        """Whether it is there still; until the transaction ends, it is."""
        ...

    async def remove_passkey(self, account_id: str, passkey_id: str) -> Passkey | None: ...


@dataclass(frozen=True)
class SecondFactors:
    """What accounts have as second factors, and whether what somebody shows is one."""

    store: FactorStore
    challenges: Challenges
    relying_party: RelyingParty
    sealer: Sealer
    letters: Letters
    attempts: AttemptLimit
    audit: Audit
    now: Callable[[], datetime]
    new_id: Callable[[], str]

    async def enrol_totp(self, account: Account, label: str | None = None) -> TotpSecret:
        """A secret for an app, which shows it as `label`; it counts once a code of it was shown.
        Raises `Refused` where there is one already.
        """
        secret = totp.new_secret()
        sealed = self.sealer.seal(secret.encode(), account.id)
        if not await self.store.set_totp(account.id, sealed, self.now()):
            raise refuse("There is an authenticator app already; remove it first.", UserErrorCode.CONFLICT)
        return TotpSecret(secret, totp.uri_of(secret, label or account.email or account.display_name))

    async def confirm_totp(self, account: Account, code: str, by: Actor) -> list[str]:
        """Turns the app on; answers backup codes where there were none. Raises `Refused` for a wrong code."""
        await take(self.attempts, TRIES, _WHAT, account.id)
        kept = await self.store.totp(account.id)
        if kept is None or kept.confirmed_at is not None:
            raise refuse("There is no authenticator app to confirm.", UserErrorCode.NOT_FOUND)
        async with self.audit.writing():
            if not await self._is_code(account.id, kept, code, confirm_at=self.now()):
                raise refuse(
                    "This is not the code that the app shows now.", UserErrorCode.CREDENTIALS, "code"
                )
            await self.audit.record(by, Action.TOTP_ADDED, account.id)
            await self._tell(LetterKind.SECOND_FACTOR_ADDED, account)
            codes = await self._first_codes(account.id)
        await forgive(self.attempts, _WHAT, account.id)
        return codes

    async def remove_totp(self, account: Account, by: Actor) -> bool:
        """Whether there was one."""
        async with self.audit.writing():
            if not await self.store.remove_totp(account.id):
                return False
            await self.audit.record(by, Action.TOTP_REMOVED, account.id)
            await self._tell(LetterKind.SECOND_FACTOR_REMOVED, account)
            await self._drop_useless_codes(account.id)
        return True

    async def renew_backup_codes(self, account: Account, count: int, by: Actor) -> list[str]:
        """New codes in place of all there were; raises `Refused` without another second factor."""
        if not 1 <= count <= MAX_BACKUP_CODES:
            raise refuse(f"There are 1 to {MAX_BACKUP_CODES} codes.", UserErrorCode.INVALID, "count")
        async with self.audit.writing():
            if not (await self.store.enrolled(account.id)).required:
                raise refuse("Add an authenticator app or a passkey first.", UserErrorCode.CONFLICT)
            codes = await self._new_codes(account.id, count)
            await self.audit.record(by, Action.BACKUP_CODES_RENEWED, account.id)
        return codes

    async def begin_passkey(self, account: Account) -> Asked:
        """How to make a passkey."""
        known = (await self.store.enrolled(account.id)).passkeys
        if len(known) >= MAX_PASSKEYS:
            raise refuse(f"An account has {MAX_PASSKEYS} passkeys at most.", UserErrorCode.LIMIT_REACHED)
        return await self.ask(
            Purpose.ADD_PASSKEY,
            account.id,
            (Factor.PASSKEY,),
            lambda nonce: self.relying_party.creation(account, known, nonce),
        )

    async def add_passkey(
        self, account: Account, token: str, credential: Mapping[str, Any], name: str, by: Actor
    ) -> tuple[Passkey, list[str]]:
        """The passkey that was made, and backup codes where there were none; raises `Refused`."""
        challenge = await self.asked(token, Purpose.ADD_PASSKEY, account.id)
        draft = Passkey(
            id=self.new_id(),
            account_id=account.id,
            credential_id=b"",
            public_key=b"",
            sign_count=0,
            transports=(),
            synced=False,
            name=_name_of(name),
            created_at=self.now(),
            last_used_at=None,
        )
        try:
            passkey = self.relying_party.created(credential, challenge.nonce, draft)
        except PasskeyRefused as reason:
            log.info("passkey.refused", reason=str(reason))
            raise refuse("This passkey cannot be used; try again.", UserErrorCode.CREDENTIALS) from None
        async with self.audit.writing():
            if not await self.challenges.close(challenge.digest):
                raise challenge_refused()
            if not await self.store.add_passkey(passkey):
                raise refuse("This passkey is known already.", UserErrorCode.CONFLICT)
            await self.audit.record(by, Action.PASSKEY_ADDED, account.id, after={"name": passkey.name})
            await self._tell(LetterKind.PASSKEY_ADDED, account, passkey=passkey.name)
            codes = await self._first_codes(account.id)
        return passkey, codes

    async def remove_passkey(self, account: Account, passkey_id: str, by: Actor) -> Passkey:
        """The one that is gone; raises `Refused` where there is no such."""
        async with self.audit.writing():
            passkey = await self.store.remove_passkey(account.id, passkey_id)
            if passkey is None:
                raise refuse("There is no such Passkey.", UserErrorCode.NOT_FOUND, "passkeyId")
            await self.audit.record(by, Action.PASSKEY_REMOVED, account.id, before={"name": passkey.name})
            await self._tell(LetterKind.PASSKEY_REMOVED, account, passkey=passkey.name)
            await self._drop_useless_codes(account.id)
        return passkey

    async def remove_all(self, account: Account, by: Actor) -> None:
        """Leaves the account without any second factor."""
        await self.remove_totp(account, by)
        for passkey in (await self.store.enrolled(account.id)).passkeys:
            await self.remove_passkey(account, passkey.id, by)

    async def forget(self) -> int:
        """Drops questions that do not stand any more; how many."""
        return await self.challenges.forget(self.now())

    async def ask(
        self,
        purpose: Purpose,
        account_id: str | None,
        factors: tuple[Factor, ...],
        options: Callable[[bytes], Options] | None = None,
    ) -> Asked:
        """A question that stands for five minutes."""
        token, nonce = secrets.token_urlsafe(32), secrets.token_bytes(32)
        expires_at = self.now() + HOLDS
        await self.challenges.add(Challenge(digest_of(token), purpose, account_id, nonce, expires_at))
        return Asked(token, expires_at, factors, None if options is None else options(nonce))

    async def ask_for(self, purpose: Purpose, account_id: str, enrolled: Enrolled) -> Asked:
        """The question for one of an account's second factors."""

        def options(nonce: bytes) -> Options:
            return self.relying_party.request(enrolled.passkeys, nonce)

        has_passkey = Factor.PASSKEY in enrolled.factors
        return await self.ask(purpose, account_id, enrolled.factors, options if has_passkey else None)

    async def asked(self, token: str, purpose: Purpose, account_id: str | None = None) -> Challenge:
        """The question that a token is of; raises `Refused` where it does not stand any more."""
        challenge = await self.challenges.find(digest_of(token), purpose, self.now())
        if challenge is None or account_id not in {None, challenge.account_id}:
            raise challenge_refused()
        return challenge

    async def check(
        self, account: Account, given: Given, challenge: Challenge | None, by: Actor
    ) -> tuple[Method, ...]:
        """By what methods somebody has proven to be the owner of an account.

        Raises `Refused` for what does not prove it, `TooManyRequests` after five tries within a minute, and
        after fifty codes of an app within a day; backup codes and passkeys go on then.
        """
        await take(self.attempts, TRIES, _WHAT, account.id)
        if given.code is not None:
            await take(self.attempts, CODES_A_DAY, _CODES, account.id)
        async with self.audit.writing():
            methods = await self._methods(account, given, challenge, by)
            # With the act of whoever asks: what was shown is used up only if that is done.
            if methods and challenge is not None and not await self.challenges.close(challenge.digest):
                raise challenge_refused()
        if not methods:
            await self.audit.record(by, Action.SECOND_FACTOR_FAILED, account.id)
            raise refuse("This does not prove that it is you; try again.", UserErrorCode.CREDENTIALS)
        await forgive(self.attempts, _WHAT, account.id)
        await forgive(self.attempts, _CODES, account.id)
        return methods

    async def _methods(
        self, account: Account, given: Given, challenge: Challenge | None, by: Actor
    ) -> tuple[Method, ...]:
        if given.code is not None:
            kept = await self.store.totp(account.id)
            fits = kept is not None and kept.confirmed_at is not None
            fits = fits and kept is not None and await self._is_code(account.id, kept, given.code)
            return (Method.ONE_TIME_CODE, Method.MULTIPLE) if fits else ()
        if given.backup_code is not None:
            digests = self.sealer.digests(backup_codes.plain(given.backup_code), account.id)
            if not await self.store.use_backup_code(account.id, digests):
                return ()
            await self.audit.record(by, Action.BACKUP_CODE_USED, account.id)
            await self._tell(LetterKind.BACKUP_CODE_USED, account)
            return (Method.ONE_TIME_CODE, Method.MULTIPLE)
        if given.passkey is not None and challenge is not None:
            passkey = await self.used_passkey(given.passkey, challenge)
            owned = passkey is not None and passkey.account_id == account.id
            return (Method.HARDWARE_KEY, Method.MULTIPLE) if owned else ()
        return ()

    async def used_passkey(self, credential: Mapping[str, Any], challenge: Challenge) -> Passkey | None:
        """The passkey that has signed a question; nothing where none of ours did."""
        try:
            passkey = await self.store.passkey(credential_id_of(credential))
            if passkey is None:
                return None
            count = self.relying_party.used(credential, challenge.nonce, passkey)
        except PasskeyRefused as reason:
            log.info("passkey.refused", reason=str(reason))
            return None
        if not await self.store.passkey_used(passkey.id, count, self.now()):
            return None
        return replace(passkey, sign_count=count)

    async def _is_code(
        self, account_id: str, kept: Totp, code: str, confirm_at: datetime | None = None
    ) -> bool:
        secret = self.sealer.open(kept.sealed, account_id).decode()
        step = totp.step_of(secret, code, self.now())
        return step is not None and await self.store.use_step(account_id, step, confirm_at)

    async def _first_codes(self, account_id: str) -> list[str]:
        enrolled = await self.store.enrolled(account_id)
        return [] if enrolled.backup_codes_left else await self._new_codes(account_id)

    async def _new_codes(self, account_id: str, count: int = backup_codes.CODES) -> list[str]:
        codes = backup_codes.new_codes(secrets.choice, count)
        digests = [self.sealer.digests(backup_codes.plain(code), account_id)[0] for code in codes]
        await self.store.set_backup_codes(account_id, digests)
        return codes

    async def _drop_useless_codes(self, account_id: str) -> None:
        if not (await self.store.enrolled(account_id)).required:
            await self.store.set_backup_codes(account_id, ())

    async def _tell(self, kind: LetterKind, account: Account, **details: str) -> None:
        if account.email is not None:
            await self.letters.post(Letter(self.new_id(), kind, account.email, self.now(), details))


def _name_of(text: str) -> str:
    name = " ".join(text.split())
    if not 1 <= len(name) <= MAX_PASSKEY_NAME or not name.isprintable():
        raise refuse(f"A name has 1 to {MAX_PASSKEY_NAME} characters.", UserErrorCode.INVALID, "name")
    return name
