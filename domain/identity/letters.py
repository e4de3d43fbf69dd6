"""Letters to people: what waits to be sent holds no secret, as the links in it are made when it is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol


class LetterKind(StrEnum):
    """What a letter is about; its words are in `gateway/words`, by this name."""

    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - a name
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a name
    SECOND_FACTOR_ADDED = "second_factor_added"
    SECOND_FACTOR_REMOVED = "second_factor_removed"
    BACKUP_CODE_USED = "backup_code_used"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    CHANGE_EMAIL = "change_email"
    EMAIL_CHANGE_ASKED = "email_change_asked"
    EMAIL_CHANGED = "email_changed"
    ACCOUNT_DELETED = "account_deleted"
    ACCOUNT_RECOVERED = "account_recovered"


ADDRESSEE = "account"
"""Names, in the details of a letter, the account that it is for where that does not have its address."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter that waits. `address` may be nobody's: then nothing is sent.

    So that who asks for a letter learns nothing of whose address it is, not even by the time it takes.
    """

    id: str
    kind: LetterKind
    address: str
    posted_at: datetime
    details: Mapping[str, str] = field(default_factory=dict)
    attempts: int = 0


class Letters(Protocol):
    """The letters that wait."""

    async def post(self, letter: Letter) -> None:
        """Written in the transaction under way, and sent once that is committed."""
        ...

    async def claim(self, limit: int, now: datetime, again_at: datetime) -> Sequence[Letter]:
        """Letters that are due, each with one attempt more; nobody else is given them before `again_at`."""
        ...

    async def sent(self, letter_id: str) -> None:
        """Forgets it."""
        ...

    async def failed(self, letter_id: str, reason: str, again_at: datetime | None) -> None:
        """Keeps it for another try, or, without one, for an operator to see."""
        ...

    async def forget(self, before: datetime) -> int:
        """Drops letters that were posted before, whatever became of them; how many."""
        ...


ATTEMPTS = 8
KEPT = timedelta(days=3)
"""For so long a letter that could not be sent is to be seen."""


def pause(attempts: int) -> timedelta:
    """How long to wait after so many attempts: half a minute, doubled each time, 32 minutes at most."""
    return timedelta(seconds=min(30 * 2 ** (attempts - 1), 1_920))
