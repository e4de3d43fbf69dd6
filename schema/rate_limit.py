"""What the graph shows of the caller's budget."""

from datetime import datetime

from domain.identity.policy import PUBLIC
from domain.platform import budgets
from resolvers import rate_limit
from schema.views import edge, view


@view(budgets.RateLimit, access=PUBLIC)
class RateLimit:
    """The caller's budget: it holds so much cost at most, and refills as time goes by."""

    limit: int
    """The most it holds."""
    cost: int
    """What this operation was charged; what it did not use is given back after it."""
    remaining: int
    """What it holds now."""
    used: int
    """What it lacks to be full."""
    reset_at: datetime
    """When it will be full again, if nothing more is spent."""


@view(access=PUBLIC)
class RateLimitQuery:
    """What may be asked still."""

    rate_limit: RateLimit | None = edge(rate_limit.rate_limit)
    """The budget that this operation is charged to; null where there is none."""
