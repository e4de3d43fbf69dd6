"""Amounts that are known from the document alone, or once its variables are.

What depends on variables is a step of a program that runs from its first step to its last: however often an
amount is used, it is worked out once.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

Values: TypeAlias = dict[str, Any]
"""The variables of a request, defaults included."""
Results: TypeAlias = list[float]
Compute: TypeAlias = Callable[[Values, Results], float]


class Step:
    """An amount that depends on variables."""

    __slots__ = ("place",)

    def __init__(self, place: int) -> None:
        self.place: Final = place


Amount: TypeAlias = float | Step


def amount_in(results: Sequence[float], amount: Amount) -> float:
    return results[amount.place] if isinstance(amount, Step) else amount


class Program:
    """The steps, each after those it builds on."""

    def __init__(self) -> None:
        self._steps: list[Compute] = []

    def run(self, values: Values) -> Results:
        results: Results = []
        for step in self._steps:
            results.append(step(values, results))
        return results

    def step(self, compute: Compute) -> Step:
        self._steps.append(compute)
        return Step(len(self._steps) - 1)

    def sum(self, amounts: Sequence[Amount]) -> Amount:
        known = sum(amount for amount in amounts if not isinstance(amount, Step))
        places = [amount.place for amount in amounts if isinstance(amount, Step)]
        match places:
            case []:
                return float(known)
            case [one] if known == 0:
                return Step(one)
            case [one]:
                return self.step(lambda _, results: known + results[one])
            case [one, other]:
                return self.step(lambda _, results: known + results[one] + results[other])
        return self.step(lambda _, results: known + sum([results[place] for place in places]))

    def times(self, one: Amount, other: Amount) -> Amount:
        if not isinstance(one, Step) and not isinstance(other, Step):
            return one * other
        if isinstance(one, Step) and isinstance(other, Step):
            left, right = one.place, other.place
            return self.step(lambda _, results: results[left] * results[right])
        varied, known = (one, other) if isinstance(one, Step) else (other, one)
        assert isinstance(varied, Step) and not isinstance(known, Step)  # noqa: S101, PT018 - as seen above
        if known in {0.0, 1.0}:
            return varied if known else 0.0
        place = varied.place
        return self.step(lambda _, results: results[place] * known)

    def most(self, amounts: Sequence[Amount]) -> Amount:
        """The largest of at least one."""
        known = max((amount for amount in amounts if not isinstance(amount, Step)), default=0.0)
        places = list(dict.fromkeys(amount.place for amount in amounts if isinstance(amount, Step)))
        if not places:
            return float(known)
        if len(amounts) == 1:
            return amounts[0]
        return self.step(lambda _, results: max(known, *[results[place] for place in places]))
