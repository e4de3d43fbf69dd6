"""Passwords: what makes a good one, and Argon2id (RFC 9106) off the event loop."""

import asyncio
import os
import re
import sys
import threading
import time
import unicodedata
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from domain.platform.errors import Unavailable, UserError, UserErrorCode

T = TypeVar("T")

MIN_CHARACTERS = 8
MAX_CHARACTERS = 1_024
MAX_WAITING = 100
NICENESS = 10
REST = 2.0
"""How long a thread rests after a password, in times of what that took it: less than that is no matter to who
signs in, and a flood has a third of a thread's processor.
"""

_RULES: tuple[tuple[str, Callable[[str], bool]], ...] = (
    (f"The password has at least {MIN_CHARACTERS} characters.", lambda text: len(text) >= MIN_CHARACTERS),
    (f"The password has at most {MAX_CHARACTERS} characters.", lambda text: len(text) <= MAX_CHARACTERS),
    ("The password has a capital letter.", lambda text: any(map(str.isupper, text))),
    ("The password has a small letter.", lambda text: any(map(str.islower, text))),
    ("The password has a digit.", lambda text: re.search(r"\d", text) is not None),
)


def weaknesses(password: str) -> list[UserError]:
    """Every rule that the password breaks, in words that tell what a good one has."""
    text = _prepared(password)
    return [
        UserError(rule, UserErrorCode.INVALID, ("password",)) for rule, holds in _RULES if not holds(text)
    ]


def argon2id() -> PasswordHasher:
    """19 MiB, two passes, one lane: OWASP's first choice for servers."""
    return PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


class Passwords:
    """Hashes and verifies in a few threads of its own; beyond `MAX_WAITING` callers it is `Unavailable`."""

    def __init__(
        self,
        hasher: PasswordHasher,
        threads: ThreadPoolExecutor,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._hasher = hasher
        self._threads = threads
        self._rested = _Rested(sleep)
        self._waiting = 0
        # Verified against where there is no account, so that its absence takes as long as its presence.
        self._nobodys = hasher.hash("nobody's")

    @classmethod
    @asynccontextmanager
    async def open(cls, hasher: PasswordHasher | None = None) -> AsyncIterator["Passwords"]:
        # Half the processors, and these last: a flood of sign-ins must leave room for requests.
        threads = ThreadPoolExecutor(max(1, (os.cpu_count() or 2) // 2), "passwords", _stand_back)
        try:
            yield await asyncio.to_thread(cls, hasher or argon2id(), threads)
        finally:
            threads.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str) -> str:
        return await self._apart(lambda: self._hasher.hash(_encoded(password)))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether they belong together; without a hash never, at the same cost."""
        known = password_hash if password_hash is not None and _readable(password_hash) else None
        fits = await self._apart(lambda: self._fits(known or self._nobodys, password))
        return fits and known is not None

    def outdated(self, password_hash: str) -> bool:
        """Whether it was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    def _fits(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, _encoded(password))
        except (VerificationError, InvalidHashError):
            return False

    async def _apart(self, work: Callable[[], T]) -> T:
        if self._waiting >= MAX_WAITING:
            raise Unavailable("Too many people are signing in just now; try again in a moment.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._rested.do, work)
        finally:
            self._waiting -= 1


class _Rested(threading.local):
    """Work of one thread with pauses in between; what comes after a pause does not notice it."""

    def __init__(self, sleep: Callable[[float], None]) -> None:
        self._sleep = sleep
        self._rests_until = 0.0

    def do(self, work: Callable[[], T]) -> T:
        pause = self._rests_until - time.monotonic()
        if pause > 0:
            self._sleep(pause)
        began = time.thread_time()
        try:
            return work()
        finally:
            self._rests_until = time.monotonic() + REST * (time.thread_time() - began)


def _stand_back() -> None:
    """Lets everybody else go first, on systems where a thread has a niceness of its own."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.nice(NICENESS)  # there it is the calling thread's


def _readable(password_hash: str) -> bool:
    return password_hash.startswith("$argon2")


def _prepared(password: str) -> str:
    """One spelling of each character, as keyboards differ in it (RFC 8265, section 4.2)."""
    return unicodedata.normalize("NFC", password)


def _encoded(password: str) -> bytes:
    return _prepared(password[: MAX_CHARACTERS + 1]).encode(errors="surrogatepass")
