from domain.platform.breaker import Breaker


class Hands:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def broken(hands: Hands) -> Breaker:
    breaker = Breaker(hands, tolerated=2, rest_seconds=10.0)
    breaker.failed()
    breaker.failed()
    return breaker


def test_it_opens_after_failures_in_a_row_and_says_so_once() -> None:
    breaker = Breaker(Hands(), tolerated=2)

    opened = [breaker.failed(), breaker.failed(), breaker.failed()]

    assert opened == [False, True, False]
    assert not breaker.admits()
    assert (breaker.failures, breaker.refusals) == (3, 1)


def test_a_success_in_between_forgives() -> None:
    breaker = Breaker(Hands(), tolerated=2)

    breaker.failed()
    recovered = breaker.succeeded()
    breaker.failed()

    assert not recovered
    assert breaker.admits()


def test_after_its_rest_it_lets_one_call_try() -> None:
    hands = Hands()
    breaker = broken(hands)
    hands.seconds = 10.0

    assert [breaker.admits(), breaker.admits()] == [True, False]


def test_the_call_that_works_closes_it() -> None:
    hands = Hands()
    breaker = broken(hands)
    hands.seconds = 10.0
    breaker.admits()

    assert breaker.succeeded()
    assert [breaker.admits(), breaker.admits()] == [True, True]


def test_the_call_that_fails_starts_another_rest() -> None:
    hands = Hands()
    breaker = broken(hands)
    hands.seconds = 10.0
    breaker.admits()
    breaker.failed()
    hands.seconds = 19.0

    assert not breaker.admits()
    hands.seconds = 20.0
    assert breaker.admits()
