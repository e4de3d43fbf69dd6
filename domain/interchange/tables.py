"""What was imported, so that it can be listed and taken back."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB, UUID
from sqlmodel import Field, SQLModel

from domain.catalog.tables import content_key
from domain.identity.tables import account_key
from domain.platform.columns import identifier, moment
from domain.sync.tables import clock


class ImportRow(SQLModel, table=True):
    """A file that was brought to an account; `digest` is the SHA-256 of it."""

    __tablename__ = "import"
    __table_args__ = (
        Index("import_account", "account_id", text("begun_at DESC"), "id"),
        Index(
            "import_begun",
            "account_id",
            "digest",
            unique=True,
            postgresql_where=text("finished_at IS NULL AND undone_at IS NULL"),
        ),
    )

    id: str = Field(sa_column=identifier(primary=True))
    account_id: str = Field(sa_column=account_key(primary=False))
    source: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    digest: str = Field(sa_type=Text)
    begun_at: datetime = Field(sa_column=moment())
    finished_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    undone_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class ImportItemRow(SQLModel, table=True):
    """Something that an import brought; `taken_back` says what an undo made of it."""

    __tablename__ = "import_item"
    __table_args__ = (Index("import_item_content", "content_id", "import_id"),)

    import_id: str = Field(
        sa_column=Column(
            UUID(as_uuid=False), ForeignKey("import.id", ondelete="CASCADE"), primary_key=True, nullable=False
        )
    )
    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    content_id: int = Field(sa_column=content_key(primary=False))
    kind: str = Field(sa_type=Text)
    hlc: int = Field(sa_column=clock())
    hlc_device: str = Field(sa_type=Text)
    at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    viewing: int | None = None
    tag: str | None = Field(default=None, sa_column=Column(UUID(as_uuid=False)))
    mark: str | None = Field(default=None, sa_type=Text)
    before: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    taken_back: bool | None = Field(default=None, sa_column=Column(Boolean))
