"""Looks at what other processes may have set, again and again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from domain.platform.errors import GatewayError

log = structlog.get_logger(__name__)

LOOK_EVERY_SECONDS: Final = 0.7


async def look_again(look: Callable[[], Awaitable[None]], name: str) -> None:
    """Looks until cancelled; what cannot be seen is logged under `name`, and what was seen before counts."""
    while True:
        try:
            await look()
        except GatewayError as error:
            log.warning("looking.unknown", at=name, error=str(error))
        except Exception:
            # As where the table is missing while migrations go down and up.
            log.exception("looking.unreadable", at=name)
        await asyncio.sleep(LOOK_EVERY_SECONDS)
