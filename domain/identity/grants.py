"""What owners of accounts grant to clients: authorisation codes, and the codes that devices show."""

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol

import structlog

from domain.identity.attempts import Allowance, AttemptLimit
from domain.identity.audit import Action, Actor, Audit
from domain.identity.clients import OAuthClient, fingerprint
from domain.identity.model import Account, IssuedTokens, LoginSession, SessionEnd, Terms
from domain.identity.sessions import InvalidGrant, Sessions
from domain.platform.errors import TooManyRequests

log = structlog.get_logger(__name__)

CODE_LIFETIME: Final = timedelta(minutes=5)
DEVICE_CODE_LIFETIME: Final = timedelta(minutes=15)
KEPT_AFTER: Final = timedelta(days=1)
INTERVAL_SECONDS: Final = 5
SLOWER_SECONDS: Final = 5
USER_CODE_ALPHABET: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without 0, O, 1 and I, which people mistake for each other."""
USER_CODE_LENGTH: Final = 8
USER_CODES: Final = Allowance(attempts=10, seconds=600.0)
"""Codes that one account may try: with 32⁸ codes, nobody finds one that somebody waits for."""
_USER_CODE: Final = re.compile(f"[{USER_CODE_ALPHABET}]{{{USER_CODE_LENGTH}}}")


@dataclass(frozen=True, slots=True)
class Code:
    """What an authorisation code stands for."""

    client_id: str
    account_id: str
    redirect_uri: str
    challenge: str
    """The PKCE challenge (RFC 7636), by S256."""
    terms: Terms
    expires_at: datetime
    nonce: str | None = None
    used_at: datetime | None = None
    session_id: str | None = None
    """The session that came of it."""


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """A device that waits for somebody to allow it in (RFC 8628)."""

    user_code: str
    client_id: str
    scopes: frozenset[str]
    resources: tuple[str, ...]
    key_thumbprint: str | None
    interval_seconds: int
    expires_at: datetime
    address: str | None
    too_soon: bool = False
    """Whether the device asked before its interval was over."""
    account_id: str | None = None
    terms: Terms | None = None
    denied_at: datetime | None = None
    used_at: datetime | None = None

    @property
    def decided(self) -> bool:
        return self.account_id is not None or self.denied_at is not None


class Pushed(NamedTuple):
    """The parameters of an authorisation request that its client has sent ahead (RFC 9126)."""

    client_id: str
    parameters: Sequence[tuple[str, str]]


class DeviceStarted(NamedTuple):
    """The two codes of a device, and how it is to ask."""

    device_code: str
    user_code: str
    expires_seconds: int
    interval_seconds: int


class GrantStore(Protocol):
    """Codes come as fingerprints, but for user codes."""

    async def add_code(self, code: bytes, granted: Code) -> None: ...

    async def code(self, code: bytes) -> Code | None: ...

    async def use_code(self, code: bytes, session_id: str, at: datetime) -> bool:
        """Whether this was its first use."""
        ...

    async def push(self, reference: bytes, pushed: Pushed, expires_at: datetime) -> None: ...

    async def pushed(self, reference: bytes, now: datetime) -> Pushed | None: ...

    async def add_device(self, code: bytes, waiting: DeviceCode) -> bool:
        """Whether it was added; not where its user code is another's."""
        ...

    async def poll_device(self, code: bytes, at: datetime, slower_seconds: int) -> DeviceCode | None:
        """The device's state, having noted that it asked; a device that asks too soon has to wait longer."""
        ...

    async def waiting_device(self, user_code: str, now: datetime) -> DeviceCode | None:
        """The device that shows this code, if nobody has decided about it."""
        ...

    async def decide(self, user_code: str, account_id: str | None, terms: Terms | None, at: datetime) -> bool:
        """Allows it in as an account, or denies it; whether it was still waiting."""
        ...

    async def use_device(self, code: bytes, at: datetime) -> bool:
        """Whether this was the first use of an allowed device's code."""
        ...

    async def client_may(self, client_id: str, terms: Terms) -> bool:
        """Whether a client in use may have such tokens; until the transaction ends, it may."""
        ...

    async def forget(self, before: datetime) -> int: ...


