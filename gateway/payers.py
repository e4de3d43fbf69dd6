"""Who pays for what a connection asks for, and from which budget."""

from collections.abc import Mapping
from typing import Final

from domain.identity.limits import Asking
from domain.identity.model import Caller, Tier
from domain.platform.addresses import network_of
from domain.platform.budgets import Bucket, Payer
from gateway.routes.connection import Connection
from gateway.settings import BudgetSetting, Payers

HEADER: Final = "graphql-cost"
"""As Hot Chocolate has it: `GraphQL-Cost: report` asks what an operation cost. On a WebSocket it may be said
in the payload of `connection_init` as well.
"""
_ASKING: Final = {tier: Asking.of(tier) for tier in Tier}
_REPORTING: Final = frozenset({"report", "1"})


def buckets_of(budgets: Mapping[Payers, BudgetSetting]) -> dict[Asking, Bucket]:
    return {Asking(payers): Bucket(given.capacity, given.per_second) for payers, given in budgets.items()}


def payer_of(connection: Connection, caller: Caller, buckets: Mapping[Asking, Bucket]) -> Payer:
    """An account, or a service, pays for itself, from wherever it asks; all others by their address."""
    reports = _asked(connection) in _REPORTING
    if caller.anonymous:
        key = f"address:{network_of(connection.client)}"
        return Payer(key, buckets.get(Asking.ANONYMOUS), reports)
    key = f"client:{caller.client_id}" if caller.account_id is None else f"account:{caller.account_id}"
    return Payer(key, buckets.get(_ASKING[caller.tier]), reports)


def _asked(connection: Connection) -> str:
    said = connection.headers.get(HEADER, "")
    if connection.parameters:
        said = next((told for name, told in connection.parameters.items() if name.lower() == HEADER), said)
    return str(said).strip().lower() if said else ""
