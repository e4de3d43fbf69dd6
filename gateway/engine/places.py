"""How many operations of one caller run at the same time."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address

from graphql import OperationType

from domain.platform.errors import TooManyRequests
from gateway.engine.execution import Operation
from gateway.engine.limits import Guard, Limit

RETRY_SECONDS = 1
_IPV6_NETWORK_BITS = 64


@dataclass(frozen=True)
class Places:
    """Counts what runs in this process, by caller. Nobody waits for a place: whoever gets none is told so."""

    guard: Guard
    running: Counter[tuple[str, Limit]] = field(default_factory=Counter)

    @contextmanager
    def taken(self, caller: str, operations: Sequence[Operation]) -> Iterator[None]:
        """A place for each operation while the block runs; raises TooManyRequests where they are too few."""
        needed = Counter((caller, _limit_of(operation)) for operation in operations)
        for place, count in needed.items():
            excess = self.guard.refuses(place[1], self.running[place] + count)
            if excess is not None:
                raise TooManyRequests(
                    f"Only {excess.maximum:,} {excess.limit.words} of one caller are answered at a time: "
                    f"wait for some of yours to end.",
                    retryAfter=RETRY_SECONDS,
                    **excess.extensions,
                )
        self.running.update(needed)
        try:
            yield
        finally:
            for place, count in needed.items():
                self.running[place] -= count
                if not self.running[place]:
                    del self.running[place]


def caller_at(address: str | None) -> str:
    """Who is known by an address alone. A household or a machine has a whole IPv6 network to choose from."""
    if address is None:
        return "nowhere"
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(IPv6Address(int(parsed) >> _IPV6_NETWORK_BITS << _IPV6_NETWORK_BITS))
    return address


def _limit_of(operation: Operation) -> Limit:
    if operation.type is OperationType.SUBSCRIPTION:
        return Limit.CONCURRENT_SUBSCRIPTIONS
    return Limit.CONCURRENT_OPERATIONS
