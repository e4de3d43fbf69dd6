"""The tables of applications, and of what owners of accounts grant to them."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import JSONB, UUID
from sqlmodel import Field, SQLModel

from domain.identity.tables import account_key
from domain.platform.columns import moment, texts


def client_key() -> Column[str]:
    """A reference to a client that goes with it."""
    return Column(Text, ForeignKey("oauth_client.id", ondelete="CASCADE"), nullable=False)


class OAuthClientRow(SQLModel, table=True):
    """An application; one without a secret is public."""

    __tablename__ = "oauth_client"

    id: str = Field(sa_column=Column(Text, primary_key=True))
    name: str = Field(sa_type=Text)
    secret_hash: bytes | None = Field(default=None, sa_type=LargeBinary)
    redirect_uris: list[str] = Field(sa_column=texts())
    grants: list[str] = Field(sa_column=texts())
    scopes: list[str] = Field(sa_column=texts())
    trusted: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    bound: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    created_at: datetime = Field(sa_column=moment())
    disabled_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    tier: str = Field(default="free", sa_type=Text, sa_column_kwargs={"server_default": "free"})
    old_secret_hash: bytes | None = Field(default=None, sa_type=LargeBinary)
    old_secret_until: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class AuthorizationCodeRow(SQLModel, table=True):
    """An authorisation code by its hash. A used one stays for a while, so that a replay is known."""

    __tablename__ = "authorization_code"
    __table_args__ = (Index("authorization_code_expires", "expires_at"),)

    hash: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    client_id: str = Field(sa_column=client_key())
    account_id: str = Field(sa_column=account_key(primary=False))
    redirect_uri: str = Field(sa_type=Text)
    challenge: str = Field(sa_type=Text)
    terms: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    nonce: str | None = Field(default=None, sa_type=Text)
    expires_at: datetime = Field(sa_column=moment())
    used_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    session_id: str | None = Field(default=None, sa_column=Column(UUID(as_uuid=False)))


class PushedRequestRow(SQLModel, table=True):
    """The parameters of an authorisation request, by the hash of the reference to them."""

    __tablename__ = "pushed_request"
    __table_args__ = (Index("pushed_request_expires", "expires_at"),)

    hash: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    client_id: str = Field(sa_column=client_key())
    parameters: list[list[str]] = Field(sa_column=Column(JSONB, nullable=False))
    expires_at: datetime = Field(sa_column=moment())


class DeviceCodeRow(SQLModel, table=True):
    """A device that waits to be allowed in, by the hash of its code."""

    __tablename__ = "device_code"
    __table_args__ = (Index("device_code_expires", "expires_at"),)

    hash: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    user_code: str = Field(sa_type=Text, unique=True)
    client_id: str = Field(sa_column=client_key())
    scopes: list[str] = Field(sa_column=texts())
    resources: list[str] = Field(sa_column=texts())
    key_thumbprint: str | None = Field(default=None, sa_type=Text)
    interval_seconds: int
    expires_at: datetime = Field(sa_column=moment())
    address: str | None = Field(default=None, sa_type=Text)
    polled_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    account_id: str | None = Field(
        default=None,
        sa_column=Column(UUID(as_uuid=False), ForeignKey("account.id", ondelete="CASCADE"), nullable=True),
    )
    terms: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB, nullable=True))
    denied_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    used_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class LinkedIdentityRow(SQLModel, table=True):
    """Somebody at another provider, and their account here."""

    __tablename__ = "linked_identity"
    __table_args__ = (Index("linked_identity_account", "account_id"),)

    provider: str = Field(sa_column=Column(Text, primary_key=True))
    subject: str = Field(sa_column=Column(Text, primary_key=True))
    account_id: str = Field(sa_column=account_key(primary=False))
    linked_at: datetime = Field(sa_column=moment())
