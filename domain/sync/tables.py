"""What follows a viewer from device to device, and the log of its changes."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Identity, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB, UUID
from sqlmodel import Field, SQLModel

from domain.catalog.tables import content_key
from domain.identity.tables import account_key
from domain.platform.columns import identifier, moment


def device_key(*, primary: bool = False) -> Column[str]:
    """A reference to a device that goes with it."""
    return Column(
        UUID(as_uuid=False),
        ForeignKey("device.id", ondelete="CASCADE"),
        primary_key=primary,
        nullable=False,
    )


def clock() -> Column[int]:
    """A hybrid logical clock: 48 bits of milliseconds, 16 of counter."""
    return Column(BigInteger, nullable=False)


class ChangeSequenceRow(SQLModel, table=True):
    """The number of an account's latest change; its row lock orders the account's writes."""

    __tablename__ = "change_sequence"

    account_id: str = Field(sa_column=account_key())
    seq: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=text("0")))


class ChangeRow(SQLModel, table=True):
    """The change log: numbered per account without gaps, in the order of commits; old entries go."""

    __tablename__ = "change"
    __table_args__ = (Index("change_age", "created_at", postgresql_using="brin"),)

    account_id: str = Field(sa_column=account_key())
    seq: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    kind: str = Field(sa_type=Text)
    payload: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    created_at: datetime = Field(sa_column=moment(default_now=True))


class OutboxRow(SQLModel, table=True):
    """Events for the outside, shipped in order per key, at least once."""

    __tablename__ = "outbox"
    __table_args__ = (Index("outbox_unshipped", "id", postgresql_where=text("shipped_at IS NULL")),)

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    event_id: str = Field(
        sa_column=Column(UUID(as_uuid=False), nullable=False, server_default=text("gen_random_uuid()"))
    )
    topic: str = Field(sa_type=Text)
    key: str = Field(sa_type=Text)
    payload: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    created_at: datetime = Field(sa_column=moment(default_now=True))
    shipped_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class WatchlistTagRow(SQLModel, table=True):
    """One addition to the watchlist, an observed-remove set: present while a tag is not removed."""

    __tablename__ = "watchlist_tag"
    __table_args__ = (Index("watchlist_tag_content", "account_id", "content_id"),)

    account_id: str = Field(sa_column=account_key())
    tag: str = Field(sa_column=identifier(primary=True))
    content_id: int = Field(sa_column=content_key(primary=False))
    added_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    added_hlc: int | None = Field(default=None, sa_column=Column(BigInteger))
    added_by: str | None = Field(default=None, sa_type=Text)
    place: str | None = Field(default=None, sa_column=Column(Text(collation="C")))
    given: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("true")))
    removed: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("false")))
    removed_hlc: int | None = Field(default=None, sa_column=Column(BigInteger))
    removed_by: str | None = Field(default=None, sa_type=Text)
    removed_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class ProgressRow(SQLModel, table=True):
    """How far a viewing came: a last-writer-wins register under (hlc, hlc_device)."""

    __tablename__ = "progress"
    __table_args__ = (
        Index("progress_recent", "account_id", text("updated_at DESC"), "content_id"),
        Index("progress_unfinished", "updated_at", postgresql_where=text("NOT completed")),
    )

    account_id: str = Field(sa_column=account_key())
    content_id: int = Field(sa_column=content_key())
    viewing: int = Field(default=1, primary_key=True)
    position_seconds: int
    duration_seconds: int
    completed: bool
    hlc: int = Field(sa_column=clock())
    hlc_device: str = Field(sa_type=Text)
    device_id: str | None = Field(default=None, sa_column=Column(UUID(as_uuid=False)))
    updated_at: datetime = Field(sa_column=moment())
    completed_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class ForgottenTitleRow(SQLModel, table=True):
    """A title whose viewer had its history forgotten: what was watched of it up to this clock is no more."""

    __tablename__ = "forgotten_title"
    __table_args__ = (Index("forgotten_title_age", "forgotten_at", postgresql_using="brin"),)

    account_id: str = Field(sa_column=account_key())
    content_id: int = Field(sa_column=content_key())
    hlc: int = Field(sa_column=clock())
    hlc_device: str = Field(sa_type=Text)
    forgotten_at: datetime = Field(sa_column=moment())


class HistoryLimitRow(SQLModel, table=True):
    """For how many days an account keeps its history; one without a row keeps it for good."""

    __tablename__ = "history_limit"

    account_id: str = Field(sa_column=account_key())
    days: int
    chosen_at: datetime = Field(sa_column=moment())


class TitleMarkRow(SQLModel, table=True):
    """What the viewer noted of a title: a register per kind."""

    __tablename__ = "title_mark"

    account_id: str = Field(sa_column=account_key())
    content_id: int = Field(sa_column=content_key())
    kind: str = Field(sa_column=Column(Text, primary_key=True))
    value: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    hlc: int = Field(sa_column=clock())
    hlc_device: str = Field(sa_type=Text)
    updated_at: datetime = Field(sa_column=moment())


class SyncOperationRow(SQLModel, table=True):
    """An operation that a device pushed and that was done, so that it is not done again."""

    __tablename__ = "sync_operation"
    __table_args__ = (Index("sync_operation_age", "done_at", postgresql_using="brin"),)

    account_id: str = Field(sa_column=account_key())
    id: str = Field(sa_column=identifier(primary=True))
    done_at: datetime = Field(sa_column=moment())


class SyncConflictRow(SQLModel, table=True):
    """A write that was lost, and the one it was lost to; each once, however often it is told."""

    __tablename__ = "sync_conflict"
    __table_args__ = (
        Index("sync_conflict_account", "account_id", text("id DESC")),
        Index(
            "sync_conflict_once",
            "account_id",
            "content_id",
            "kind",
            "lost_hlc",
            "lost_device",
            unique=True,
        ),
        Index("sync_conflict_age", "noted_at", postgresql_using="brin"),
    )

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    account_id: str = Field(sa_column=account_key(primary=False))
    content_id: int = Field(sa_column=content_key(primary=False))
    kind: str = Field(sa_type=Text)
    lost: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    lost_hlc: int = Field(sa_column=clock())
    lost_device: str = Field(sa_type=Text)
    won: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    won_hlc: int = Field(sa_column=clock())
    won_device: str = Field(sa_type=Text)
    noted_at: datetime = Field(sa_column=moment())


class ReactionRow(SQLModel, table=True):
    """What the viewer thinks of a title: a register; neither verdict nor stars = taken back."""

    __tablename__ = "reaction"
    __table_args__ = (Index("reaction_content", "content_id"),)

    account_id: str = Field(sa_column=account_key())
    content_id: int = Field(sa_column=content_key())
    verdict: str | None = Field(default=None, sa_type=Text)
    stars: float | None = None
    hlc: int = Field(sa_column=clock())
    hlc_device: str = Field(sa_type=Text)
    updated_at: datetime = Field(sa_column=moment())


class DeviceRow(SQLModel, table=True):
    """A device of an account; a removed one keeps its row, as progress may name it."""

    __tablename__ = "device"
    __table_args__ = (
        Index("device_account", "account_id"),
        # Not by `last_seen_at`: what heartbeats change stands in no index.
        Index("device_present", "id", postgresql_where=text("present")),
    )

    id: str = Field(sa_column=identifier(primary=True))
    account_id: str = Field(sa_column=account_key(primary=False))
    name: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    platform: str | None = Field(default=None, sa_type=Text)
    app_version: str | None = Field(default=None, sa_type=Text)
    capabilities: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False, server_default=text("'{}'")))
    registered_at: datetime = Field(sa_column=moment(default_now=True))
    last_seen_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    removed_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    settled_hlc: int | None = Field(default=None, sa_column=Column(BigInteger))
    incognito_since: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    listener: str | None = Field(default=None, sa_type=Text)
    """The stream of its commands that was opened last."""
    present: bool = Field(
        default=False, sa_column=Column(Boolean, nullable=False, server_default=text("false"))
    )
    acted_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    active: bool = Field(
        default=False, sa_column=Column(Boolean, nullable=False, server_default=text("false"))
    )
    condition: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB))
    condition_told_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class IncognitoTimeRow(SQLModel, table=True):
    """A time in which a device was incognito: what was done then is not kept either when it is told later."""

    __tablename__ = "incognito_time"
    __table_args__ = (Index("incognito_time_age", "ended_at", postgresql_using="brin"),)

    device_id: str = Field(sa_column=device_key(primary=True))
    began_at: datetime = Field(sa_column=moment(primary=True))
    account_id: str = Field(sa_column=account_key(primary=False))
    ended_at: datetime = Field(sa_column=moment())


class ProcessRow(SQLModel, table=True):
    """A process with streams of commands, while it lives; those of one that fell silent are void."""

    __tablename__ = "process"

    id: str = Field(primary_key=True, sa_type=Text)
    seen_at: datetime = Field(sa_column=moment())


class DeviceCommandRow(SQLModel, table=True):
    """A remote command, as far as it came."""

    __tablename__ = "device_command"
    __table_args__ = (
        Index("device_command_device", "device_id", "created_at"),
        Index(
            "device_command_open",
            "expires_at",
            postgresql_where=text("state IN ('queued', 'delivered', 'acknowledged')"),
        ),
    )

    id: str = Field(sa_column=identifier(primary=True))
    account_id: str = Field(sa_column=account_key(primary=False))
    device_id: str = Field(sa_column=device_key())
    command: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    state: str = Field(sa_type=Text)
    failure: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_column=moment(default_now=True))
    expires_at: datetime = Field(sa_column=moment())
    acknowledged_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
