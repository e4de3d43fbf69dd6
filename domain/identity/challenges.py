"""Questions that a client has to answer within five minutes, by the token it was given with them."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from domain.platform.errors import Refused, UserErrorCode, refuse

HOLDS = timedelta(minutes=5)


class Purpose(StrEnum):
    """What the answer is good for."""

    SIGN_IN = "sign_in"
    """The second step of signing in."""
    PASSKEY_SIGN_IN = "passkey_sign_in"
    """Signing in with a passkey alone."""
    ADD_PASSKEY = "add_passkey"
    """Adding a passkey."""
    STEP_UP = "step_up"
    """Confirming who one is."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """A question, by the hash of its token; `nonce` is what a passkey has to sign."""

    digest: bytes
    purpose: Purpose
    account_id: str | None
    nonce: bytes = field(repr=False)
    expires_at: datetime


class Challenges(Protocol):
    """The questions that stand."""

    async def add(self, challenge: Challenge) -> None: ...

    async def find(self, digest: bytes, purpose: Purpose, now: datetime) -> Challenge | None: ...

    async def close(self, digest: bytes) -> bool:
        """Whether it stood until now: of two who answer at once, one closes it."""
        ...

    async def forget(self, before: datetime) -> int: ...


def digest_of(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


def challenge_refused() -> Refused:
    return refuse(
        "This took too long, or was done already; begin again.", UserErrorCode.NOT_FOUND, "challenge"
    )
