"""The tables of letters and of the links in them."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from domain.identity.tables import account_key
from domain.platform.columns import identifier, moment


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
