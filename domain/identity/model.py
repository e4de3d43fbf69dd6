"""Who is asking."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from domain.platform.values import value


class Role(StrEnum):
    """What an account may do beyond its own affairs."""

    VIEWER = "viewer"
    """Watches."""
    EDITOR = "editor"
    """Keeps the catalogue."""
    ADMIN = "admin"
    """Administers accounts and the service."""


class Tier(StrEnum):
    """What the account's subscription covers."""

    FREE = "free"
    """Free of charge."""
    PREMIUM = "premium"
    """Paid."""
    ENTERPRISE = "enterprise"
    """Agreed with an organisation."""


@dataclass(frozen=True, slots=True)
class Account:
    """A viewer's account."""

    id: str
    email: str | None
    display_name: str
    region: str
    language: str
    roles: tuple[Role, ...]
    tier: Tier
    created_at: datetime
    suspended_at: datetime | None
    email_verified_at: datetime | None = None
    closed_at: datetime | None = None
    """When its owner closed it; it is not in use then, as if it were suspended."""
    has_limits: bool = False
    """Whether anybody who watches in it is limited."""
    sign_in_epoch: int = 0
    """How often sign-ins that were under way were voided: one of an earlier epoch comes to nothing."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """The signed-in caller, on whose own affairs every context answers by `account_id`."""

    account_id: str


@value
class Caller:
    """The verified identity behind a request; `account_id` is nothing for the anonymous.

    `scopes` are what the token grants and the roles still allow; `region` is where the account watches.
    `authenticated_at` is when its owner last proved who they are, by `methods` (RFC 8176).
    """

    account_id: str | None = None
    roles: frozenset[Role] = frozenset()
    scopes: frozenset[str] = frozenset()
    tier: Tier = Tier.FREE
    region: str | None = None
    token_id: str | None = None
    expires_at: datetime | None = None
    client_id: str | None = None
    session_id: str | None = None
    family_id: str | None = None
    authenticated_at: datetime | None = None
    methods: tuple[str, ...] = ()
    key_id: str | None = None
    """The API key, where it was one that signed in."""
    per_minute: int | None = None
    """How many requests a minute the key allows."""
    audience: frozenset[str] = frozenset()
    """Whom the token is for."""
    discloses: frozenset[str] = frozenset()
    """What the token's client may learn of the account (OpenID Connect)."""
    key_thumbprint: str | None = None
    """The key that must prove itself beside the token (DPoP, RFC 9449); nothing for a bearer."""
    acting_id: str | None = None
    """The administrator who acts as this account, as the token's `act` says (RFC 8693)."""
    may_be_limited: bool = False
    """Whether a viewing profile of the account limits somebody: then it is looked up who watches."""

    @property
    def anonymous(self) -> bool:
        """Whether it is nobody: neither an account nor a service of its own."""
        return self.account_id is None and self.client_id is None


ANONYMOUS = Caller()

FIRST_PARTY: Final = "media-gateway"
"""The client of whoever signs in through the graph itself."""
BROWSER: Final = "media-gateway-pages"
"""The client of whoever signs in on our pages, to allow others in."""


class Disclosure(StrEnum):
    """Scopes of OpenID Connect: what a client may learn of an account."""

    OPENID = "openid"
    """Which account signs in, and when it did."""
    PROFILE = "profile"
    """Its name and language."""
    EMAIL = "email"
    """Its e-mail address."""


IDENTITY: Final[frozenset[str]] = frozenset(Disclosure)


class Method(StrEnum):
    """How an owner proved who they are; the names are those of RFC 8176."""

    PASSWORD = "pwd"  # noqa: S105 - its name
    ONE_TIME_CODE = "otp"
    HARDWARE_KEY = "hwk"
    MULTIPLE = "mfa"
    FEDERATED = "fed"
    """By another provider; how is its affair, and RFC 8176 has no name for it."""


class SessionEnd(StrEnum):
    """Why a session ended before its time."""

    SIGNED_OUT = "signed_out"
    """Its owner signed out in it."""
    REVOKED = "revoked"
    """Its owner ended it from another session."""
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a reason
    """The password was changed."""
    EMAIL_CHANGED = "email_changed"
    """The account moved to another address."""
    DEVICE_REMOVED = "device_removed"
    """Its device was removed."""
    SUSPENDED = "suspended"
    """The account was suspended."""
    CLOSED = "closed"
    """The account was closed."""
    ADMINISTRATOR = "administrator"
    """An administrator ended it."""
    REPLAYED = "replayed"
    """A refresh token or code that had been used came again, so somebody may have stolen it."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a session's tokens may be used for, and how its owner proved who they are."""

    scopes: frozenset[str] | None = None
    """What the tokens grant; whatever the account's roles allow where nothing is said."""
    methods: tuple[str, ...] = (Method.PASSWORD,)
    authenticated_at: datetime | None = None
    """Just now, if open."""
    resources: tuple[str, ...] = ()
    """Whom the tokens are for (RFC 8707); the issuer's own, if open."""
    key_thumbprint: str | None = None
    """The key that the tokens are bound to (RFC 9449); none for bearers."""
    acting_id: str | None = None
    """The administrator who acts as the account (RFC 8693)."""
    acting_in: str | None = None
    """The administrator's own session, with which this one ends."""


@dataclass(frozen=True, slots=True)
class LoginSession:
    """A sign-in of an account with one client, and the family of refresh tokens that keeps it alive.

    It lapses at `expires_at` unless it is refreshed, and at `final_at` in any case.
    """

    id: str
    family_id: str
    account_id: str
    client_id: str
    scopes: frozenset[str] | None
    """What its tokens grant; whatever the account's roles allow where nothing is said."""
    methods: tuple[str, ...]
    authenticated_at: datetime
    created_at: datetime
    last_used_at: datetime
    """When it last got an access token."""
    expires_at: datetime
    final_at: datetime
    address: str | None
    user_agent: str | None
    resources: tuple[str, ...] = ()
    key_thumbprint: str | None = None
    acting_id: str | None = None
    ended_at: datetime | None = None
    end: SessionEnd | None = None
    device_id: str | None = None
    """The device that was registered in it."""
    acting_in: str | None = None
    """The session of the administrator who acts in it, with which it ends."""

    def stands(self, now: datetime) -> bool:
        return self.ended_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A signed token, when it lapses, and what it grants."""

    value: str = field(repr=False)
    expires_at: datetime
    lifetime_seconds: int = 0
    scope: str = ""


@dataclass(frozen=True, slots=True)
class IssuedTokens:
    """What a client is given for a session: an access token, and the one refresh token that gets the next."""

    session: LoginSession
    access: AccessToken
    refresh_token: str = field(repr=False)
