"""Letters in the words of their readers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from domain.identity.letters import Letter, LetterKind
from domain.identity.model import Account
from domain.platform.mail import Mail
from gateway.phrases import FALLBACK, known, say_in
from gateway.templates import rendered

PATHS: Final = {
    LetterKind.VERIFY_EMAIL: "/account/verify-email",
    LetterKind.RESET_PASSWORD: "/account/reset-password",
    LetterKind.CHANGE_EMAIL: "/account/change-email",
    LetterKind.ACCOUNT_DELETED: "/account/recover",
}
"""The pages that letters lead to."""
ALARMS: Final = frozenset(
    {
        LetterKind.PASSWORD_CHANGED,
        LetterKind.EMAIL_CHANGE_ASKED,
        LetterKind.SECOND_FACTOR_ADDED,
        LetterKind.SECOND_FACTOR_REMOVED,
        LetterKind.BACKUP_CODE_USED,
        LetterKind.PASSKEY_ADDED,
        LetterKind.PASSKEY_REMOVED,
    }
)
"""Letters that say what to do if it was somebody else."""


@dataclass(frozen=True)
class Composer:
    """Writes the mail of a letter; fills `Compose`. `origin` is where browsers reach this server."""

    origin: str
    now: Callable[[], Any]

    def __call__(self, letter: Letter, account: Account, token: str | None) -> Mail:
        language = known(account.language) or FALLBACK
        say = say_in(language)
        link = None if token is None else f"{self.origin}{PATHS[letter.kind]}?{urlencode({'token': token})}"
        values: dict[str, Any] = {
            "kind": f"letter.{letter.kind.value}",
            "name": account.display_name,
            "address": letter.address,
            "link": link,
            "alarm": letter.kind in ALARMS,
            "details": letter.details,
        }
        return Mail(
            id=letter.id,
            to=letter.address,
            subject=say(f"letter.{letter.kind.value}.subject"),
            text=rendered("letters/letter.txt", language, **values),
            html=rendered("letters/letter.html", language, **values),
            language=language,
            at=self.now(),
        )
