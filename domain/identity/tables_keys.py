"""The table of the keys that tokens are signed with."""

from sqlalchemy import Boolean, CheckConstraint, Column, LargeBinary, text
from sqlmodel import Field, SQLModel


class SigningKeysRow(SQLModel, table=True):
    """All signing keys as one JWK Set, sealed; there is one row at most."""

    __tablename__ = "signing_keys"
    __table_args__ = (CheckConstraint("single", name="signing_keys_single"),)

    single: bool = Field(
        default=True, sa_column=Column(Boolean, primary_key=True, server_default=text("true"))
    )
    sealed: bytes = Field(sa_type=LargeBinary)
