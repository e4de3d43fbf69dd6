"""The tables of second factors, of questions that stand, and of proofs."""

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, LargeBinary, Text
from sqlalchemy.dialects.postgresql import UUID
from sqlmodel import Field, SQLModel

from domain.identity.tables import account_key
from domain.platform.columns import identifier, moment, texts


class TotpFactorRow(SQLModel, table=True):
    """An authenticator app: its secret, sealed, and the last step that a code was used of."""

    __tablename__ = "totp_factor"

    account_id: str = Field(sa_column=account_key())
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime = Field(sa_column=moment())
    confirmed_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    last_step: int = Field(sa_column=Column(BigInteger, nullable=False))


class BackupCodeRow(SQLModel, table=True):
    """A backup code, by a keyed hash; it goes when it is used."""

    __tablename__ = "backup_code"

    account_id: str = Field(sa_column=account_key())
    digest: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))


class PasskeyRow(SQLModel, table=True):
    """The public half of a passkey."""

    __tablename__ = "passkey"
    __table_args__ = (Index("passkey_account", "account_id"),)

    id: str = Field(sa_column=identifier(primary=True))
    account_id: str = Field(sa_column=account_key(primary=False))
    credential_id: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    public_key: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    sign_count: int = Field(sa_column=Column(BigInteger, nullable=False))
    transports: list[str] = Field(sa_column=texts())
    synced: bool = Field(sa_column=Column(Boolean, nullable=False))
    name: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_column=moment())
    last_used_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class ChallengeRow(SQLModel, table=True):
    """A question that stands, by the SHA-256 of its token."""

    __tablename__ = "challenge"
    __table_args__ = (Index("challenge_expires", "expires_at"), Index("challenge_account", "account_id"))

    digest: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    purpose: str = Field(sa_type=Text)
    account_id: str | None = Field(
        default=None,
        sa_column=Column(UUID(as_uuid=False), ForeignKey("account.id", ondelete="CASCADE"), nullable=True),
    )
    nonce: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    expires_at: datetime = Field(sa_column=moment())


class SessionProofRow(SQLModel, table=True):
    """Until when the owner of a session has proven who they are."""

    __tablename__ = "session_proof"

    session_id: str = Field(
        sa_column=Column(
            UUID(as_uuid=False), ForeignKey("login_session.id", ondelete="CASCADE"), primary_key=True
        )
    )
    until: datetime = Field(sa_column=moment())
