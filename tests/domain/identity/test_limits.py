"""Rate limits: one table, changed while it runs, by whoever may."""

import pytest

from domain.identity.audit import Actor
from domain.identity.limits import ENDPOINTS, SHARED, TIERS, Asking, Limit, RateLimits
from domain.identity.model import Tier
from domain.identity.postgres_limits import PostgresRateLimits
from domain.platform.errors import Refused, TooManyRequests
from domain.platform.postgres import Database
from domain.platform.rates import LocalRates
from tests.accounts import Desk, new_id

ROOT = Actor(new_id())
HERE, THERE = "192.0.2.1", "192.0.2.2"


def elsewhere(desk: Desk, database: Database) -> RateLimits:
    """Another process."""
    return RateLimits(
        PostgresRateLimits(database), LocalRates(desk.clock.seconds), desk.service.audit, desk.clock.now
    )


async def passed(limits: RateLimits, times: int, endpoint: str = "oauth.token", **who: object) -> int:
    verdicts = [await limits.take(endpoint, HERE, **who) for _ in range(times)]  # type: ignore[arg-type]
    return sum(found.allowed for found in verdicts)


@pytest.mark.parametrize("asking", Asking)
def test_every_tier_has_limits_of_its_own(desk: Desk, asking: Asking) -> None:
    assert desk.limits.limit_of("anything.new", asking) == TIERS[asking]
    assert desk.limits.limit_of("oauth.token", asking) == ENDPOINTS["oauth.token"]
    assert desk.limits.limit_of("oauth.new", asking) == ENDPOINTS["oauth.*"]


def test_no_default_is_one_that_an_administrator_could_not_set() -> None:
    for limit in (*TIERS.values(), *ENDPOINTS.values()):
        assert 1 <= limit.per_minute <= min(limit.per_hour, limit.burst)


async def test_the_eleventh_token_request_in_a_minute_waits(desk: Desk) -> None:
    assert await passed(desk.limits, 12) == 10
    with pytest.raises(TooManyRequests) as refusal:
        await desk.limits.require("oauth.token", HERE)

    assert refusal.value.extensions == {"retryAfter": 6, "limit": 10, "windowSeconds": 60}
    assert (await desk.limits.take("oauth.token", THERE)).allowed
    assert (await desk.limits.take("oauth.device", HERE)).allowed
    desk.clock.turn(6)
    assert await passed(desk.limits, 2) == 1


async def test_saying_to_be_other_clients_gets_no_further_than_the_address(desk: Desk) -> None:
    allowed = 0
    for number in range(300):
        allowed += (await desk.limits.take("oauth.token", HERE, who=f"client {number}")).allowed

    assert allowed == 10 * SHARED


async def test_who_is_signed_in_is_counted_by_account_and_not_by_address(desk: Desk) -> None:
    ada = {"who": "ada", "tier": Tier.PREMIUM}
    eve = {"who": "eve", "tier": Tier.PREMIUM}

    assert await passed(desk.limits, 200, "reports", **ada) == TIERS[Asking.PREMIUM].burst
    assert (await desk.limits.take("reports", THERE, who="ada", tier=Tier.PREMIUM)).allowed is False
    assert await passed(desk.limits, 200, "reports", **eve) == TIERS[Asking.PREMIUM].burst


async def test_the_hour_counts_as_well(desk: Desk) -> None:
    count = 0
    for _ in range(120):
        count += await passed(desk.limits, 10, "graph.registerAccount")
        desk.clock.turn(60)

    assert count == pytest.approx(20 + 2 * 20, abs=2), "twenty at once, then twenty an hour"


