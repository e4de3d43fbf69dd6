"""The accounts' tables."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, Text, text
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
