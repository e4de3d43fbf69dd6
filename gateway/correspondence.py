"""Letters, and what sends them."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from domain.identity.address_change import AddressChange
from domain.identity.administration import Administration
from domain.identity.closing import Closing
from domain.identity.eviction import Eviction
from domain.identity.exports import Exports
from domain.identity.postgres import PostgresAccounts
from domain.identity.postgres_holdings import PostgresHoldings
from domain.identity.postgres_letters import PostgresLetters, PostgresLinkTokens
from domain.identity.postman import Postman
from domain.identity.recovery import Recovery
from domain.identity.service import Accounts
from domain.identity.sessions import Sessions
from domain.platform.mail import Mailer
from domain.platform.mail_folder import FolderMailer
from domain.platform.postgres import Database
from domain.platform.smtp import SmtpMailer, SmtpServer
from domain.sync.postgres_outbox import PostgresOutbox
from gateway.letters import Composer
from gateway.settings import Settings
from gateway.worker import Job

TOKEN_BYTES = 32


@dataclass(frozen=True)
class Correspondence:
    """The letters that wait, the tokens in their links, and who sends them."""

    letters: PostgresLetters
    tokens: PostgresLinkTokens
    postman: Postman

    @property
    def jobs(self) -> tuple[Job, ...]:
        return (
            Job("letters.send", every_seconds=1.0, run=self.postman.run, eager=True),
            Job("letters.tidy", every_seconds=600.0, run=self.postman.tidy),
        )


def correspondence_of(settings: Settings, database: Database, now: Callable[[], datetime]) -> Correspondence:
    letters, tokens = PostgresLetters(database), PostgresLinkTokens(database)
    postman = Postman(
        letters=letters,
        tokens=tokens,
        by_address=PostgresAccounts(database).by_email,
        by_id=PostgresAccounts(database).by_id,
        compose=Composer(settings.issuer.rstrip("/"), now),
        mailer=mailer_of(settings),
        now=now,
        new_token=lambda: secrets.token_urlsafe(TOKEN_BYTES),
    )
    return Correspondence(letters, tokens, postman)


def recovery_of(
    accounts: Accounts,
    sessions: Sessions,
    correspondence: Correspondence,
    evict: Eviction,
    database: Database,
) -> Recovery:
    return Recovery(
        store=PostgresAccounts(database),
        recent=accounts.recent,
        passwords=accounts.passwords,
        letters=correspondence.letters,
        tokens=correspondence.tokens,
        sessions=sessions,
        announce=PostgresOutbox(database).announce,
        attempts=accounts.attempts,
        audit=accounts.audit,
        evict=evict,
        now=accounts.now,
        new_id=accounts.new_id,
    )


def address_change_of(recovery: Recovery, database: Database) -> AddressChange:
    return AddressChange(
        store=PostgresAccounts(database),
        recent=recovery.recent,
        letters=recovery.letters,
        tokens=recovery.tokens,
        sessions=recovery.sessions,
        announce=recovery.announce,
        attempts=recovery.attempts,
        audit=recovery.audit,
        now=recovery.now,
        new_id=recovery.new_id,
    )


def closing_of(
    accounts: Accounts,
    sessions: Sessions,
    administration: Administration,
    correspondence: Correspondence,
    database: Database,
) -> Closing:
    return Closing(
        store=PostgresHoldings(database),
        sessions=sessions,
        recent=accounts.recent,
        letters=correspondence.letters,
        tokens=correspondence.tokens,
        announce=PostgresOutbox(database).announce,
        hold=administration.hold,
        audit=accounts.audit,
        now=accounts.now,
        new_id=accounts.new_id,
    )


def exports_of(accounts: Accounts, correspondence: Correspondence, database: Database) -> Exports:
    return Exports(
        holdings=PostgresHoldings(database),
        tokens=correspondence.tokens,
        audit=accounts.audit,
        now=accounts.now,
        new_token=correspondence.postman.new_token,
    )


def mailer_of(settings: Settings) -> Mailer:
    """A mail server. Its loss degrades: letters wait until it is back."""
    if settings.smtp_host is None:
        return FolderMailer(settings.data_dir.resolve() / "mail", settings.mail_sender)
    password = settings.smtp_password
    server = SmtpServer(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_encryption,
        settings.smtp_username,
        password.get_secret_value() if password else None,
    )
    return SmtpMailer(server, settings.mail_sender)
