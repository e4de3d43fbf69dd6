"""What an answer of the graph tells of what its caller may still ask (draft-ietf-httpapi-ratelimit-headers).

`"requests"` is the rate of an API key, `"cost"` the budget of the caller: how much it holds, what is left
after this answer, and in how many seconds it will be full again if nobody spends from it.
"""

import math
from functools import lru_cache
from typing import Final

from domain.platform.budgets import Bucket
from domain.platform.rates import Verdict
from gateway.routes.origins import Headers
from resolvers.context import Context

_KINDS: Final = 64
_POLICY: Final = b"ratelimit-policy"
_LEFT: Final = b"ratelimit"


def allowance_of(context: Context) -> Headers:
    """Nothing for who has neither."""
    bucket, charge, found = context.payer.bucket, context.payer.charge, context.rate
    if bucket is None or charge is None or charge.balance is None:
        return [] if found is None else _of_rate(found)
    # A part of a unit buys nothing, and a part of a second is not waited for in vain.
    kept = max(0, int(charge.balance.left))
    left = b'"cost";r=%d;t=%d' % (
        kept,
        math.ceil((bucket.capacity - charge.balance.left) / bucket.per_second),
    )
    if found is None:
        return [(_POLICY, _cost_policy(bucket)), (_LEFT, left)]
    (_, policy), (_, requests) = _of_rate(found)
    return [(_POLICY, b"%b, %b" % (policy, _cost_policy(bucket))), (_LEFT, b"%b, %b" % (requests, left))]


@lru_cache(_KINDS)
def _cost_policy(bucket: Bucket) -> bytes:
    return b'"cost";q=%d;w=%d' % (int(bucket.capacity), math.ceil(bucket.capacity / bucket.per_second))


@lru_cache(_KINDS)
def _rate_policy(burst: int, seconds: float) -> tuple[bytes, bytes]:
    return _POLICY, b'"requests";q=%d;w=%d' % (burst, math.ceil(seconds))


def _of_rate(found: Verdict) -> list[tuple[bytes, bytes]]:
    policy = _rate_policy(found.rate.burst, found.rate.tolerance)
    return [policy, (_LEFT, b'"requests";r=%d;t=%d' % (found.remaining, math.ceil(found.debt)))]
