"""How long an answer takes tells nothing: of an address that is unknown, and of one that is not."""

import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest
from argon2 import PasswordHasher

from domain.identity.attempts import Allowance, AttemptLimit
from domain.identity.audit import SYSTEM
from domain.identity.passwords import Passwords, argon2id
from domain.identity.profile import Profile
from domain.identity.recovery import Recovery
from domain.identity.service import Accounts
from domain.platform.errors import Refused
from domain.platform.postgres import Database
from tests.accounts import PASSWORD, Desk

ROUNDS = 12
KNOWN, UNKNOWN = "ada@example.org", "eve@example.org"
NOISE = 0.25
"""The medians may differ by this share: far less than a hash left out, which is nearly all of the time."""


class Unlimited(AttemptLimit):
    """So that there is something to be measured."""

    async def attempt(self, key: str, allowance: Allowance) -> float:
        return 0.0

    async def forgive(self, key: str) -> None: ...


@pytest.fixture
async def passwords() -> AsyncIterator[Passwords]:
    """With the hashes that people get."""
    hasher: PasswordHasher = argon2id()
    async with Passwords.open(hasher) as passwords:
        yield passwords


async def medians(doing: Callable[[str], Awaitable[object]]) -> tuple[float, float]:
    """Seconds for the known and for the unknown address, asked in turns so that both meet one weather."""
    taken: dict[str, list[float]] = {KNOWN: [], UNKNOWN: []}
    for turn in range(2 * ROUNDS):
        for email in (KNOWN, UNKNOWN) if turn % 2 else (UNKNOWN, KNOWN):
            began = time.perf_counter()
            await doing(email)
            taken[email].append(time.perf_counter() - began)
    return statistics.median(taken[KNOWN]), statistics.median(taken[UNKNOWN])


async def test_signing_in_takes_as_long_whoever_has_the_address(
    desk: Desk, database: Database, passwords: Passwords
) -> None:
    accounts: Accounts = replace(desk.service, passwords=passwords, attempts=Unlimited())
    await accounts.register(KNOWN, PASSWORD, Profile("Ada", "GB"), SYSTEM)

    async def sign_in(email: str) -> None:
        with pytest.raises(Refused):
            await accounts.sign_in(email, "Wrong horse 7", SYSTEM)

    known, unknown = await medians(sign_in)

    assert abs(known - unknown) < NOISE * max(known, unknown), (known, unknown)
    assert min(known, unknown) > 0.002  # both were hashed


async def test_asking_for_a_reset_takes_as_long_whoever_has_the_address(desk: Desk) -> None:
    recovery: Recovery = replace(desk.recovery, attempts=Unlimited())
    await desk.service.register(KNOWN, PASSWORD, Profile("Ada", "GB"), SYSTEM)

    known, unknown = await medians(recovery.request_reset)

    assert abs(known - unknown) < NOISE * max(known, unknown), (known, unknown)
