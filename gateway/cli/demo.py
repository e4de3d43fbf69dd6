"""The demo catalogue: works with offers, and accounts with a history."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from domain.identity.passwords import Passwords
from domain.ingestion.demo import DemoCatalogue
from domain.ingestion.postgres_accounts import load_accounts
from domain.ingestion.service import nobody
from domain.platform.postgres import Database
from gateway.app import demo_accounts
from gateway.cli.importing import import_into
from gateway.cli.screen import notes


async def load_demo(url: str, changed: Callable[[], Awaitable[None]] = nobody) -> None:
    """Into the database at `url`; safe to repeat. `changed` hears of each batch that changed something."""
    await import_into(url, DemoCatalogue(), "Demo catalogue", changed)
    accounts = demo_accounts()
    async with Database.open(url, min_connections=1) as database, Passwords.open() as passwords:
        await load_accounts(database, accounts, passwords.hash, datetime.now(UTC))
    names = ", ".join(account.email for account in accounts)
    notes().print(f"Demo accounts: {names}")
