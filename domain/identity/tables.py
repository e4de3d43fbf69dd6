"""The accounts' tables."""

from datetime import datetime

from sqlalchemy import Column, ForeignKey, Text, text
from sqlalchemy.dialects.postgresql import UUID
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


class LetterRow(SQLModel, table=True):
    """A letter that waits to be sent; it goes when it was. It holds no secret."""

    __tablename__ = "letter"
    __table_args__ = (Index("letter_due", "due_at"), Index("letter_address", "address"))

    id: str = Field(sa_column=identifier(primary=True))
    kind: str = Field(sa_type=Text)
    address: str = Field(sa_type=Text)
    details: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    posted_at: datetime = Field(sa_column=moment())
    due_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    failure: str | None = Field(default=None, sa_type=Text)


class LinkTokenRow(SQLModel, table=True):
    """A token in the link of a letter, by its SHA-256; it goes when it is used."""

    __tablename__ = "link_token"
    __table_args__ = (Index("link_token_account", "account_id"), Index("link_token_expires", "expires_at"))

    digest: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    purpose: str = Field(sa_type=Text)
    account_id: str = Field(sa_column=account_key(primary=False))
    address: str = Field(sa_type=Text)
    expires_at: datetime = Field(sa_column=moment())
