"""Who pays for what a connection asks for, and from which budget."""

from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from domain.identity.model import Caller
from domain.platform.budgets import Bucket, Payer
from gateway.routes.connection import Connection
from gateway.settings import BudgetSetting, Payers

HEADER: Final = "graphql-cost"
"""As Hot Chocolate has it: `GraphQL-Cost: report` asks what an operation cost. On a WebSocket it may be said
in the payload of `connection_init` as well.
"""
_REPORTING: Final = frozenset({"report", "1"})
_SUBNET_BITS: Final = 64


def buckets_of(budgets: Mapping[Payers, BudgetSetting]) -> dict[Payers, Bucket]:
    return {payers: Bucket(given.capacity, given.per_second) for payers, given in budgets.items()}


def payer_of(connection: Connection, caller: Caller, buckets: Mapping[Payers, Bucket]) -> Payer:
    """An account pays for itself, from wherever it asks; all others by their address."""
    reports = _asked(connection) in _REPORTING
    if caller.account_id is None:
        key = f"address:{network_of(connection.client)}"
        return Payer(key, buckets.get(Payers.ANONYMOUS), reports)
    return Payer(f"account:{caller.account_id}", buckets.get(Payers(caller.tier.value)), reports)


def network_of(address: str | None) -> str:
    """An IPv4 address, or the /64 that one subscriber has of IPv6; the text itself where it is neither."""
    try:
        known = ip_address(address or "")
    except ValueError:
        return address or "unknown"
    if isinstance(known, IPv6Address):
        if known.ipv4_mapped is not None:
            return str(known.ipv4_mapped)
        return str(ip_network((known, _SUBNET_BITS), strict=False))
    return str(known)


def _asked(connection: Connection) -> str:
    said = next((value for name, value in connection.parameters.items() if name.lower() == HEADER), None)
    return str(connection.headers.get(HEADER, "") if said is None else said).strip().lower()
