"""What a token costs: issued, verified for the first time, and known from a request before."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import median
from uuid import uuid4

from bench.measures import Result
from domain.identity.keys import SigningKey, SigningKeys, new_key
from domain.identity.model import FIRST_PARTY, Account, LoginSession, Role, Tier
from domain.identity.tokens import Issuer, Tokens

ISSUER = "https://gateway.example"
ROUNDS = 7
TOKENS = 300
KNOWN = 20


def new_id() -> str:
    return str(uuid4())


async def measure(say: Callable[[str], None], report: Callable[[Result], None]) -> None:
    for algorithm in ("EdDSA", "RS256"):
        say(f"signing and verifying {algorithm} …")
        keys = SigningKeys(SigningKey.of(new_key(algorithm)))
        issued, first, known = _microseconds(keys)
        report(Result(f"token issued, {algorithm}", figure=issued, unit="µs"))
        report(Result(f"token verified, {algorithm}", figure=first, unit="µs", note="key at hand"))
        report(Result(f"token known, {algorithm}", figure=known, unit="µs", note="verified before"))


def _microseconds(keys: SigningKeys) -> tuple[float, float, float]:
    """Medians of rounds: of issuing, of a first verification, and of one again."""
    issuing = Tokens(keys, Issuer(ISSUER, ISSUER, 900), lambda: datetime.now(UTC), new_id)
    account, session = _somebody()
    sessions = [replace(session, id=new_id()) for _ in range(TOKENS)]
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        texts = [issuing.issue(account, each).value for each in sessions]
        issued = time.process_time() - began
        rounds.append((issued / TOKENS, *_verified(keys, texts)))
    one, two, three = (median(times) * 1e6 for times in zip(*rounds, strict=True))
    return one, two, three


def _verified(keys: SigningKeys, texts: Sequence[str]) -> tuple[float, float]:
    """Seconds of CPU each, of tokens that are new to a process, and of those that it knows."""
    verifying = Tokens(keys, Issuer(ISSUER, ISSUER, 900), lambda: datetime.now(UTC), new_id)
    began = time.process_time()
    for text in texts:
        verifying.verify(text)
    first = time.process_time() - began
    began = time.process_time()
    for _ in range(KNOWN):
        for text in texts:
            verifying.verify(text)
    again = time.process_time() - began
    return first / len(texts), again / len(texts) / KNOWN


def _somebody() -> tuple[Account, LoginSession]:
    now = datetime.now(UTC)
    account = Account(new_id(), None, "Ada", "GB", "en", (Role.VIEWER,), Tier.FREE, now, None)
    session = LoginSession(
        id=new_id(),
        family_id=new_id(),
        account_id=account.id,
        client_id=FIRST_PARTY,
        scopes=None,
        methods=("pwd",),
        authenticated_at=now,
        created_at=now,
        last_used_at=now,
        expires_at=now + timedelta(days=7),
        final_at=now + timedelta(days=30),
        address=None,
        user_agent=None,
    )
    return account, session
