"""Passwords: the policy, the parameters, and equal work for everybody."""

import asyncio
import os
import sys
import threading
import time
import unicodedata
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher

from domain.identity import passwords
from domain.identity.passwords import NICENESS, REST, Passwords, argon2id, weaknesses
from domain.platform.errors import Unavailable
from tests.accounts import CountingHasher


@pytest.mark.parametrize(
    ("password", "broken"),
    [
        ("Abcdefg1", []),
        ("Äöüßäöü1", []),
        ("Abcdef1", ["at least 8"]),
        ("abcdefg1", ["capital"]),
        ("ABCDEFG1", ["small"]),
        ("Abcdefgh", ["digit"]),
        ("", ["at least 8", "capital", "small", "digit"]),
        ("Aa1" + "x" * 1_021, []),
        ("Aa1" + "x" * 1_022, ["at most 1024"]),
    ],
)
def test_every_broken_rule_is_named(password: str, broken: list[str]) -> None:
    found = weaknesses(password)

    assert len(found) == len(broken)
    assert all(rule in error.message for rule, error in zip(broken, found, strict=True))
    assert {error.field for error in found} <= {("password",)}


def test_a_hash_states_the_parameters_of_the_policy() -> None:
    assert argon2id().hash("Abcdefg1").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_a_password_fits_its_hash_alone() -> None:
    async with Passwords.open(CountingHasher()) as opened:
        made = await opened.hash("Abcdefg1")

        fits = [await opened.verify(made, text) for text in ("Abcdefg1", "Abcdefg2", "", "\ud800")]

    assert fits == [True, False, False, False]


async def test_both_spellings_of_an_umlaut_are_one_password() -> None:
    async with Passwords.open(CountingHasher()) as opened:
        made = await opened.hash(unicodedata.normalize("NFD", "Schlüssel1"))

        assert await opened.verify(made, unicodedata.normalize("NFC", "Schlüssel1"))


@pytest.mark.parametrize("kept", [None, "", "$2b$12$abcdefghijklmnopqrstuv"])
async def test_where_there_is_no_hash_nothing_fits_and_the_work_is_done(kept: str | None) -> None:
    hasher = CountingHasher()
    async with Passwords.open(hasher) as opened:
        hasher.calls.clear()

        assert not await opened.verify(kept, "nobody's")

    assert hasher.calls == ["verify"]


async def test_a_hash_of_other_parameters_is_outdated() -> None:
    async with Passwords.open(CountingHasher(time_cost=2)) as opened:
        assert opened.outdated(CountingHasher(time_cost=1).hash("Abcdefg1"))
        assert not opened.outdated(await opened.hash("Abcdefg1"))


async def test_the_event_loop_goes_on_while_passwords_are_hashed() -> None:
    async with Passwords.open() as opened:
        hashing = asyncio.gather(*(opened.hash("Abcdefg1") for _ in range(4)))
        turns = 0
        while not hashing.done():
            await asyncio.sleep(0)
            turns += 1
        await hashing

    assert turns > 100


async def test_beyond_the_waiting_room_callers_are_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "MAX_WAITING", 2)
    hasher = CountingHasher()
    with ThreadPoolExecutor(1) as threads:
        opened = Passwords(hasher, threads)
        hasher.calls.clear()

        outcomes = await asyncio.gather(*(opened.hash("Abcdefg1") for _ in range(3)), return_exceptions=True)
        afterwards = await opened.hash("Abcdefg1")

    assert [isinstance(outcome, Unavailable) for outcome in outcomes] == [False, False, True]
    assert PasswordHasher().verify(afterwards, "Abcdefg1")
    assert len(hasher.calls) == 3


async def test_a_thread_rests_after_each_password_as_long_as_the_next_one_waits_for_it() -> None:
    pauses: list[float] = []
    busy: list[float] = []

    def work() -> None:
        began = time.thread_time()
        while time.thread_time() - began < 0.01:
            pass
        busy.append(time.thread_time() - began)

    with ThreadPoolExecutor(1) as threads:
        opened = Passwords(CountingHasher(), threads, sleep=pauses.append)
        await opened._apart(work)
        assert not pauses

        await opened._apart(work)
        assert len(pauses) == 1
        assert 0 < pauses[0] <= REST * busy[0] + 0.01

        await asyncio.sleep(REST * busy[1] + 0.1)
        await opened._apart(work)
        assert len(pauses) == 1


async def test_a_failure_is_followed_by_a_rest_as_well() -> None:
    pauses: list[float] = []

    def fail() -> None:
        began = time.thread_time()
        while time.thread_time() - began < 0.01:
            pass
        raise LookupError("as it happens")

    with ThreadPoolExecutor(1) as threads:
        opened = Passwords(CountingHasher(), threads, sleep=pauses.append)
        outcomes = await asyncio.gather(*(opened._apart(fail) for _ in range(2)), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [LookupError, LookupError]
    assert len(pauses) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a niceness of their own on Linux")
async def test_who_hashes_lets_requests_go_first() -> None:
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    async with Passwords.open(CountingHasher()) as passwords:
        hashing = await passwords._apart(niceness)

    assert hashing == min(19, niceness() + NICENESS)
