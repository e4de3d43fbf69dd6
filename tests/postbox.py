"""Letters for tests: what was sent is kept, or fails as the test says."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from domain.identity.postgres import PostgresAccounts
from domain.identity.postgres_letters import PostgresLetters, PostgresLinkTokens
from domain.identity.postman import Postman
from domain.platform.mail import Mail, MailFailed
from domain.platform.postgres import Database
from gateway.letters import Composer

ORIGIN = "https://gateway.example"


@dataclass
class Postbox:
    """Fills `Mailer`; each try raises the next of `failures`, while there are any."""

    sent: list[Mail] = field(default_factory=list)
    failures: list[MailFailed] = field(default_factory=list)

    async def __call__(self, mail: Mail) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(mail)

    @property
    def subjects(self) -> list[str]:
        return [mail.subject for mail in self.sent]

    def token(self) -> str:
        """That of the link in the last letter, which text and HTML have alike."""
        found = {match for part in (self.sent[-1].text, self.sent[-1].html) for match in links_in(part)}
        assert len(found) == 1
        return found.pop().partition("token=")[2]


def links_in(text: str) -> list[str]:
    return re.findall(rf"{ORIGIN}/account/[a-z-]+\?token=[\w-]+", text)


def postman(database: Database, mailer: Postbox, now: Callable[[], datetime]) -> Postman:
    return Postman(
        letters=PostgresLetters(database),
        tokens=PostgresLinkTokens(database),
        by_address=PostgresAccounts(database).by_email,
        by_id=PostgresAccounts(database).by_id,
        compose=Composer(ORIGIN, now),
        mailer=mailer,
        now=now,
        new_token=lambda: secrets.token_urlsafe(32),
    )
