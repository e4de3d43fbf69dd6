"""What an answer tells of what may still be asked."""

from types import SimpleNamespace
from typing import Any

import pytest

from domain.platform.budgets import Balance, Bucket, Charge, Payer
from domain.platform.rates import Rate, Verdict
from gateway.allowances import allowance_of

BUCKET = Bucket(capacity=50_000, per_second=2_500)
RATE = Verdict(allowed=True, rate=Rate(60, 60.0, 60), debt=18.2)


def told(left: float | None = None, rate: Verdict | None = None) -> dict[str, str]:
    charge = None if left is None else Charge(400.0, Balance(paid=True, left=left))
    context: Any = SimpleNamespace(payer=Payer("address:a", BUCKET, charge=charge), rate=rate)
    return {name.decode(): value.decode() for name, value in allowance_of(context)}


def test_a_budget_tells_what_is_left_and_when_all_of_it_is_back() -> None:
    assert told(49_600.5) == {
        "ratelimit-policy": '"cost";q=50000;w=20',
        "ratelimit": '"cost";r=49600;t=1',
    }


@pytest.mark.parametrize(
    ("left", "remaining", "seconds"), [(-2_600.0, 0, 22), (0.0, 0, 20), (50_000.0, 50_000, 0)]
)
def test_what_is_overdrawn_is_nothing_left(left: float, remaining: int, seconds: int) -> None:
    assert told(left)["ratelimit"] == f'"cost";r={remaining};t={seconds}'


def test_a_key_tells_its_rate_as_well() -> None:
    assert told(50_000.0, RATE) == {
        "ratelimit-policy": '"requests";q=60;w=60, "cost";q=50000;w=20',
        "ratelimit": '"requests";r=41;t=19, "cost";r=50000;t=0',
    }
    assert told(None, RATE) == {
        "ratelimit-policy": '"requests";q=60;w=60',
        "ratelimit": '"requests";r=41;t=19',
    }


def test_who_has_no_budget_is_told_nothing() -> None:
    assert told() == {}
