"""What an answer of the graph tells of what its caller may still ask (draft-ietf-httpapi-ratelimit-headers).

`"requests"` is the rate of an API key, `"cost"` the budget of the caller: how much it holds, what is left
after this answer, and in how many seconds it will be full again if nobody spends from it.
"""

import math
from functools import lru_cache
from typing import Any, Final

from domain.platform.budgets import Bucket
from domain.platform.rates import Verdict
from gateway.routes.origins import Headers
from resolvers.context import Context

_KINDS: Final = 64


def allowance_of(context: Context) -> Headers:
    """Nothing for who has neither."""
    bucket, charge, found = context.payer.bucket, context.payer.charge, context.rate
    if bucket is None or charge is None or charge.balance is None:
        return (
            []
            if found is None
            else _headers(_rate_policy(found.rate.burst, found.rate.tolerance), _rate_left(found))
        )
    # A part of a unit buys nothing, and a part of a second is not waited for in vain.
    kept = max(0, int(charge.balance.left))
    left = b'"cost";r=%d;t=%d' % (
        kept,
        math.ceil((bucket.capacity - charge.balance.left) / bucket.per_second),
    )
    if found is None:
        return [(b"ratelimit-policy", _cost_policy(bucket)), (b"ratelimit", left)]
    policy = _rate_policy(found.rate.burst, found.rate.tolerance)
    return _headers(b"%b, %b" % (policy, _cost_policy(bucket)), b"%b, %b" % (_rate_left(found), left))


def _headers(policy: bytes, left: bytes) -> list[Any]:
    return [(b"ratelimit-policy", policy), (b"ratelimit", left)]


@lru_cache(_KINDS)
def _cost_policy(bucket: Bucket) -> bytes:
    return b'"cost";q=%d;w=%d' % (int(bucket.capacity), math.ceil(bucket.capacity / bucket.per_second))


@lru_cache(_KINDS)
def _rate_policy(burst: int, seconds: float) -> bytes:
    return b'"requests";q=%d;w=%d' % (burst, math.ceil(seconds))


def _rate_left(found: Verdict) -> bytes:
    return b'"requests";r=%d;t=%d' % (found.remaining, math.ceil(found.reset_seconds))
