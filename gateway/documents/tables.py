"""Published documents, and what of the graph is used."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Text, text
from sqlmodel import Field, SQLModel

from domain.platform.columns import moment, texts


def count() -> Column[int]:
    return Column(BigInteger, nullable=False, server_default=text("0"))


class TrustedDocumentRow(SQLModel, table=True):
    """A published document. Its text never changes: another text is another document."""

    __tablename__ = "trusted_document"
    __table_args__ = (Index("trusted_document_hash", "hash"),)

    id: str = Field(sa_column=Column(Text, primary_key=True))
    hash: str = Field(sa_type=Text)
    text: str = Field(sa_type=Text)
    operation_name: str | None = Field(default=None, sa_type=Text)
    clients: list[str] = Field(sa_column=texts())
    first_published_at: datetime = Field(sa_column=moment(default_now=True))
    last_published_at: datetime = Field(sa_column=moment(default_now=True))


class OperationUsageRow(SQLModel, table=True):
    """How often an operation ran, published or not; what is too much to be told apart has empty names."""

    __tablename__ = "operation_usage"

    hash: str = Field(sa_column=Column(Text, primary_key=True))
    operation_name: str = Field(sa_column=Column(Text, primary_key=True))
    trusted: bool = Field(sa_column=Column(Boolean, nullable=False))
    uses: int = Field(sa_column=count())
    first_used_at: datetime = Field(sa_column=moment(default_now=True))
    last_used_at: datetime = Field(sa_column=moment(default_now=True))


class FieldUsageRow(SQLModel, table=True):
    """How often a field (`Type.field`) was asked for on a day."""

    __tablename__ = "field_usage"

    coordinate: str = Field(sa_column=Column(Text, primary_key=True))
    day: date = Field(sa_column=Column(Date, primary_key=True))
    uses: int = Field(sa_column=count())
