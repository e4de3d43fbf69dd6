"""Playback sessions."""

from datetime import datetime

from sqlalchemy import Column, Index, Text, text
from sqlmodel import Field, SQLModel

from domain.catalog.tables import content_key
from domain.identity.tables import account_key
from domain.platform.columns import identifier, moment
from domain.sync.tables import device_key


class PlaybackSessionRow(SQLModel, table=True):
    """One device playing one title; ended sessions stay for half a year."""

    __tablename__ = "playback_session"
    __table_args__ = (
        Index("playback_session_account", "account_id", text("started_at DESC")),
        Index("playback_session_device", "device_id", postgresql_where=text("ended_at IS NULL")),
        Index("playback_session_recent", text("started_at DESC"), "content_id"),
        Index("playback_session_ended", "ended_at", postgresql_where=text("ended_at IS NOT NULL")),
    )

    id: str = Field(sa_column=identifier(primary=True))
    account_id: str = Field(sa_column=account_key(primary=False))
    device_id: str = Field(sa_column=device_key())
    content_id: int = Field(sa_column=content_key(primary=False))
    viewing: int
    state: str = Field(sa_type=Text)
    platform: str | None = Field(default=None, sa_type=Text)
    position_seconds: int
    duration_seconds: int
    started_at: datetime = Field(sa_column=moment())
    updated_at: datetime = Field(sa_column=moment())
    ended_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    end_reason: str | None = Field(default=None, sa_type=Text)
    quality: str = Field(sa_column=Column(Text, nullable=False, server_default="auto"))
    end_credits_seconds: int | None = None
    told_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
