"""The log of news, and what it was made of."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from domain.platform.columns import moment


class NewsRow(SQLModel, table=True):
    """What was news, numbered in the order of commits; old entries go. Titles may be gone by now."""

    __tablename__ = "news"
    __table_args__ = (
        Index("news_content", "content_id", "id"),
        Index("news_region", "region", "id"),
        Index("news_trends", "id", postgresql_where=text("kind = 'trends'")),
        Index("news_age", "at"),
    )

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    kind: str = Field(sa_type=Text)
    content_id: int | None = Field(default=None, sa_column=Column(BigInteger))
    region: str | None = Field(default=None, sa_type=Text)
    platform: str | None = Field(default=None, sa_type=Text)
    offer_kind: str | None = Field(default=None, sa_type=Text)
    until: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    announcement_id: int | None = Field(
        default=None, sa_column=Column(BigInteger, ForeignKey("announcement.id", ondelete="CASCADE"))
    )
    content_ids: list[int] | None = Field(default=None, sa_column=Column(ARRAY(BigInteger)))
    at: datetime = Field(sa_column=moment())


class AnnouncementRow(SQLModel, table=True):
    """What those who run the service have to say; the news tell when it was said and withdrawn."""

    __tablename__ = "announcement"
    __table_args__ = (Index("announcement_ends", "ends_at"),)

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    text: str = Field(sa_type=Text)
    region: str | None = Field(default=None, sa_type=Text)
    published_at: datetime = Field(sa_column=moment())
    ends_at: datetime = Field(sa_column=moment())
    withdrawn_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class AvailabilityRow(SQLModel, table=True):
    """Where something can be watched, as the news told it last; of several qualities there is one row."""

    __tablename__ = "availability"

    content_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    region: str = Field(sa_type=Text, primary_key=True)
    platform: str = Field(sa_type=Text, primary_key=True)
    kind: str = Field(sa_type=Text, primary_key=True)
    leaving_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class NewsStateRow(SQLModel, table=True):
    """How far the catalogue was looked at for news; its row lock gives whoever writes news the turn."""

    __tablename__ = "news_state"

    id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    seen: str | None = Field(default=None, sa_type=Text)
    looked_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    forgotten: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
