"""API keys: what scripts and servers of an account's owner sign in with.

A key is shown once; we keep its first characters, by which it is found and recognised, and its fingerprint.
Its last six characters are a checksum, so that what somebody made up or mistyped costs no look-up.
"""

import asyncio
import hashlib
import hmac
import re
import secrets
import string
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol
from zlib import crc32

import structlog

from domain.identity.audit import Action, Actor, Audit
from domain.identity.model import Account, Caller, SessionEnd
from domain.identity.policy import Scope, granted, implied
from domain.identity.recent import Recent
from domain.identity.revocations import Revocation, Revocations
from domain.platform.errors import GatewayError, Refused, Unauthenticated, UserError, UserErrorCode, refuse

log = structlog.get_logger(__name__)

MARK: Final = "mg_live_"
SECRET_CHARACTERS: Final = 32
CHECKSUM_CHARACTERS: Final = 6
PREFIX_CHARACTERS: Final = 20
"""Of the key as a whole, by which it is found: 12 random ones."""
DEFAULT_PER_MINUTE: Final = 60
MOST_PER_MINUTE: Final = 6_000
MOST_KEYS: Final = 50
MAX_NAME_CHARACTERS: Final = 100
NOTE_EVERY_SECONDS: Final = 10.0
REMEMBERED_SECONDS: Final = 60.0
"""For how long a revocation is told to all processes; each asks for a key anew every five seconds."""

GRANTABLE: Final = frozenset(Scope) - {Scope.WRITE_SECURITY}
"""What a key may grant: none makes another key, or ends sessions."""

_ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_KEY: Final = re.compile(rf"{MARK}[0-9A-Za-z]{{{SECRET_CHARACTERS}}}")
_INVALID: Final = "The API key is not valid, has expired or was revoked."


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as we know it; `prefix` is what its owner recognises it by."""

    id: str
    account_id: str
    name: str
    prefix: str
    fingerprint: bytes = field(repr=False)
    scopes: tuple[Scope, ...]
    per_minute: int
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    def stands(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class NewKey(NamedTuple):
    """A key that was just made, with its text, which nobody can be told again."""

    key: ApiKey
    text: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a key is to be."""

    name: str
    scopes: tuple[str, ...]
    per_minute: int = DEFAULT_PER_MINUTE
    expires_in_days: int | None = None


class ApiKeyStore(Protocol):
    """Revoked keys stay, so that their owner sees what became of them."""

    async def add(self, key: ApiKey, most: int) -> bool:
        """Whether it was added; not where the account has `most` that are not revoked."""
        ...

    async def by_prefix(self, prefixes: Sequence[str]) -> Mapping[str, ApiKey]: ...

    async def of(self, account_id: str) -> list[ApiKey]:
        """Those of an account, newest first."""
        ...

    async def found(self, ids: Sequence[str]) -> Mapping[str, ApiKey]: ...

    async def revoke(
        self, ids: Iterable[str], at: datetime, end: SessionEnd, until: datetime
    ) -> list[ApiKey]:
        """Revokes those that are not revoked yet, and puts them on record for every process."""
        ...

    async def note_use(self, uses: Mapping[str, datetime]) -> None:
        """When keys were used last, by id; never earlier than is known already."""
        ...


