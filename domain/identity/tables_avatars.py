"""The table of pictures."""

from sqlalchemy import Column, LargeBinary, Text
from sqlmodel import Field, SQLModel

from domain.identity.tables import account_key


class AvatarRow(SQLModel, table=True):
    """The picture of an account, as it is shown."""

    __tablename__ = "avatar"

    account_id: str = Field(sa_column=account_key())
    name: str = Field(sa_type=Text, unique=True)
    content_type: str = Field(sa_type=Text)
    picture: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
