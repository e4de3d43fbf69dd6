"""OAuth clients: the applications that act for accounts, or as services of their own.

Administrators register and change them, see `registrations.py`.
"""

import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol
from urllib.parse import SplitResult, urlsplit

from domain.identity.model import IDENTITY, Tier
from domain.identity.policy import NEEDS_CONSENT, NOT_ON_REQUEST, Scope

MAX_NAME: Final = 100
MAX_URIS: Final = 20
LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})
_LOOPBACK_URI: Final = re.compile(r"http://(?P<host>127\.0\.0\.1|\[::1\]):[0-9]{1,5}(?P<rest>(/.*)?)")
_URI: Final = re.compile(r"[A-Za-z0-9:/?\[\]@!$&'()*+,;=._~%-]+")
"""What a URI is written with (RFC 3986, section 2), without a fragment."""
_HOST: Final = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
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
    tier: Tier = Tier.FREE
    """How much it may spend where it acts for nobody but itself."""
    old_secret_hash: bytes | None = field(default=None, repr=False)
    """Of the secret before, which may be in use until `old_secret_until`."""
    old_secret_until: datetime | None = None

    @property
    def public(self) -> bool:
        return self.secret_hash is None

    def asks_consent(self, scopes: Collection[str]) -> bool:
        """Whether an account's owner has to be asked before it is granted these."""
        return not self.trusted or not NEEDS_CONSENT.isdisjoint(scopes)

    def knows(self, secret: str, now: datetime) -> bool:
        """Whether this is its secret, or the one before it as long as that holds; takes as long whether it is
        or not.
        """
        shown = fingerprint(secret)
        current = hmac.compare_digest(self.secret_hash or b"", shown)
        old = hmac.compare_digest(self.old_secret_hash or b"", shown)
        return current or (old and self.old_secret_until is not None and now < self.old_secret_until)

    def redirects_to(self, uri: str) -> bool:
        """Whether `uri` is registered, by exact comparison; an app that listens on this machine may take any
        port (RFC 8252, section 7.3).
        """
        if uri in self.redirect_uris:
            return True
        found = _LOOPBACK_URI.fullmatch(uri)
        return found is not None and f"http://{found['host']}{found['rest']}" in self.redirect_uris


class ClientStore(Protocol):
    async def clients(self, ids: Sequence[str]) -> Mapping[str, OAuthClient]: ...

    async def all(self) -> list[OAuthClient]: ...

    async def add(self, client: OAuthClient) -> None: ...

    async def keep(self, client: OAuthClient) -> None:
        """Adds a client, or what is new of it."""
        ...

    async def locked(self, client_id: str) -> OAuthClient | None:
        """The client as it stays until the transaction ends, whoever else would change it."""
        ...

    async def put(self, client: OAuthClient) -> None:
        """Writes all that can change of a client."""
        ...


@dataclass(frozen=True)
class Clients:
    """Who the clients are."""

    store: ClientStore
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


def fingerprint(secret: str) -> bytes:
    """What the store keeps of a secret that is random."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()


def is_redirect_uri(uri: str) -> bool:
    """Whether an application can be called back there: https, a scheme that a domain of its maker stands for
    (RFC 8252, section 7.1), or http on the same machine. It has no fragment and no wildcard.
    """
    parts = _split(uri)
    if parts is None or _URI.fullmatch(uri) is None or "*" in uri or "@" in parts.netloc:
        return False
    match parts.scheme:
        case "https" | "http" if _HOST.fullmatch(parts.netloc) is None:
            return False
        case "https":
            return True
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
