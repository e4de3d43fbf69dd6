"""The accounts' tables."""

from datetime import datetime

from sqlalchemy import ARRAY, Column, DateTime, Text, text
from sqlalchemy.dialects.postgresql import UUID
from sqlmodel import Field, SQLModel


class AccountRow(SQLModel, table=True):
    """A viewer; pseudonymous accounts of imported ratings have neither address nor password."""

    __tablename__ = "account"

    id: str = Field(sa_column=Column(UUID(as_uuid=False), primary_key=True))
    email: str | None = Field(default=None, sa_type=Text, unique=True)
    password_hash: str | None = Field(default=None, sa_type=Text)
    display_name: str = Field(sa_type=Text)
    region: str = Field(default="US", sa_type=Text, sa_column_kwargs={"server_default": "US"})
    language: str = Field(default="en", sa_type=Text, sa_column_kwargs={"server_default": "en"})
    roles: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False, server_default=text("'{}'")))
    tier: str = Field(default="free", sa_type=Text, sa_column_kwargs={"server_default": "free"})
    demonstration: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    created_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), nullable=False, server_default=text("now()"))
    )
    suspended_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
