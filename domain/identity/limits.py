"""How often who may ask what: one table of endpoints and tiers, which administrators change while it runs.

An endpoint is a name such as `oauth.token`; `oauth.*` stands for all that begin so, `*` for all. The most
exact entry counts, one that an administrator made before one of ours. GraphQL operations are not in here:
they are charged what they cost, see `spending.py`.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple, Protocol

from domain.identity.audit import Action, Actor, Audit
from domain.identity.looking import look_again
from domain.identity.model import Tier
from domain.platform.addresses import network_of
from domain.platform.errors import Refused, TooManyRequests, UserError, UserErrorCode
from domain.platform.rates import Cell, Rate, RateLimiter, Verdict

MOST_PER_HOUR: Final = 10_000_000
SHARED: Final = 10
"""How many clients of one address may each ask as often as one may."""
_NAME: Final = re.compile(r"\*|[a-zA-Z][a-zA-Z0-9_]*(\.[a-zA-Z0-9_-]+)*(\.\*)?")
_MAX_NAME: Final = 100
_KEYS: Final = 4_096
"""API keys whose cells are remembered, as each request by one is counted."""


class Asking(StrEnum):
    """Whose limits: those of addresses that nobody signed in from, or of accounts of a tier."""

    ANONYMOUS = "anonymous"
    """Nobody is signed in: counted by address."""
    FREE = "free"
    """Counted by account or client."""
    PREMIUM = "premium"
    """Counted by account or client."""
    ENTERPRISE = "enterprise"
    """Counted by account or client."""

    @staticmethod
    def of(tier: Tier | None) -> "Asking":
        return Asking.ANONYMOUS if tier is None else Asking(tier.value)


@dataclass(frozen=True, slots=True)
class Limit:
    """How often: spread over the minute and the hour, and so many at once."""

    per_minute: int
    per_hour: int
    burst: int

    def times(self, factor: int) -> "Limit":
        """So many times as often."""
        return Limit(self.per_minute * factor, self.per_hour * factor, self.burst * factor)

    def cells(self, key: str) -> list[Cell]:
        return [
            Cell(f"{key}:minute", Rate(self.per_minute, 60.0, self.burst)),
            Cell(f"{key}:hour", Rate(self.per_hour, 3600.0, self.per_hour)),
        ]


class Place(NamedTuple):
    """An entry of the table."""

    endpoint: str
    asking: Asking


@dataclass(frozen=True, slots=True)
class RateLimitSetting:
    """A limit, where it stands, and since when an administrator has it so; nothing for our own."""

    endpoint: str
    asking: Asking
    limit: Limit
    changed_at: datetime | None = None


def each_minute(times: int) -> Limit:
    """So often a minute, and no more within an hour than that allows."""
    return Limit(times, times * 60, times)


TIERS: Final[Mapping[Asking, Limit]] = {
    Asking.ANONYMOUS: Limit(10, 100, 15),
    Asking.FREE: Limit(30, 1_000, 50),
    Asking.PREMIUM: Limit(100, 5_000, 150),
    Asking.ENTERPRISE: Limit(500, 50_000, 1_000),
}
"""For every endpoint without an entry of its own."""
ENDPOINTS: Final[Mapping[str, Limit]] = {
    "oauth.token": each_minute(10),
    "oauth.device": each_minute(5),
    "oauth.authorize": each_minute(20),
    "oauth.revoke": each_minute(10),
    "oauth.*": each_minute(60),
    "account.avatar": each_minute(10),
    "graph.signIn": each_minute(30),
    "graph.registerAccount": Limit(5, 20, 10),
}
"""For everybody alike. That of sign-in is beside the one of each address and account together."""
DEFAULTS: Final[Mapping[Place, Limit]] = {
    **{Place("*", asking): limit for asking, limit in TIERS.items()},
    **{Place(name, asking): limit for name, limit in ENDPOINTS.items() for asking in Asking},
}


class RateLimitStore(Protocol):
    """Keeps what administrators set."""

    async def settings(self) -> Sequence[RateLimitSetting]: ...

    async def put(self, setting: RateLimitSetting) -> None: ...

    async def drop(self, place: Place) -> bool:
        """Whether there was one."""
        ...


class RateLimits:
    """The table as this process knows it, and the counting by it."""

    def __init__(
        self,
        store: RateLimitStore,
        limiter: RateLimiter,
        audit: Audit,
        now: Callable[[], datetime],
        *,
        enforced: bool = True,
    ) -> None:
        """Where they are not `enforced`, nobody is counted but API keys, which have limits of their own."""
        self._store = store
        self._limiter = limiter
        self._audit = audit
        self._now = now
        self._enforced = enforced
        self._set: dict[Place, RateLimitSetting] = {}

    def limit_of(self, endpoint: str, asking: Asking) -> Limit:
        """What counts at an endpoint."""
        for name in _names(endpoint):
            place = Place(name, asking)
            if place in self._set:
                return self._set[place].limit
            if place in DEFAULTS:
                return DEFAULTS[place]
        return TIERS[asking]

    def table(self) -> list[RateLimitSetting]:
        """Every entry that counts, by endpoint, then by tier."""
        ours = {place: RateLimitSetting(*place, limit) for place, limit in DEFAULTS.items()}
        order = list(Asking)
        entries = {**ours, **self._set}.values()
        return sorted(entries, key=lambda entry: (entry.endpoint, order.index(entry.asking)))

    async def take(
        self, endpoint: str, address: str | None, *, who: str | None = None, tier: Tier | None = None
    ) -> Verdict:
        """Counts a request.

        Who is signed in (with a `tier`) is counted by who they are: many may share an address. Others are
        counted by their address and the client they say they are together, and by their address alone up to
        `SHARED` times as often, as saying to be another client costs nothing.
        """
        limit = self.limit_of(endpoint, Asking.of(tier))
        if who is not None and tier is not None:
            cells = limit.cells(f"{endpoint}:who:{who}")
        else:
            place = f"{endpoint}:address:{network_of(address)}"
            cells = limit.cells(f"{place}:{who or ''}")
            cells += limit.times(SHARED).cells(place)
        if not self._enforced:
            rate = cells[0].rate
            return Verdict(True, rate, 0.0)  # noqa: FBT003 - as nobody asked before
        return await self._limiter.take(cells)

    async def require(
        self, endpoint: str, address: str | None, *, who: str | None = None, tier: Tier | None = None
    ) -> Verdict:
        """The same; raises `TooManyRequests` where there is no room."""
        found = await self.take(endpoint, address, who=who, tier=tier)
        if not found.allowed:
            raise too_many(found)
        return found

    async def require_key(self, key_id: str, per_minute: int) -> Verdict:
        """Counts a request by an API key; raises `TooManyRequests` where that may not make one now."""
        found = await self._limiter.take(_cells_of_key(key_id, per_minute))
        if not found.allowed:
            raise too_many(found)
        return found

    async def put(self, endpoint: str, asking: Asking, limit: Limit, by: Actor) -> RateLimitSetting:
        """Sets a limit, here at once and in every process within a second; raises `Refused`."""
        _check(endpoint, limit)
        setting = RateLimitSetting(endpoint, asking, limit, self._now())
        place = Place(endpoint, asking)
        async with self._audit.writing():
            before = await self._current(place)
            await self._store.put(setting)
            await self._audit.record(
                by,
                Action.RATE_LIMIT_CHANGED,
                _name(place),
                None if before is None else asdict(before),
                asdict(limit),
            )
        self._set[place] = setting
        return setting

    async def reset(self, endpoint: str, asking: Asking, by: Actor) -> bool:
        """Drops what an administrator set; whether there was something."""
        place = Place(endpoint, asking)
        async with self._audit.writing():
            before = await self._current(place)
            if not await self._store.drop(place):
                return False
            await self._audit.record(
                by, Action.RATE_LIMIT_RESET, _name(place), None if before is None else asdict(before)
            )
        self._set.pop(place, None)
        return True

    async def look(self) -> None:
        """Reads what was set, by whichever process; raises `GatewayError`."""
        settings = await self._store.settings()
        self._set = {Place(setting.endpoint, setting.asking): setting for setting in settings}

    async def run(self) -> None:
        """Looks until cancelled."""
        await look_again(self.look, "rate_limits")

    async def _current(self, place: Place) -> Limit | None:
        for setting in await self._store.settings():
            if (setting.endpoint, setting.asking) == place:
                return setting.limit
        return DEFAULTS.get(place)


def too_many(found: Verdict) -> TooManyRequests:
    """The refusal of a request that had no room, with what `Retry-After` and `RateLimit` tell of it."""
    seconds = max(1, math.ceil(found.retry_seconds))
    return TooManyRequests(
        f"That is too often: try again in {seconds:,} seconds.",
        retryAfter=seconds,
        limit=found.rate.amount,
        windowSeconds=round(found.rate.seconds),
    )


@lru_cache(_KEYS)
def _cells_of_key(key_id: str, per_minute: int) -> tuple[Cell]:
    return (Cell(f"api_key:{key_id}", Rate(per_minute, 60.0, per_minute)),)


def _names(endpoint: str) -> list[str]:
    """`a.b.c`, `a.b.*`, `a.*`, `*`."""
    parts = endpoint.split(".")
    return [endpoint, *(".".join([*parts[:length], "*"]) for length in range(len(parts) - 1, -1, -1))]


def _name(place: Place) -> str:
    return f"{place.endpoint} {place.asking.value}"


def _check(endpoint: str, limit: Limit) -> None:
    errors = []
    if len(endpoint) > _MAX_NAME or not _NAME.fullmatch(endpoint):
        errors.append(
            UserError(
                "An endpoint is a name such as oauth.token, oauth.* or *.",
                UserErrorCode.INVALID,
                ("endpoint",),
            )
        )
    if not 1 <= limit.per_minute <= MOST_PER_HOUR:
        errors.append(_out_of_range("perMinute"))
    if not limit.per_minute <= limit.per_hour <= MOST_PER_HOUR:
        errors.append(
            UserError(
                f"In an hour at least as many may come as in a minute, and {MOST_PER_HOUR:,} at most.",
                UserErrorCode.INVALID,
                ("perHour",),
            )
        )
    if not limit.per_minute <= limit.burst <= MOST_PER_HOUR:
        errors.append(
            UserError("At once at least as many may come as in a minute.", UserErrorCode.INVALID, ("burst",))
        )
    if errors:
        raise Refused(*errors)


def _out_of_range(field: str) -> UserError:
    return UserError(f"This is from 1 to {MOST_PER_HOUR:,}.", UserErrorCode.INVALID, (field,))
