from typing import Any

import pytest

from domain.identity.limits import Asking
from domain.identity.model import Caller, Tier
from domain.platform.budgets import Bucket, Payer
from gateway.payers import buckets_of, payer_of
from gateway.routes.connection import Connection
from gateway.settings import BUDGETS

BUCKETS = {Asking.ANONYMOUS: Bucket(1, 1), Asking.FREE: Bucket(2, 1)}
SOMEBODY = Caller(account_id="7", tier=Tier.FREE)


def connection(client: str | None = "192.0.2.1", *, parameters: Any = (), **headers: str) -> Connection:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Connection("http", named, client, "r", dict(parameters))


def test_the_anonymous_pay_by_their_address_and_accounts_for_themselves() -> None:
    assert payer_of(connection(), Caller(), BUCKETS) == Payer("address:192.0.2.1", Bucket(1, 1))
    assert payer_of(connection(), SOMEBODY, BUCKETS) == Payer("account:7", Bucket(2, 1))


def test_a_service_pays_for_itself_from_wherever_it_asks() -> None:
    service = Caller(client_id="feed", tier=Tier.FREE)

    assert payer_of(connection("192.0.2.9"), service, BUCKETS) == Payer("client:feed", Bucket(2, 1))


def test_a_tier_without_a_budget_pays_nothing() -> None:
    payer = payer_of(connection(), Caller(account_id="7", tier=Tier.PREMIUM), BUCKETS)

    assert payer.bucket is None


def test_every_tier_has_a_budget_by_default() -> None:
    assert {Asking(tier) for tier in Tier} | {Asking.ANONYMOUS} == set(buckets_of(BUDGETS))


@pytest.mark.parametrize("said", ["report", "Report", " 1 "])
def test_a_report_is_asked_for_by_a_header_or_when_a_socket_is_opened(said: str) -> None:
    assert payer_of(connection(graphql_cost=said), SOMEBODY, BUCKETS).reports
    assert payer_of(connection(parameters={"GraphQL-Cost": said}), SOMEBODY, BUCKETS).reports


@pytest.mark.parametrize("said", ["", "0", "validate"])
def test_nothing_else_asks_for_one(said: str) -> None:
    assert not payer_of(connection(graphql_cost=said), SOMEBODY, BUCKETS).reports
    assert not payer_of(connection(), SOMEBODY, BUCKETS).reports