@dataclass
class ApiKeys:
    """Makes, knows and revokes keys."""

    store: ApiKeyStore
    accounts: Recent[Account]
    revocations: Revocations
    audit: Audit
    now: Callable[[], datetime]
    new_id: Callable[[], str]

    def __post_init__(self) -> None:
        self._recent: Recent[ApiKey] = Recent(self.store.by_prefix)
        self._used: dict[str, datetime] = {}

    async def create(self, owner: Caller, wanted: Wanted, by: Actor) -> NewKey:
        """A new key of the caller's; raises `Refused` for what it must not be, or for one too many.

        It grants no more than its maker holds.
        """
        assert owner.account_id is not None  # noqa: S101 - the field's guard looked
        scopes = _checked(wanted, owner)
        text = new_text()
        now = self.now()
        days = wanted.expires_in_days
        key = ApiKey(
            id=self.new_id(),
            account_id=owner.account_id,
            name=wanted.name.strip(),
            prefix=text[:PREFIX_CHARACTERS],
            fingerprint=fingerprint(text),
            scopes=tuple(sorted(scopes)),
            per_minute=wanted.per_minute,
            created_at=now,
            expires_at=None if days is None else now + timedelta(days=days),
        )
        async with self.audit.writing():
            if not await self.store.add(key, MOST_KEYS):
                raise refuse(
                    f"An account has up to {MOST_KEYS} keys: revoke one first.", UserErrorCode.LIMIT_REACHED
                )
            told = {"account": key.account_id, "prefix": key.prefix, "scopes": list(key.scopes)}
            await self.audit.record(by, Action.API_KEY_CREATED, key.id, after=told)
        return NewKey(key, text)

    async def revoke(self, account_id: str, key_id: str, by: Actor) -> ApiKey:
        """Revokes one of the account's keys, which every process knows within a second; raises `Refused`
        where it has no such key.
        """
        found = (await self.store.found([key_id])).get(key_id)
        if found is None or found.account_id != account_id:
            raise refuse("There is no such API key.", UserErrorCode.NOT_FOUND, "keyId")
        revoked = await self._revoke([key_id], SessionEnd.REVOKED, by)
        return revoked[0] if revoked else found

    async def revoke_any(self, key_id: str, by: Actor) -> ApiKey:
        """The same of anybody's key, by an administrator."""
        found = (await self.store.found([key_id])).get(key_id)
        if found is None:
            raise refuse("There is no such API key.", UserErrorCode.NOT_FOUND, "keyId")
        revoked = await self._revoke([key_id], SessionEnd.ADMINISTRATOR, by)
        return revoked[0] if revoked else found

    async def revoke_all(self, account_id: str, by: Actor) -> None:
        """Revokes every key of an account."""
        ids = [key.id for key in await self.store.of(account_id) if key.revoked_at is None]
        if ids:
            await self._revoke(ids, SessionEnd.PASSWORD_CHANGED, by)

    async def identify(self, text: str) -> Caller:
        """Whom a key stands for now; raises `Unauthenticated`, in the same words whatever is wrong."""
        key = await self._known(text)
        now = self.now()
        if key is None or not key.stands(now) or self.revocations.end_of(key.id, key.account_id) is not None:
            raise Unauthenticated(_INVALID, error="invalid_token")
        account = await self.accounts.get(key.account_id)
        if account is None or account.suspended_at is not None:
            raise Unauthenticated(_INVALID, error="invalid_token")
        self._used[key.id] = now
        return Caller(
            account_id=key.account_id,
            roles=frozenset(account.roles),
            scopes=implied(key.scopes) & granted(account.roles),
            tier=account.tier,
            region=account.region,
            expires_at=key.expires_at,
            key_id=key.id,
            per_minute=key.per_minute,
            may_be_limited=account.has_limits,
        )

    @asynccontextmanager
    async def noting_use(self) -> AsyncIterator[None]:
        """Writes down when keys were used, every ten seconds, and once more at the end."""
        task = asyncio.create_task(self._note())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.note_use()

    async def note_use(self) -> None:
        """Writes down what is known of uses; a loss is logged, as nobody is kept waiting for it."""
        used, self._used = self._used, {}
        if not used:
            return
        try:
            await self.store.note_use(used)
        except GatewayError as error:
            log.warning("api_keys.use_not_noted", keys=len(used), error=str(error))

    async def _note(self) -> None:
        while True:
            await asyncio.sleep(NOTE_EVERY_SECONDS)
            await self.note_use()

    async def _known(self, text: str) -> ApiKey | None:
        if not is_well_formed(text):
            return None
        key = await self._recent.get(text[:PREFIX_CHARACTERS])
        if key is None or not hmac.compare_digest(key.fingerprint, fingerprint(text)):
            return None
        return key

    async def _revoke(self, ids: Sequence[str], end: SessionEnd, by: Actor) -> list[ApiKey]:
        now = self.now()
        until = now + timedelta(seconds=REMEMBERED_SECONDS)
        async with self.audit.writing():
            revoked = await self.store.revoke(ids, now, end, until)
            for key in revoked:
                told = {"account": key.account_id, "prefix": key.prefix, "reason": end.value}
                await self.audit.record(by, Action.API_KEY_REVOKED, key.id, after=told)
        for key in revoked:
            self._recent.forget(key.prefix)
        self.revocations.add([Revocation(key.id, end, until) for key in revoked])
        return revoked


def is_api_key(text: str) -> bool:
    """Whether a credential is meant to be a key."""
    return text.startswith(MARK)


def new_text() -> str:
    """A key nobody has: 154 bits of chance, and the checksum."""
    length = SECRET_CHARACTERS - CHECKSUM_CHARACTERS
    body = MARK + "".join(secrets.choice(_ALPHABET) for _ in range(length))
    return body + _checksum(body)


def is_well_formed(text: str) -> bool:
    return _KEY.fullmatch(text) is not None and text[-CHECKSUM_CHARACTERS:] == _checksum(
        text[:-CHECKSUM_CHARACTERS]
    )


def fingerprint(text: str) -> bytes:
    """SHA-256: a key is random enough that nothing slower is needed."""
    return hashlib.sha256(text.encode()).digest()


def _checksum(body: str) -> str:
    number, digits = crc32(body.encode()), ""
    for _ in range(CHECKSUM_CHARACTERS):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits


def _listed(scopes: Sequence[str]) -> str:
    return ", ".join(scope[:MAX_NAME_CHARACTERS] for scope in scopes[:10])


def _checked(wanted: Wanted, owner: Caller) -> frozenset[Scope]:
    """The scopes of a key; raises `Refused` with everything that is wrong."""
    errors: list[UserError] = []

    def wrong(message: str, path: str, code: UserErrorCode = UserErrorCode.INVALID) -> None:
        errors.append(UserError(message, code, (path,)))

    name = wanted.name.strip()
    if not (1 <= len(name) <= MAX_NAME_CHARACTERS and name.isprintable()):
        wrong(f"A name has 1 to {MAX_NAME_CHARACTERS} characters that can be seen.", "name")
    known = {scope.value for scope in GRANTABLE}
    unknown = sorted(scope for scope in set(wanted.scopes) - known if scope.strip())
    if not wanted.scopes:
        wrong("A key grants one scope at least.", "scopes")
    if not all(scope.strip() for scope in wanted.scopes):
        wrong("A scope is a name, such as `read:watchlist`; leave empty ones out.", "scopes")
    if unknown:
        wrong(f"A key cannot grant {_listed(unknown)}.", "scopes")
    beyond = sorted((set(wanted.scopes) & known) - owner.scopes)
    if beyond:
        wrong(f"A key grants no more than you hold: not {_listed(beyond)}.", "scopes")
    if not 1 <= wanted.per_minute <= MOST_PER_MINUTE:
        wrong(f"From 1 to {MOST_PER_MINUTE:,} requests a minute.", "perMinute")
    if wanted.expires_in_days is not None and not 1 <= wanted.expires_in_days <= 3_650:  # noqa: PLR2004 - ten years
        wrong("A key expires after 1 to 3,650 days, or never.", "expiresInDays")
    if errors:
        raise Refused(*errors)
    return frozenset(Scope(scope) for scope in wanted.scopes)
