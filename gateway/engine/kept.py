"""Values kept by key, up to a number and a weight; the least recently used go first."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Kept(Generic[K, V]):
    """At most `most` values that weigh at most `most_weight` together."""

    def __init__(self, most: int, most_weight: int, weigh: Callable[[V], int]) -> None:
        self._most = most
        self._most_weight = most_weight
        self._weigh = weigh
        self._values: OrderedDict[K, V] = OrderedDict()
        self.weight = 0

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: K) -> V | None:
        found = self._values.get(key)
        if found is not None:
            self._values.move_to_end(key)
        return found

    def put(self, key: K, value: V) -> None:
        self.drop(key)
        self._values[key] = value
        self.weight += self._weigh(value)
        while len(self._values) > self._most or self.weight > self._most_weight:
            _, oldest = self._values.popitem(last=False)
            self.weight -= self._weigh(oldest)

    def drop(self, key: K) -> None:
        held = self._values.pop(key, None)
        if held is not None:
            self.weight -= self._weigh(held)