@dataclass(frozen=True)
class Grants:
    """Grants what owners allow, and turns it into sessions, once."""

    store: GrantStore
    sessions: Sessions
    attempts: AttemptLimit
    audit: Audit
    now: Callable[[], datetime]

    async def authorize(self, code: str, granted: Code, session_id: str, by: Actor) -> None:
        """Keeps what a new authorisation code stands for, which the account allows in this session; raises
        `Unauthenticated` where that has ended.
        """
        async with self.audit.writing():
            await self.sessions.hold_session(granted.account_id, session_id)
            await self.store.add_code(fingerprint(code), granted)
            told = {"client": granted.client_id, "scopes": sorted(granted.terms.scopes or ())}
            await self.audit.record(by, Action.CLIENT_AUTHORIZED, granted.account_id, after=told)

    async def code(self, code: str, client_id: str, by: Actor) -> Code | None:
        """What a code of this client stands for. One that was used before ends the session that came of it,
        as somebody else has the code (RFC 9700, section 4.5).
        """
        found = await self.store.code(fingerprint(code))
        if found is None or found.client_id != client_id:
            return None
        if found.used_at is not None:
            await self._replayed(found, by)
            return None
        return found if self.now() < found.expires_at else None

    async def redeem(
        self, code: str, granted: Code, account: Account, by: Actor, *, refreshable: bool
    ) -> IssuedTokens:
        """Tokens of a new session; raises `InvalidGrant` for all but the first who redeem a code."""
        try:
            return await self._redeemed(code, granted, account, by, refreshable=refreshable)
        except InvalidGrant:
            await self.code(code, granted.client_id, by)  # somebody else was first: then that is a replay
            raise

    async def push(
        self, reference: bytes, client_id: str, parameters: Sequence[tuple[str, str]], seconds: int
    ) -> None:
        """Keeps the parameters of a request for a moment, by the fingerprint of a reference to them."""
        await self.store.push(
            reference, Pushed(client_id, parameters), self.now() + timedelta(seconds=seconds)
        )

    async def pushed(self, reference: bytes) -> Pushed | None:
        return await self.store.pushed(reference, self.now())

    async def start_device(
        self,
        client: OAuthClient,
        scopes: frozenset[str],
        resources: tuple[str, ...],
        key_thumbprint: str | None,
        by: Actor,
    ) -> DeviceStarted:
        """The codes of a device that wants to be allowed in."""
        device_code, expires_at = secrets.token_urlsafe(32), self.now() + DEVICE_CODE_LIFETIME
        while True:
            user_code = "".join(secrets.choice(USER_CODE_ALPHABET) for _ in range(USER_CODE_LENGTH))
            waiting = DeviceCode(
                user_code=user_code,
                client_id=client.id,
                scopes=scopes,
                resources=resources,
                key_thumbprint=key_thumbprint,
                interval_seconds=INTERVAL_SECONDS,
                expires_at=expires_at,
                address=by.address,
            )
            if await self.store.add_device(fingerprint(device_code), waiting):
                seconds = int(DEVICE_CODE_LIFETIME.total_seconds())
                return DeviceStarted(device_code, shown(user_code), seconds, INTERVAL_SECONDS)

    async def poll(self, device_code: str) -> DeviceCode | None:
        return await self.store.poll_device(fingerprint(device_code), self.now(), SLOWER_SECONDS)

    async def waiting(self, user_code: str, account_id: str) -> DeviceCode | None:
        """The device that shows this code and waits; raises `TooManyRequests` from the eleventh code on that
        an account tries within ten minutes.
        """
        wait = await self.attempts.attempt(f"user-code:{account_id}", USER_CODES)
        if wait > 0:
            raise TooManyRequests("Too many codes were tried.", retryAfter=int(wait) + 1)
        written = read(user_code)
        return None if written is None else await self.store.waiting_device(written, self.now())

    async def allow(self, device: DeviceCode, session: LoginSession, by: Actor) -> bool:
        """Lets the device in as the account that allows it in this session; whether it still waited. Raises
        `Unauthenticated` where the session has ended.
        """
        account_id = session.account_id
        terms = Terms(
            scopes=device.scopes,
            methods=session.methods,
            authenticated_at=session.authenticated_at,
            resources=device.resources,
            key_thumbprint=device.key_thumbprint,
        )
        async with self.audit.writing():
            await self.sessions.hold_session(account_id, session.id)
            done = await self.store.decide(device.user_code, account_id, terms, self.now())
            if done:
                told = {"client": device.client_id, "scopes": sorted(device.scopes)}
                await self.audit.record(by, Action.CLIENT_AUTHORIZED, account_id, after=told)
        return done

    async def deny(self, device: DeviceCode) -> bool:
        return await self.store.decide(device.user_code, None, None, self.now())

    async def admit(
        self, device_code: str, device: DeviceCode, account: Account, by: Actor, *, refreshable: bool
    ) -> IssuedTokens:
        """Tokens of a new session of an allowed device, once; else raises `InvalidGrant`."""
        terms = device.terms or Terms(frozenset())
        async with self.audit.writing():
            if not await self.store.client_may(device.client_id, terms):
                raise InvalidGrant
            if not await self.store.use_device(fingerprint(device_code), self.now()):
                raise InvalidGrant
            return await self.sessions.start(
                account, by, terms, client_id=device.client_id, refreshable=refreshable
            )

    async def forget(self) -> int:
        """Drops codes that are long over; answers how many."""
        return await self.store.forget(self.now() - KEPT_AFTER)

    async def _redeemed(
        self, code: str, granted: Code, account: Account, by: Actor, *, refreshable: bool
    ) -> IssuedTokens:
        async with self.audit.writing():
            if not await self.store.client_may(granted.client_id, granted.terms):
                raise InvalidGrant
            tokens = await self.sessions.start(
                account, by, granted.terms, client_id=granted.client_id, refreshable=refreshable
            )
            if not await self.store.use_code(fingerprint(code), tokens.session.id, self.now()):
                raise InvalidGrant
        return tokens

    async def _replayed(self, code: Code, by: Actor) -> None:
        log.warning("authorization_code.replayed", client=code.client_id, session=code.session_id)
        if code.session_id is not None:
            await self.sessions.end(code.account_id, [code.session_id], SessionEnd.REPLAYED, by)


def shown(user_code: str) -> str:
    """A user code as people read it: ABCD-EFGH."""
    half = USER_CODE_LENGTH // 2
    return f"{user_code[:half]}-{user_code[half:]}"


def read(written: str) -> str | None:
    """The user code that somebody wrote, in any case and with anything between; nothing if it is none."""
    code = re.sub(r"[^A-Z0-9]", "", written[:64].upper())
    return code if _USER_CODE.fullmatch(code) else None
