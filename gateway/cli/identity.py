"""Who people are, on the database of the settings, for commands."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from domain.identity.administration import Administration
from domain.identity.attempts import LocalAttempts
from domain.identity.audit import Audit
from domain.identity.model import Account
from domain.identity.postgres import PostgresAccounts
from domain.identity.postgres_administration import PostgresAdministration
from domain.identity.postgres_audit import PostgresAudit
from domain.identity.postgres_clients import PostgresClients
from domain.identity.recent import RecentAccounts
from domain.identity.registrations import Registrations
from domain.identity.service import Accounts
from domain.identity.sessions import Sessions
from domain.platform.postgres import Database
from gateway.cli.errors import Failed
from gateway.database import open_database_url
from gateway.identity import open_accounts, open_sessions
from gateway.settings import Settings
from gateway.time_and_ids import new_id, now


@dataclass(frozen=True)
class Identity:
    """What commands do with accounts and clients."""

    accounts: Accounts
    sessions: Sessions
    administration: Administration
    registrations: Registrations

    async def account(self, name: str) -> Account:
        """The one with this address, or the demonstration account of this name; raises `Failed`."""
        found = await self.accounts.named(name)
        if found is None:
            raise Failed(
                f"No account is called {name}: register it first. `media-gateway import demo` brings some to "
                "try things with."
            )
        return found


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Identity]:
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(open_database_url(settings))
        database = await stack.enter_async_context(Database.open(url, min_connections=1))
        recent = RecentAccounts(PostgresAccounts(database).accounts)
        audit = Audit(PostgresAudit(database), now)
        sessions = await open_sessions(settings, database, recent, audit, stack)
        yield Identity(
            accounts=await open_accounts(database, recent, LocalAttempts(), audit, stack),
            sessions=sessions,
            administration=Administration(PostgresAdministration(database), sessions, recent, audit, now),
            registrations=Registrations(PostgresClients(database), sessions, audit, now, new_id),
        )
