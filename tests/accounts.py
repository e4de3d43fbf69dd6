"""Accounts for tests: cheap passwords, a key of the test's own, a clock that the test turns."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from domain.identity.address_change import AddressChange
from domain.identity.administration import Administration
from domain.identity.api_keys import ApiKeys
from domain.identity.attempts import LocalAttempts
from domain.identity.audit import SYSTEM, Audit
from domain.identity.closing import Closing
from domain.identity.eviction import Eviction
from domain.identity.exports import Exports
from domain.identity.factors import SecondFactors
from domain.identity.federation import Links
from domain.identity.keys import SigningKey, SigningKeys, new_key
from domain.identity.limits import RateLimits
from domain.identity.model import FIRST_PARTY, Account, Caller, LoginSession, Role, Tier
from domain.identity.passkeys import RelyingParty
from domain.identity.passwords import Passwords
from domain.identity.policy import Policy, granted
from domain.identity.postgres import PostgresAccounts
from domain.identity.postgres_administration import PostgresAdministration
from domain.identity.postgres_audit import PostgresAudit
from domain.identity.postgres_clients import PostgresClients
from domain.identity.postgres_factors import PostgresChallenges, PostgresFactors, PostgresProofs
from domain.identity.postgres_federation import PostgresLinks
from domain.identity.postgres_holdings import PostgresHoldings
from domain.identity.postgres_keys import PostgresApiKeys
from domain.identity.postgres_limits import PostgresRateLimits
from domain.identity.postgres_sessions import PostgresRevocations, PostgresSessions
from domain.identity.postgres_viewing import PostgresViewing
from domain.identity.postman import Postman
from domain.identity.recent import RecentAccounts, RecentClients
from domain.identity.recovery import Recovery
from domain.identity.registrations import Registrations
from domain.identity.revocations import Revocations
from domain.identity.sealing import Sealer
from domain.identity.sealing import new_key as new_sealing_key
from domain.identity.service import Accounts
from domain.identity.sessions import Lifetimes, Sessions
from domain.identity.sign_ins import SignIns
from domain.identity.step_up import StepUp
from domain.identity.tokens import Issuer, Tokens
from domain.identity.viewing import Viewing
from domain.platform.postgres import Database
from domain.platform.rates import LocalRates
from domain.sync.postgres_outbox import PostgresOutbox
from gateway.correspondence import address_change_of
from tests.postbox import Postbox, postman

ISSUER = "https://gateway.example"
PASSWORD = "Correct horse 7"
LIFETIME_SECONDS = 900
IDLE, ABSOLUTE, GRACE = timedelta(days=7), timedelta(days=30), timedelta(seconds=10)
NOBODY = SYSTEM
"""Who acts, where a test does not care."""


@dataclass
class Clock:
    """Now, for wall clocks (`now`) and monotonic ones (`seconds`) at once."""

    at: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def seconds(self) -> float:
        return self.at.timestamp()

    def turn(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class CountingHasher(PasswordHasher):
    """Cheap, and it counts: how long sign-in takes is how often it hashes."""

    def __init__(self, time_cost: int = 1) -> None:
        super().__init__(time_cost=time_cost, memory_cost=8, parallelism=1)
        self.calls: list[str] = []

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        self.calls.append("hash")
        return super().hash(password, salt=salt)

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]  # noqa: A002
        try:
            fits = super().verify(hash, password)
        except VerifyMismatchError:
            self.calls.append("verify")
            raise
        # A hash that cannot be read is refused without work, and not counted.
        self.calls.append("verify")
        return fits


@dataclass
class Desk:
    """The service of accounts and the parts that tests look at."""

    service: Accounts
    sessions: Sessions
    clock: Clock
    hasher: CountingHasher
    keys: ApiKeys
    limits: RateLimits
    registrations: Registrations
    administration: Administration
    recovery: Recovery
    address_change: AddressChange
    postbox: Postbox
    postman: Postman
    factors: SecondFactors
    sign_ins: SignIns
    step_up: StepUp
    viewing: Viewing
    closing: Closing
    exports: Exports
    links: Links
    opened: list[Account] = field(default_factory=list)

    @property
    def services(self) -> dict[str, Any]:
        """What the graph asks of identity."""
        return {
            "accounts": self.service,
            "sessions": self.sessions,
            "recovery": self.recovery,
            "address_change": self.address_change,
            "second_factors": self.factors,
            "sign_ins": self.sign_ins,
            "step_up": self.step_up,
            "keys": self.keys,
            "limits": self.limits,
            "registrations": self.registrations,
            "administration": self.administration,
            "closing": self.closing,
            "links": self.links,
            "policy": Policy(),
            "now": self.clock.now,
        }

    async def token(self, account: Account) -> str:
        """An access token of a new session."""
        return (await self.sessions.start(account, NOBODY)).access.value


@asynccontextmanager
async def opened_desk(database: Database, keys: SigningKeys | None = None) -> AsyncIterator[Desk]:
    clock = Clock()
    hasher = CountingHasher()
    store = PostgresAccounts(database)
    postbox = Postbox()
    sending = postman(database, postbox, clock.now)
    recent = RecentAccounts(store.accounts, clock.seconds)
    sessions = sessions_on(database, clock, recent, keys)
    async with Passwords.open(hasher) as passwords:
        service = Accounts(
            store=store,
            recent=recent,
            passwords=passwords,
            attempts=LocalAttempts(clock.seconds),
            audit=Audit(PostgresAudit(database), clock.now),
            letters=sending.letters,
            now=clock.now,
            new_id=new_id,
        )
        factors = SecondFactors(
            store=PostgresFactors(database),
            challenges=PostgresChallenges(database),
            relying_party=RelyingParty("gateway.example", "Media Gateway", (ISSUER,)),
            sealer=Sealer.of(new_sealing_key()),
            letters=sending.letters,
            attempts=service.attempts,
            audit=service.audit,
            now=clock.now,
            new_id=new_id,
        )
        own_keys = keys_on(database, sessions)
        recovery = Recovery(
            store=store,
            recent=recent,
            passwords=passwords,
            letters=sending.letters,
            tokens=sending.tokens,
            sessions=sessions,
            announce=PostgresOutbox(database).announce,
            attempts=service.attempts,
            audit=service.audit,
            evict=Eviction(own_keys, factors),
            now=clock.now,
            new_id=new_id,
        )
        address_change = address_change_of(recovery, database)
        viewing = viewing_on(database, clock, sessions, passwords)
        step_up = StepUp(
            factors=factors,
            proofs=PostgresProofs(database),
            hashes=store,
            passwords=passwords,
            hold=sessions.hold_session,
            limited=viewing.limits,
            now=clock.now,
        )
        sign_ins = SignIns(store, factors, sessions.hold)
        administration = administration_on(database, sessions)
        hasher.calls.clear()
        audit = service.audit
        yield Desk(
            service=service,
            sessions=sessions,
            clock=clock,
            hasher=hasher,
            keys=own_keys,
            limits=RateLimits(PostgresRateLimits(database), LocalRates(clock.seconds), audit, clock.now),
            registrations=Registrations(PostgresClients(database), sessions, audit, clock.now, new_id),
            administration=administration,
            recovery=recovery,
            address_change=address_change,
            postbox=postbox,
            postman=sending,
            factors=factors,
            sign_ins=sign_ins,
            step_up=step_up,
            viewing=viewing,
            closing=Closing(
                store=PostgresHoldings(database),
                sessions=sessions,
                recent=recent,
                letters=sending.letters,
                tokens=sending.tokens,
                announce=PostgresOutbox(database).announce,
                hold=administration.hold,
                audit=service.audit,
                now=clock.now,
                new_id=new_id,
            ),
            exports=Exports(
                PostgresHoldings(database), sending.tokens, service.audit, clock.now, sending.new_token
            ),
            links=Links(PostgresLinks(database), service.audit),
        )


def viewing_on(database: Database, clock: Clock, sessions: Sessions, passwords: Passwords) -> Viewing:
    """Viewing profiles as one process keeps them."""
    return Viewing(
        store=PostgresViewing(database),
        sessions=sessions,
        recent=sessions.recent,
        passwords=passwords,
        attempts=LocalAttempts(clock.seconds),
        audit=Audit(PostgresAudit(database), clock.now),
        now=clock.now,
        new_id=new_id,
    )


def sessions_on(
    database: Database, clock: Clock, recent: RecentAccounts, keys: SigningKeys | None = None
) -> Sessions:
    """The sessions as one process keeps them."""
    return Sessions(
        store=PostgresSessions(database),
        tokens=tokens(clock, keys),
        recent=recent,
        clients=RecentClients(PostgresClients(database).clients, clock.seconds),
        revocations=Revocations(PostgresRevocations(database), clock.now),
        lifetimes=Lifetimes(IDLE, ABSOLUTE, GRACE),
        audit=Audit(PostgresAudit(database), clock.now),
        now=clock.now,
        new_id=new_id,
    )


def keys_on(database: Database, sessions: Sessions) -> ApiKeys:
    """The API keys as the process of these sessions keeps them."""
    store = PostgresApiKeys(database)
    return ApiKeys(
        store, sessions.recent, sessions.revocations, sessions.audit, sessions.now, sessions.new_id
    )


def administration_on(database: Database, sessions: Sessions) -> Administration:
    """What administrators do in the process of these sessions."""
    store = PostgresAdministration(database)
    return Administration(store, sessions, sessions.recent, sessions.audit, sessions.now)


def a_session(account: Account, clock: Clock, *, scopes: frozenset[str] | None = None) -> LoginSession:
    """A session of the account that has just started."""
    return LoginSession(
        id=new_id(),
        family_id=new_id(),
        account_id=account.id,
        client_id=FIRST_PARTY,
        scopes=scopes,
        methods=("pwd",),
        authenticated_at=clock.now(),
        created_at=clock.now(),
        last_used_at=clock.now(),
        expires_at=clock.now() + IDLE,
        final_at=clock.now() + ABSOLUTE,
        address=None,
        user_agent=None,
    )


def new_id() -> str:
    return str(uuid4())


def some_keys() -> SigningKeys:
    return SigningKeys(SigningKey.of(new_key()))


def tokens(clock: Clock, keys: SigningKeys | None = None) -> Tokens:
    return Tokens(keys or some_keys(), Issuer(ISSUER, ISSUER, LIFETIME_SECONDS), clock.now, new_id)


def somebody(account_id: str, *roles: Role) -> Caller:
    """A caller with a token of sign-in."""
    return Caller(account_id, frozenset(roles), granted(roles))


def an_account(
    identity: str | None = None, *, roles: tuple[Role, ...] = (Role.VIEWER,), tier: Tier = Tier.FREE
) -> Account:
    return Account(
        id=identity or new_id(),
        email="ada@example.org",
        display_name="Ada",
        region="GB",
        language="en",
        roles=roles,
        tier=tier,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        suspended_at=None,
    )
