"""Opens who people are: accounts and their sessions."""

from contextlib import AsyncExitStack
from datetime import timedelta

from domain.identity.attempts import AttemptLimit
from domain.identity.audit import Audit
from domain.identity.passwords import Passwords
from domain.identity.postgres import PostgresAccounts
from domain.identity.postgres_clients import PostgresClients
from domain.identity.postgres_letters import PostgresLetters
from domain.identity.postgres_sessions import PostgresRevocations, PostgresSessions
from domain.identity.recent import RecentAccounts, RecentClients
from domain.identity.revocations import Revocations
from domain.identity.service import Accounts
from domain.identity.sessions import Lifetimes, Sessions
from domain.identity.tokens import Issuer, Tokens
from domain.platform.postgres import Database
from gateway.background import in_background
from gateway.oauth.opening import resources_of
from gateway.settings import Settings
from gateway.signing import open_keys
from gateway.time_and_ids import new_id, now


async def open_sessions(
    settings: Settings, database: Database, recent: RecentAccounts, audit: Audit, stack: AsyncExitStack
) -> Sessions:
    """The sessions, and what of them was revoked, kept in step with the other processes."""
    revocations = Revocations(PostgresRevocations(database), now)
    await stack.enter_async_context(in_background(revocations.run()))
    issuer = Issuer(
        settings.issuer,
        settings.issuer,
        settings.access_token_seconds,
        tuple(resources_of(settings.issuer)),
    )
    keys = await stack.enter_async_context(open_keys(settings, database))
    return Sessions(
        store=PostgresSessions(database),
        tokens=Tokens(keys, issuer, now, new_id),
        recent=recent,
        clients=RecentClients(PostgresClients(database).clients),
        revocations=revocations,
        lifetimes=Lifetimes(
            idle=timedelta(seconds=settings.refresh_token_seconds),
            absolute=timedelta(seconds=settings.session_seconds),
            grace=timedelta(seconds=settings.refresh_grace_seconds),
        ),
        audit=audit,
        now=now,
        new_id=new_id,
    )


async def open_accounts(
    database: Database, recent: RecentAccounts, attempts: AttemptLimit, audit: Audit, stack: AsyncExitStack
) -> Accounts:
    return Accounts(
        store=PostgresAccounts(database),
        recent=recent,
        passwords=await stack.enter_async_context(Passwords.open()),
        attempts=attempts,
        audit=audit,
        letters=PostgresLetters(database),
        now=now,
        new_id=new_id,
    )
