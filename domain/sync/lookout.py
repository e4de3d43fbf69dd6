"""Looks into the log for what no message told, so that a lost message costs a second and nothing else."""

import asyncio
from contextlib import suppress
from typing import Protocol

import structlog

from domain.platform.errors import GatewayError

log = structlog.get_logger(__name__)

PERIOD_SECONDS = 1.0


class Listeners(Protocol):
    unsure: asyncio.Event
    """Set where messages may have been lost."""

    @property
    def accounts(self) -> list[str]: ...

    def point(self, account_id: str, seq: int) -> bool:
        """Says how far a log has come; whether that was news."""
        ...


class Latest(Protocol):
    async def latest_of(self, account_ids: list[str]) -> dict[str, int]: ...


class Lookout:
    """Compares the log with what listeners were told, for the accounts that somebody listens to."""

    def __init__(self, latest: Latest, listeners: Listeners) -> None:
        self._latest = latest
        self._listeners = listeners

    async def look(self) -> list[str]:
        """One look, at all of them in one statement; the accounts whose listeners had missed something."""
        accounts = self._listeners.accounts
        found = await self._latest.latest_of(accounts) if accounts else {}
        return [account for account, seq in found.items() if self._listeners.point(account, seq)]

    async def run(self) -> None:
        """Looks once a second, and at once where messages may have been lost, until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(PERIOD_SECONDS):
                    await self._listeners.unsure.wait()
            self._listeners.unsure.clear()
            try:
                await self.look()
            except GatewayError as error:
                log.warning("lookout.database_away", error=str(error))
                await asyncio.sleep(PERIOD_SECONDS)
