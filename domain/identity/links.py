"""Tokens that stand in a link of a letter: 32 random bytes, used once. Only their hash is kept."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from domain.platform.errors import Refused, UserErrorCode, refuse

_FORM = re.compile(r"[A-Za-z0-9_-]{43}")


class Purpose(StrEnum):
    """What a token lets its bearer do."""

    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - a name
    CHANGE_EMAIL = "change_email"
    RECOVER_ACCOUNT = "recover_account"
    EXPORT_DATA = "export_data"


LIVES = {
    Purpose.VERIFY_EMAIL: timedelta(hours=24),
    Purpose.RESET_PASSWORD: timedelta(hours=1),
    Purpose.CHANGE_EMAIL: timedelta(hours=1),
    Purpose.RECOVER_ACCOUNT: timedelta(days=30),
    Purpose.EXPORT_DATA: timedelta(minutes=10),
}


@dataclass(frozen=True, slots=True)
class LinkToken:
    """What is kept of a token: for which account, and for the address it was sent to."""

    digest: bytes
    purpose: Purpose
    account_id: str
    address: str
    expires_at: datetime


class LinkTokens(Protocol):
    """The tokens that were sent."""

    async def add(self, token: LinkToken, letter_id: str | None = None) -> bool:
        """Whether it was added; not where the letter that it is for was withdrawn meanwhile."""
        ...

    async def find(self, digest: bytes, purpose: Purpose, now: datetime) -> LinkToken | None:
        """Without using it; nothing where it has expired."""
        ...

    async def use(self, digest: bytes, purpose: Purpose, now: datetime) -> LinkToken | None:
        """Takes it, with all others of the account for this purpose; nothing the second time, and nothing
        where it has expired.
        """
        ...

    async def drop(self, account_id: str) -> None:
        """Takes all of an account's, whatever for, and withdraws letters that wait to bring one to another
        address.
        """
        ...

    async def forget(self, before: datetime) -> int:
        """Drops those that had expired by then; how many."""
        ...


def digest_of(token: str) -> bytes:
    """Raises `Refused` for what cannot be a token."""
    if not _FORM.fullmatch(token):
        raise link_refused()
    return hashlib.sha256(token.encode()).digest()


def link_refused() -> Refused:
    """In the same words whatever is wrong with it."""
    return refuse(
        "This link has expired or was used already; ask for a new one.", UserErrorCode.NOT_FOUND, "token"
    )
