"""OAuth clients: the applications that act for accounts, or as services of their own."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple, Protocol
from urllib.parse import SplitResult, urlsplit

from domain.identity.audit import Action, Actor, Audit
from domain.identity.model import BROWSER, FIRST_PARTY, IDENTITY
from domain.identity.policy import NEEDS_CONSENT, NOT_ON_REQUEST, Scope
from domain.platform.errors import Refused, UserError, UserErrorCode, refuse

SECRET_PREFIX: Final = "mg_cs_"  # noqa: S105 - tells people and scanners of secrets what follows
MAX_NAME: Final = 100
MAX_URIS: Final = 20
RESERVED: Final = frozenset({FIRST_PARTY, BROWSER})
LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")


class GrantType(StrEnum):
    """How a client may get tokens."""

    AUTHORIZATION_CODE = "authorization_code"
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - its name
    DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
    CLIENT_CREDENTIALS = "client_credentials"
    TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - its name


GRANTABLE: Final = frozenset(scope.value for scope in Scope if scope not in NOT_ON_REQUEST) | IDENTITY
"""What clients may ask for."""


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """An application. One without a secret is public: an app, a page or a TV, which could not keep it."""

    id: str
    name: str
    secret_hash: bytes | None = field(repr=False)
    redirect_uris: tuple[str, ...]
    grants: frozenset[GrantType]
    scopes: frozenset[str]
    """The most that it can be granted."""
    trusted: bool
    """One of our own: nobody is asked for consent."""
    bound: bool
    """Whether its tokens must be bound to a key of its own (DPoP, RFC 9449)."""
    created_at: datetime
    disabled_at: datetime | None = None

    @property
    def public(self) -> bool:
        return self.secret_hash is None

    def asks_consent(self, scopes: Collection[str]) -> bool:
        """Whether an account's owner has to be asked before it is granted these."""
        return not self.trusted or not NEEDS_CONSENT.isdisjoint(scopes)

    def knows(self, secret: str) -> bool:
        """Whether this is its secret; takes as long whether it is or not."""
        return self.secret_hash is not None and hmac.compare_digest(self.secret_hash, fingerprint(secret))

    def redirects_to(self, uri: str) -> bool:
        """Whether `uri` is registered, by exact comparison; an app that listens on this machine may take any
        port (RFC 8252, section 7.3).
        """
        if uri in self.redirect_uris:
            return True
        parts = _split(uri)
        if parts is None or parts.scheme != "http" or parts.hostname not in LOOPBACK or "@" in parts.netloc:
            return False
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        return parts._replace(netloc=host).geturl() in self.redirect_uris


class Registration(NamedTuple):
    """What an administrator says of a new client."""

    name: str
    redirect_uris: Sequence[str] = ()
    grants: Sequence[str] = (GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN)
    scopes: Sequence[str] = ()
    confidential: bool = False
    trusted: bool = False
    bound: bool = False


class Registered(NamedTuple):
    """A client and the secret that is shown this once; nothing for a public one."""

    client: OAuthClient
    secret: str | None


class ClientStore(Protocol):
    async def clients(self, ids: Sequence[str]) -> Mapping[str, OAuthClient]: ...

    async def all(self) -> list[OAuthClient]: ...

    async def add(self, client: OAuthClient) -> None: ...

    async def keep(self, client: OAuthClient) -> None:
        """Adds a client, or what is new of it."""
        ...

    async def disable(self, client_id: str, at: datetime) -> bool:
        """Whether there was one that could be used."""
        ...


