"""Looks into the log for what no message told, so that a lost message costs a second and nothing else."""

import asyncio
from typing import Protocol

import structlog

from domain.platform.errors import GatewayError

log = structlog.get_logger(__name__)

PERIOD_SECONDS = 1.0


class Listeners(Protocol):
    @property
    def accounts(self) -> list[str]: ...

    def nudge(self, account_ids: list[str]) -> None: ...


class Latest(Protocol):
    async def latest_of(self, account_ids: list[str]) -> dict[str, int]: ...


class Lookout:
    """Compares the log with what it saw a moment ago, for the accounts that somebody listens to."""

    def __init__(self, latest: Latest, listeners: Listeners) -> None:
        self._latest = latest
        self._listeners = listeners
        self._known: dict[str, int] = {}

    async def look(self) -> list[str]:
        """One look; nudges the listeners of the accounts that have moved on, and names them."""
        accounts = self._listeners.accounts
        if not accounts:
            self._known = {}
            return []
        found = await self._latest.latest_of(accounts)
        moved = [account for account, seq in found.items() if self._known.get(account) != seq]
        self._known = found
        self._listeners.nudge(moved)
        return moved

    async def run(self) -> None:
        """Looks once a second, until cancelled."""
        while True:
            await asyncio.sleep(PERIOD_SECONDS)
            try:
                await self.look()
            except GatewayError as error:
                log.warning("lookout.database_away", error=str(error))
