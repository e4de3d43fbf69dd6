"""Playback sessions."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import UUID
from sqlmodel import Field, SQLModel


class PlaybackSessionRow(SQLModel, table=True):
    """One device playing one title; ended sessions stay as the record of what was watched."""

    __tablename__ = "playback_session"
    __table_args__ = (
        Index("playback_session_account", "account_id", text("started_at DESC")),
        Index("playback_session_device", "device_id", postgresql_where=text("ended_at IS NULL")),
        Index("playback_session_recent", text("started_at DESC"), "content_id"),
    )

    id: str = Field(sa_column=Column(UUID(as_uuid=False), primary_key=True))
    account_id: str = Field(
        sa_column=Column(UUID(as_uuid=False), ForeignKey("account.id", ondelete="CASCADE"), nullable=False)
    )
    device_id: str = Field(
        sa_column=Column(UUID(as_uuid=False), ForeignKey("device.id", ondelete="CASCADE"), nullable=False)
    )
    content_id: int = Field(
        sa_column=Column(BigInteger, ForeignKey("content.id", ondelete="CASCADE"), nullable=False)
    )
    viewing: int
    state: str = Field(sa_type=Text)
    platform: str | None = Field(default=None, sa_type=Text)
    position_seconds: int
    duration_seconds: int
    started_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    updated_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    ended_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