@dataclass(frozen=True)
class Clients:
    """Who the clients are, and their registration by administrators."""

    store: ClientStore
    audit: Audit
    now: Callable[[], datetime]
    new_id: Callable[[], str]
    describe: Callable[[str], Awaitable[OAuthClient | None]] | None = None
    """Asks clients that are known by an address what they say of themselves; nobody does, if open."""

    async def find(self, client_id: str) -> OAuthClient | None:
        """The client that may be used under this id."""
        found = (await self.store.clients([client_id])).get(client_id)
        if found is not None and found.disabled_at is not None:
            return None
        return found if self.describe is None else await self._described(client_id, found)

    async def _described(self, client_id: str, known: OAuthClient | None) -> OAuthClient | None:
        """A client as its document describes it now, where it has one."""
        if self.describe is None or not client_id.startswith("https://"):
            return known
        found = await self.describe(client_id)
        if found is None:
            return None
        if known is None or replace(found, created_at=known.created_at) != known:
            await self.store.keep(found)
        return found

    async def register(self, wanted: Registration, by: Actor) -> Registered:
        """A new client; raises `Refused` with everything that is wrong."""
        grants = frozenset(GrantType(grant) for grant in wanted.grants if grant in set(GrantType))
        problems = [*_problems(wanted, grants)]
        if problems:
            raise Refused(*problems)
        secret = SECRET_PREFIX + secrets.token_urlsafe(32) if wanted.confidential else None
        client = OAuthClient(
            id=self.new_id(),
            name=wanted.name.strip(),
            secret_hash=None if secret is None else fingerprint(secret),
            redirect_uris=tuple(dict.fromkeys(wanted.redirect_uris)),
            grants=grants,
            scopes=frozenset(wanted.scopes),
            trusted=wanted.trusted,
            bound=wanted.bound,
            created_at=self.now(),
        )
        async with self.audit.writing():
            await self.store.add(client)
            await self.audit.record(by, Action.CLIENT_REGISTERED, client.id, after={"name": client.name})
        return Registered(client, secret)

    async def disable(self, client_id: str, by: Actor) -> None:
        """The client can get and use tokens no more; raises `Refused` where there is none."""
        async with self.audit.writing():
            if not await self.store.disable(client_id, self.now()):
                raise refuse("There is no such client.", UserErrorCode.NOT_FOUND, "clientId")
            await self.audit.record(by, Action.CLIENT_DISABLED, client_id)


def fingerprint(secret: str) -> bytes:
    """What the store keeps of a secret that is random."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()


def is_redirect_uri(uri: str) -> bool:
    """Whether an application can be called back there: https, a scheme that a domain of its maker stands for
    (RFC 8252, section 7.1), or http on the same machine. It has no fragment and no wildcard.
    """
    parts = _split(uri)
    if parts is None or "#" in uri or "*" in uri or "@" in parts.netloc or not uri.isprintable():
        return False
    match parts.scheme:
        case "https":
            return bool(parts.hostname)
        case "http":
            return parts.hostname in LOOPBACK | {"localhost"}
        case scheme:
            return _SCHEME.fullmatch(scheme) is not None


def _split(uri: str) -> SplitResult | None:
    try:
        parts = urlsplit(uri)
        parts.port  # noqa: B018 - raises where it is none
    except ValueError:
        return None
    return parts


def _problems(wanted: Registration, grants: frozenset[GrantType]) -> list[UserError]:
    found = []

    def wrong(message: str, path: str) -> None:
        found.append(UserError(message, UserErrorCode.INVALID, (path,)))

    if not 1 <= len(wanted.name.strip()) <= MAX_NAME or not wanted.name.isprintable():
        wrong(f"A name has 1 to {MAX_NAME} printable characters.", "name")
    found += [_unknown("grant", grant, "grants") for grant in wanted.grants if grant not in set(GrantType)]
    found += [_unknown("scope", scope, "scopes") for scope in wanted.scopes if scope not in GRANTABLE]
    found += [
        UserError(f"{uri} is no redirect URI.", UserErrorCode.INVALID, ("redirectUris",))
        for uri in wanted.redirect_uris
        if not is_redirect_uri(uri)
    ]
    if len(wanted.redirect_uris) > MAX_URIS:
        wrong(f"A client has at most {MAX_URIS} redirect URIs.", "redirectUris")
    if GrantType.AUTHORIZATION_CODE in grants and not wanted.redirect_uris:
        wrong("Authorisation by code needs a redirect URI.", "redirectUris")
    if not wanted.confidential and grants & {GrantType.CLIENT_CREDENTIALS, GrantType.TOKEN_EXCHANGE}:
        wrong("A service must be confidential: it proves itself by its secret.", "grants")
    return found


def _unknown(kind: str, name: str, path: str) -> UserError:
    return UserError(f"There is no {kind} {name} that a client may have.", UserErrorCode.INVALID, (path,))
