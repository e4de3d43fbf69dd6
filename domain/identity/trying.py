"""Limits on trying: who tries too often is told when to come back."""

import hashlib
import math

from domain.identity.attempts import Allowance, AttemptLimit
from domain.platform.errors import TooManyRequests


async def take(attempts: AttemptLimit, allowance: Allowance, what: str, *whose: str) -> None:
    """Takes one attempt at `what`; raises `TooManyRequests` where there is none left.

    `whose` is hashed: keys are short, and no address lies open in the store of the limits.
    """
    wait = await attempts.attempt(_key(what, whose), allowance)
    if wait > 0:
        seconds = math.ceil(wait)
        raise TooManyRequests(f"Too many attempts; try again in {seconds} seconds.", retryAfter=seconds)


async def forgive(attempts: AttemptLimit, what: str, *whose: str) -> None:
    """Forgets what was tried, as it went well at last."""
    await attempts.forgive(_key(what, whose))


def _key(what: str, whose: tuple[str, ...]) -> str:
    return f"{what}:{hashlib.sha256(chr(0).join(whose).encode(errors='surrogatepass')).hexdigest()}"
