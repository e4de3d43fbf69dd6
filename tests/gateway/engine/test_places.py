import pytest
from graphql import OperationType

from domain.platform.errors import TooManyRequests
from gateway.engine.execution import Engine, Operation
from gateway.engine.limits import Excess, Guard, Limit, Limits
from gateway.engine.places import Places
from gateway.engine.requests import OperationRequest
from tests.gateway.toy import toy_schema


def operation(text: str) -> Operation:
    return Engine(toy_schema()).prepare(OperationRequest(text))


QUERY = operation("{ caller }")
STREAM = operation("subscription { count }")


def places(operations: int = 9, subscriptions: int = 9) -> Places:
    limits = Limits(max_concurrent_operations=operations, max_concurrent_subscriptions=subscriptions)
    return Places(Guard(limits))


def test_a_caller_gets_so_many_places_and_then_is_told_to_wait() -> None:
    held = places(operations=2)

    with held.taken("ann", [QUERY, QUERY]):
        with pytest.raises(TooManyRequests) as refused, held.taken("ann", [QUERY]):
            pytest.fail("a third one ran")
        with held.taken("bob", [QUERY]):
            pass
    with held.taken("ann", [QUERY]):
        pass

    assert refused.value.extensions == {
        "retryAfter": 1,
        "limit": "concurrent_operations",
        "maximum": 2,
        "actual": 3,
    }


def test_a_batch_takes_a_place_for_each_of_its_operations_or_none() -> None:
    held = places(operations=2)

    with pytest.raises(TooManyRequests), held.taken("ann", [QUERY] * 3):
        pytest.fail("three ran")

    assert not held.running


def test_subscriptions_have_places_of_their_own() -> None:
    held = places(operations=1, subscriptions=1)

    with held.taken("ann", [STREAM]), held.taken("ann", [QUERY]):
        assert STREAM.type is OperationType.SUBSCRIPTION
        with pytest.raises(TooManyRequests), held.taken("ann", [STREAM]):
            pytest.fail("a second stream ran")


def test_places_of_several_kinds_are_taken_together_or_not_at_all() -> None:
    held = places(operations=2, subscriptions=1)

    with held.taken("ann", [QUERY, STREAM, QUERY]), pytest.raises(TooManyRequests):
        held.taken("ann", [STREAM])
    with pytest.raises(TooManyRequests):
        held.taken("ann", [QUERY, QUERY, STREAM, STREAM])

    assert not held.running


def test_a_place_is_free_again_whatever_happened() -> None:
    held = places(operations=1)

    with pytest.raises(ZeroDivisionError), held.taken("ann", [QUERY]):
        raise ZeroDivisionError

    assert not held.running


def test_a_limit_that_warns_is_noted_and_lets_pass() -> None:
    noted: list[tuple[Excess, bool]] = []
    limits = Limits(max_concurrent_operations=1, warn_only=frozenset({Limit.CONCURRENT_OPERATIONS}))
    held = Places(Guard(limits, lambda excess, refused: noted.append((excess, refused))))

    with held.taken("ann", [QUERY]), held.taken("ann", [QUERY]):
        pass

    assert noted == [(Excess(Limit.CONCURRENT_OPERATIONS, 1, 2), False)]
