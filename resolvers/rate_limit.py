"""How the caller's budget is answered."""

from domain.platform.budgets import RateLimit
from resolvers.context import Info


def rate_limit(info: Info) -> RateLimit | None:
    return RateLimit.of(info.context.payer, info.context.services.now())
