"""Columns that the tables of every context are made of."""

from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, Column, DateTime, Text, text
from sqlalchemy.dialects.postgresql import UUID


def identifier(*, primary: bool = False) -> Column[str]:
    """A UUID, as text in Python."""
    return Column(UUID(as_uuid=False), primary_key=primary, nullable=False)


def moment(*, default_now: bool = False, nullable: bool = False, primary: bool = False) -> Column[datetime]:
    return Column(
        DateTime(timezone=True),
        primary_key=primary,
        nullable=nullable,
        server_default=text("now()") if default_now else None,
    )


def texts() -> Column[list[str]]:
    """A list of texts, empty where nothing is given."""
    return Column(ARRAY(Text), nullable=False, server_default=text("'{}'"))


def keys() -> Column[list[int]]:
    """A list of the keys of rows, empty where nothing is given."""
    return Column(ARRAY(BigInteger), nullable=False, server_default=text("'{}'"))
