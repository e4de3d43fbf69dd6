"""How long an answer takes tells nothing: of an address that is unknown, and of one that is not."""

import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from math import comb

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
from tests.servers import StatementCounter

ROUNDS = 30
KNOWN, UNKNOWN = "ada@example.org", "eve@example.org"
CHANCE = 0.001
"""That addresses of which nothing can be told are told apart nevertheless, if they differ much as well."""
MUCH = 0.25
"""By how much the medians differ then: a hash left out is nearly all of the time."""


class Unlimited(AttemptLimit):
    """So that there is something to be measured."""

    async def attempt(self, key: str, allowance: Allowance) -> float:
        return 0.0

    async def forgive(self, key: str) -> None: ...


class Hasty(Passwords):
    """Hashes nothing where there is nothing to compare with: the mistake that these tests are there for."""

    async def verify(self, password_hash: str | None, password: str) -> bool:
        return password_hash is not None and await super().verify(password_hash, password)


@pytest.fixture
async def passwords() -> AsyncIterator[Passwords]:
    """With the hashes that people get."""
    hasher: PasswordHasher = argon2id()
    async with Passwords.open(hasher) as passwords:
        yield passwords


async def told_apart(doing: Callable[[str], Awaitable[object]]) -> bool:
    """Whether the time of this process tells the known address from the unknown one.

    They are asked in turns, so that both meet one weather, and measured by the processor's time of all
    threads, which others who are busy take nothing of.
    """
    known: list[float] = []
    unknown: list[float] = []
    for turn in range(ROUNDS + 1):
        for email, taken in ((KNOWN, known), (UNKNOWN, unknown))[:: 1 if turn % 2 else -1]:
            began = time.process_time()
            await doing(email)
            taken.append(time.process_time() - began)
    known, unknown = known[1:], unknown[1:]  # the first ones warm up
    medians = statistics.median(known), statistics.median(unknown)
    return _by_chance(known, unknown) < CHANCE and abs(medians[0] - medians[1]) > MUCH * max(medians)


def _by_chance(some: Sequence[float], others: Sequence[float]) -> float:
    """How probable it is that one of two alike is the slower one in so many pairs (the sign test)."""
    slower = sum(one > other for one, other in zip(some, others, strict=True))
    tail = max(slower, len(some) - slower)
    outcomes = sum(comb(len(some), n) for n in range(tail, len(some) + 1))
    return min(1.0, 2 * outcomes / 2.0 ** len(some))


def signing_in(accounts: Accounts) -> Callable[[str], Awaitable[object]]:
    async def sign_in(email: str) -> None:
        with pytest.raises(Refused):
            await accounts.sign_in(email, "Wrong horse 7", SYSTEM)

    return sign_in


@pytest.fixture
async def accounts(desk: Desk, passwords: Passwords) -> Accounts:
    found: Accounts = replace(desk.service, passwords=passwords, attempts=Unlimited())
    await found.register(KNOWN, PASSWORD, Profile("Ada", "GB"), SYSTEM)
    return found


@pytest.mark.parametrize(
    "state",
    [
        "id = id",
        "suspended_at = now()",
        "closed_at = now(), suspended_at = now()",
        "email_verified_at = now()",
    ],
)
async def test_signing_in_takes_as_long_whoever_has_the_address(
    accounts: Accounts, database: Database, statements: StatementCounter, state: str
) -> None:
    await database.execute(f"UPDATE account SET {state}")
    sign_in = signing_in(accounts)

    assert not await told_apart(sign_in)
    assert await asked(statements, sign_in, KNOWN) == await asked(statements, sign_in, UNKNOWN)


async def test_an_account_without_a_password_takes_as_long(accounts: Accounts, database: Database) -> None:
    await database.execute("UPDATE account SET password_hash = NULL")

    assert not await told_apart(signing_in(accounts))


async def test_a_hash_that_is_left_out_would_be_noticed(accounts: Accounts, passwords: Passwords) -> None:
    passwords.__class__ = Hasty

    assert await told_apart(signing_in(accounts))


async def test_asking_for_a_reset_takes_as_long_whoever_has_the_address(
    desk: Desk, statements: StatementCounter
) -> None:
    recovery: Recovery = replace(desk.recovery, attempts=Unlimited())
    await desk.service.register(KNOWN, PASSWORD, Profile("Ada", "GB"), SYSTEM)

    assert not await told_apart(recovery.request_reset)
    known = await asked(statements, recovery.request_reset, KNOWN)
    assert known == await asked(statements, recovery.request_reset, UNKNOWN)


async def asked(
    statements: StatementCounter, doing: Callable[[str], Awaitable[object]], email: str
) -> list[str]:
    """The statements that reached the database."""
    statements.clear()
    await doing(email)
    return list(statements.seen)