async def test_a_limit_that_is_set_counts_at_once_here_and_with_the_next_look_elsewhere(
    desk: Desk, database: Database
) -> None:
    other = elsewhere(desk, database)
    await desk.limits.put("oauth.*", Asking.ANONYMOUS, Limit(2, 100, 3), ROOT)

    assert await passed(desk.limits, 9, "oauth.introspect") == 3
    assert other.limit_of("oauth.introspect", Asking.ANONYMOUS) == ENDPOINTS["oauth.*"]
    await other.look()
    assert await passed(other, 9, "oauth.introspect") == 3
    assert other.limit_of("oauth.introspect", Asking.FREE) == ENDPOINTS["oauth.*"]
    assert other.limit_of("oauth.token", Asking.ANONYMOUS) == ENDPOINTS["oauth.token"], "more exact"


async def test_a_limit_goes_back_to_its_default_and_all_of_it_is_on_record(
    desk: Desk, database: Database
) -> None:
    await desk.limits.put("oauth.token", Asking.FREE, Limit(20, 200, 20), ROOT)
    await desk.limits.put("oauth.token", Asking.FREE, Limit(30, 300, 30), ROOT)

    assert await desk.limits.reset("oauth.token", Asking.FREE, ROOT)
    assert not await desk.limits.reset("oauth.token", Asking.FREE, ROOT)

    assert desk.limits.limit_of("oauth.token", Asking.FREE) == ENDPOINTS["oauth.token"]
    rows = await database.rows(
        "SELECT action, account_id, resource_id, before, after FROM audit_entry ORDER BY id"
    )
    assert [(row[0], (row[3] or {})["per_minute"], (row[4] or {}).get("per_minute")) for row in rows] == [
        ("rate_limit.changed", 10, 20),
        ("rate_limit.changed", 20, 30),
        ("rate_limit.reset", 30, None),
    ]
    assert {(row[1], row[2]) for row in rows} == {(ROOT.account_id, "oauth.token free")}


async def test_the_table_shows_defaults_and_what_was_set(desk: Desk) -> None:
    await desk.limits.put("reports", Asking.FREE, Limit(1, 1, 1), ROOT)

    table = {(entry.endpoint, entry.asking): entry for entry in desk.limits.table()}

    assert table["reports", Asking.FREE].changed_at == desk.clock.at
    assert table["*", Asking.FREE].changed_at is None
    assert len(table) == len(desk.limits.table())


@pytest.mark.parametrize(
    ("endpoint", "limit", "fields"),
    [
        ("", Limit(1, 1, 1), {"endpoint"}),
        ("oauth token", Limit(1, 1, 1), {"endpoint"}),
        ("oauth.*.x", Limit(1, 1, 1), {"endpoint"}),
        ("*oauth", Limit(1, 1, 1), {"endpoint"}),
        ("x" * 101, Limit(1, 1, 1), {"endpoint"}),
        ("oauth.token", Limit(0, 1, 1), {"perMinute"}),
        ("oauth.token", Limit(-1, 1, 1), {"perMinute"}),
        ("oauth.token", Limit(10, 9, 10), {"perHour"}),
        ("oauth.token", Limit(10, 100, 9), {"burst"}),
        ("oauth.token", Limit(1, 10**9, 10**9), {"perHour", "burst"}),
    ],
)
async def test_what_no_limit_can_be_is_refused_and_changes_nothing(
    desk: Desk, database: Database, endpoint: str, limit: Limit, fields: set[str]
) -> None:
    with pytest.raises(Refused) as refusal:
        await desk.limits.put(endpoint, Asking.FREE, limit, ROOT)

    assert {error.field[0] for error in refusal.value.errors} == fields
    assert await database.value("SELECT count(*) FROM rate_limit") == 0
    assert await database.value("SELECT count(*) FROM audit_entry") == 0


async def test_where_limits_are_not_enforced_only_keys_are_counted(desk: Desk, database: Database) -> None:
    limits = RateLimits(
        PostgresRateLimits(database),
        LocalRates(desk.clock.seconds),
        desk.service.audit,
        desk.clock.now,
        enforced=False,
    )

    assert await passed(limits, 50) == 50
    await limits.require_key("k", 1)
    with pytest.raises(TooManyRequests):
        await limits.require_key("k", 1)
