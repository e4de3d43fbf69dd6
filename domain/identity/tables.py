"""The accounts' tables."""

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Column, ForeignKey, Identity, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import JSONB, UUID
from sqlmodel import Field, SQLModel

from domain.platform.columns import identifier, moment, texts


def account_key(*, primary: bool = True) -> Column[str]:
    """A reference to an account that goes with it."""
    return Column(
        UUID(as_uuid=False),
        ForeignKey("account.id", ondelete="CASCADE"),
        primary_key=primary,
        nullable=False,
    )


class AccountRow(SQLModel, table=True):
    """A viewer; pseudonymous accounts of imported ratings have neither address nor password."""

    __tablename__ = "account"
    __table_args__ = (Index("account_closed", "closed_at", postgresql_where=text("closed_at IS NOT NULL")),)

    id: str = Field(sa_column=identifier(primary=True))
    email: str | None = Field(default=None, sa_type=Text, unique=True)
    password_hash: str | None = Field(default=None, sa_type=Text)
    display_name: str = Field(sa_type=Text)
    region: str = Field(default="US", sa_type=Text, sa_column_kwargs={"server_default": "US"})
    language: str = Field(default="en", sa_type=Text, sa_column_kwargs={"server_default": "en"})
    roles: list[str] = Field(sa_column=texts())
    tier: str = Field(default="free", sa_type=Text, sa_column_kwargs={"server_default": "free"})
    demonstration: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    created_at: datetime = Field(sa_column=moment(default_now=True))
    suspended_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    email_verified_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    closed_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    sign_in_epoch: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})


class LoginSessionRow(SQLModel, table=True):
    """A sign-in of an account with one client."""

    __tablename__ = "login_session"
    __table_args__ = (
        Index("login_session_account", "account_id"),
        Index("login_session_client", "client_id"),
        Index("login_session_expires", "expires_at"),
        Index("login_session_acting", "acting_id", postgresql_where=text("acting_id IS NOT NULL")),
        Index("login_session_acting_in", "acting_in", postgresql_where=text("acting_in IS NOT NULL")),
    )

    id: str = Field(sa_column=identifier(primary=True))
    family_id: str = Field(sa_column=identifier())
    account_id: str = Field(sa_column=account_key(primary=False))
    client_id: str = Field(sa_type=Text)
    scopes: list[str] | None = Field(default=None, sa_column=Column(ARRAY(Text), nullable=True))
    methods: list[str] = Field(sa_column=texts())
    authenticated_at: datetime = Field(sa_column=moment())
    created_at: datetime = Field(sa_column=moment())
    last_used_at: datetime = Field(sa_column=moment())
    expires_at: datetime = Field(sa_column=moment())
    final_at: datetime = Field(sa_column=moment())
    address: str | None = Field(default=None, sa_type=Text)
    user_agent: str | None = Field(default=None, sa_type=Text)
    resources: list[str] = Field(sa_column=texts())
    key_thumbprint: str | None = Field(default=None, sa_type=Text)
    acting_id: str | None = Field(default=None, sa_column=Column(UUID(as_uuid=False)))
    ended_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    end_reason: str | None = Field(default=None, sa_type=Text)
    device_id: str | None = Field(default=None, sa_column=Column(UUID(as_uuid=False)))
    acting_in: str | None = Field(default=None, sa_column=Column(UUID(as_uuid=False)))


class RefreshTokenRow(SQLModel, table=True):
    """A refresh token by its hash. Used ones stay as long as their session, so that a replay is known."""

    __tablename__ = "refresh_token"
    __table_args__ = (Index("refresh_token_session", "session_id"),)

    hash: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    session_id: str = Field(
        sa_column=Column(
            UUID(as_uuid=False), ForeignKey("login_session.id", ondelete="CASCADE"), nullable=False
        )
    )
    issued_at: datetime = Field(sa_column=moment())
    used_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    salt: bytes | None = Field(default=None, sa_type=LargeBinary)


class RevocationRow(SQLModel, table=True):
    """A session or token whose access tokens must not count, until the last of them has lapsed."""

    __tablename__ = "revocation"
    __table_args__ = (Index("revocation_at", "at"),)

    id: str = Field(sa_column=identifier(primary=True))
    reason: str = Field(sa_type=Text)
    at: datetime = Field(sa_column=moment(default_now=True))
    until: datetime = Field(sa_column=moment())


class AuditEntryRow(SQLModel, table=True):
    """One act of somebody. Rows are only added; names of accounts outlive them."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("audit_entry_at", "at"),
        Index("audit_entry_account", "account_id", "id"),
        Index("audit_entry_on_behalf_of", "on_behalf_of", "id"),
        Index("audit_entry_resource", "resource_type", "resource_id", "id"),
        Index("audit_entry_action", "action", "id"),
    )

    id: int = Field(sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    at: datetime = Field(sa_column=moment())
    action: str = Field(sa_type=Text)
    account_id: str | None = Field(default=None, sa_column=Column(UUID(as_uuid=False)))
    on_behalf_of: str | None = Field(default=None, sa_column=Column(UUID(as_uuid=False)))
    resource_type: str = Field(sa_type=Text)
    resource_id: str | None = Field(default=None, sa_type=Text)
    before: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB))
    after: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB))
    address: str | None = Field(default=None, sa_type=Text)
    user_agent: str | None = Field(default=None, sa_type=Text)
    request_id: str | None = Field(default=None, sa_type=Text)


class ApiKeyRow(SQLModel, table=True):
    """A key of an account; found by its first characters, told by its fingerprint."""

    __tablename__ = "api_key"
    __table_args__ = (Index("api_key_account", "account_id", "created_at"),)

    id: str = Field(sa_column=identifier(primary=True))
    account_id: str = Field(sa_column=account_key(primary=False))
    name: str = Field(sa_type=Text)
    prefix: str = Field(sa_type=Text, unique=True)
    fingerprint: bytes = Field(sa_type=LargeBinary)
    scopes: list[str] = Field(sa_column=texts())
    per_minute: int
    created_at: datetime = Field(sa_column=moment())
    expires_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    last_used_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    revoked_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class RateLimitRow(SQLModel, table=True):
    """What an administrator set of a rate limit."""

    __tablename__ = "rate_limit"

    endpoint: str = Field(sa_column=Column(Text, primary_key=True))
    asking: str = Field(sa_column=Column(Text, primary_key=True))
    per_minute: int
    per_hour: int
    burst: int
    changed_at: datetime = Field(sa_column=moment())


class CostBudgetRow(SQLModel, table=True):
    """What an administrator set of what callers may spend on operations."""

    __tablename__ = "cost_budget"

    asking: str = Field(sa_column=Column(Text, primary_key=True))
    capacity: float
    per_second: float
    changed_at: datetime = Field(sa_column=moment())
