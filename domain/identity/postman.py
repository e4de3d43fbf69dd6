"""Sends the letters that wait: the links in them are made now, so that no secret lies in the queue."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from domain.identity.letters import ADDRESSEE, ATTEMPTS, KEPT, Letter, LetterKind, Letters, pause
from domain.identity.links import LIVES, LinkToken, LinkTokens, Purpose, digest_of
from domain.identity.model import Account
from domain.platform.mail import Mail, Mailer, MailFailed, MailRefused

log = structlog.get_logger(__name__)

AT_ONCE = 10
LEASE = timedelta(minutes=2)
"""Longer than a mailer may take; a letter whose process died is sent by another one after this."""

LINKS = {
    LetterKind.VERIFY_EMAIL: Purpose.VERIFY_EMAIL,
    LetterKind.RESET_PASSWORD: Purpose.RESET_PASSWORD,
    LetterKind.CHANGE_EMAIL: Purpose.CHANGE_EMAIL,
    LetterKind.ACCOUNT_DELETED: Purpose.RECOVER_ACCOUNT,
}

FROM_POSTING = frozenset({Purpose.RECOVER_ACCOUNT})
"""Links that hold until what they prevent is done, however late the letter left."""

Compose = Callable[[Letter, Account, str | None], Mail]
"""A letter in the words of its reader's language, with the token of its link where it has one."""
Find = Callable[[str], Awaitable[Account | None]]


@dataclass(frozen=True)
class Postman:
    """At least once: a letter is forgotten when the mail server has taken it."""

    letters: Letters
    tokens: LinkTokens
    by_address: Find
    by_id: Find
    compose: Compose
    mailer: Mailer
    now: Callable[[], datetime]
    new_token: Callable[[], str]

    async def run(self) -> int:
        """Sends what is due, some at a time; how many letters were taken in hand."""
        now = self.now()
        due = await self.letters.claim(AT_ONCE, now, now + LEASE)
        await asyncio.gather(*(self._deliver(letter) for letter in due))
        return len(due)

    async def tidy(self) -> int:
        now = self.now()
        return await self.letters.forget(now - KEPT) + await self.tokens.forget(now)

    async def _deliver(self, letter: Letter) -> None:
        try:
            account = await self._addressee(letter)
            mail = None
            if account is not None and _wanted(letter, account):
                mail = await self._mail(letter, account)
            if mail is not None:
                await self.mailer(mail)
        except MailFailed as failure:
            await self._failed(letter, failure)
        except Exception:
            # Ours, so all the others must not wait for it.
            log.exception("letter.unsendable", letter=letter.id, kind=letter.kind.value)
            await self._failed(letter, MailFailed("it could not be written"))
        else:
            await self.letters.sent(letter.id)

    async def _addressee(self, letter: Letter) -> Account | None:
        holder = await self.by_address(letter.address)
        if ADDRESSEE not in letter.details:
            return holder
        # An account moves to an address that nobody has; who has one already is not written to.
        taken = letter.kind is LetterKind.CHANGE_EMAIL and holder is not None
        return None if taken else await self.by_id(letter.details[ADDRESSEE])

    async def _mail(self, letter: Letter, account: Account) -> Mail | None:
        """What is sent; nothing of a letter with a link that was withdrawn meanwhile."""
        purpose = LINKS.get(letter.kind)
        if purpose is None:
            return self.compose(letter, account, None)
        token = self.new_token()
        expires_at = (
            letter.posted_at + LIVES[purpose] if purpose in FROM_POSTING else self.now() + LIVES[purpose]
        )
        kept = LinkToken(digest_of(token), purpose, account.id, letter.address, expires_at)
        if not await self.tokens.add(kept, letter.id):
            return None
        return self.compose(letter, account, token)

    async def _failed(self, letter: Letter, failure: MailFailed) -> None:
        final = isinstance(failure, MailRefused) or letter.attempts >= ATTEMPTS
        again_at = None if final else self.now() + pause(letter.attempts)
        await self.letters.failed(letter.id, str(failure), again_at)
        tell = log.error if final else log.warning
        tell(
            "letter.failed",
            letter=letter.id,
            kind=letter.kind.value,
            attempts=letter.attempts,
            reason=str(failure),
        )


def _wanted(letter: Letter, account: Account) -> bool:
    """Whether it still makes sense by the time it is sent."""
    if letter.kind is LetterKind.ACCOUNT_DELETED:
        return account.closed_at is not None
    if letter.kind is LetterKind.VERIFY_EMAIL:
        return account.email_verified_at is None
    return account.suspended_at is None
