"""The tables of viewing profiles."""

from datetime import datetime

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import UUID
from sqlmodel import Field, SQLModel

from domain.identity.tables import account_key
from domain.platform.columns import identifier, moment, texts


def session_key() -> Column[str]:
    """A reference to a session that goes with it, of which there is one."""
    return Column(
        UUID(as_uuid=False),
        ForeignKey("login_session.id", ondelete="CASCADE"),
        primary_key=True,
        nullable=False,
    )


class ViewingProfileRow(SQLModel, table=True):
    """Somebody who watches in an account, and what limits them."""

    __tablename__ = "viewing_profile"
    __table_args__ = (
        Index("viewing_profile_account", "account_id"),
        Index("viewing_profile_default", "account_id", unique=True, postgresql_where=text("is_default")),
    )

    id: str = Field(sa_column=identifier(primary=True))
    account_id: str = Field(sa_column=account_key(primary=False))
    name: str = Field(sa_type=Text)
    max_rating: str | None = Field(default=None, sa_type=Text)
    shows_unrated: bool = Field(sa_column=Column(Boolean, nullable=False))
    blocked_genres: list[str] = Field(sa_column=texts())
    hours_start: int | None = Field(default=None, sa_type=Integer)
    hours_end: int | None = Field(default=None, sa_type=Integer)
    hours_zone: str | None = Field(default=None, sa_type=Text)
    limiting: bool = Field(sa_column=Column(Boolean, nullable=False))
    is_default: bool = Field(sa_column=Column(Boolean, nullable=False))
    created_at: datetime = Field(sa_column=moment())


class ViewingChoiceRow(SQLModel, table=True):
    """Whose profile a session has; nobody's where there is none, also if another is the default."""

    __tablename__ = "viewing_choice"
    __table_args__ = (Index("viewing_choice_profile", "profile_id"),)

    session_id: str = Field(sa_column=session_key())
    profile_id: str | None = Field(
        default=None,
        sa_column=Column(
            UUID(as_uuid=False), ForeignKey("viewing_profile.id", ondelete="CASCADE"), nullable=True
        ),
    )


class ViewingUnlockRow(SQLModel, table=True):
    """Until when the PIN has lifted what limits a session."""

    __tablename__ = "viewing_unlock"

    session_id: str = Field(sa_column=session_key())
    until: datetime = Field(sa_column=moment())


class ParentalPinRow(SQLModel, table=True):
    """The PIN of an account, as a hash of Argon2id."""

    __tablename__ = "parental_pin"

    account_id: str = Field(sa_column=account_key())
    pin_hash: str = Field(sa_type=Text)
