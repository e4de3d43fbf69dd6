"""Who is asking."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


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


@dataclass(frozen=True, slots=True)
class Viewer:
    """The signed-in caller, on whose own affairs every context answers by `account_id`."""

    account_id: str


@dataclass(frozen=True, slots=True)
class Caller:
    """The verified identity behind a request; `account_id` is nothing for the anonymous.

    `scopes` are what the token grants and the roles still allow; `region` is where the account watches.
    """

    account_id: str | None = None
    roles: frozenset[Role] = frozenset()
    scopes: frozenset[str] = frozenset()
    tier: Tier = Tier.FREE
    region: str | None = None
    token_id: str | None = None
    expires_at: datetime | None = None
    acting_id: str | None = None
    """The administrator who acts as this account, as the token's `act` says (RFC 8693)."""

    @property
    def anonymous(self) -> bool:
        return self.account_id is None


ANONYMOUS = Caller()


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A signed token and when it lapses."""

    value: str = field(repr=False)
    expires_at: datetime
