"""Fields that not everybody may ask for: looked at once, before they are answered.

A guard is around the resolver itself, so it holds however that comes to be called: by a plan, by
graphql-core, for one object or, where it answers in batches, once for all. Fields without one pay nothing.
"""

import inspect
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from functools import wraps
from typing import Any, Final

from domain.identity.policy import Access
from resolvers.batching import BATCH
from resolvers.context import Info

_INFO: Final = "info"


def guarded(resolver: Callable[..., Any], access: Access) -> Callable[..., Any]:
    """`resolver`, for callers who have what `access` needs; to others it raises `Unauthenticated` or
    `Forbidden`, and does nothing.
    """
    if not access.checked:
        return resolver
    function: Any = resolver
    signature = inspect.signature(function)
    takes_info = _INFO in signature.parameters

    def check(arguments: dict[str, Any]) -> dict[str, Any]:
        context = arguments[_INFO].context
        context.services.policy.check(context.caller, access)
        if not takes_info:
            del arguments[_INFO]
        return arguments

    answer = _around(function, check)
    if not takes_info:
        info = inspect.Parameter(_INFO, inspect.Parameter.KEYWORD_ONLY, annotation=Info)
        answer.__signature__ = signature.replace(parameters=[*signature.parameters.values(), info])
    batch = getattr(function, BATCH, None)
    if batch is not None:
        setattr(answer, BATCH, _around_batch(batch, access))
    return answer  # type: ignore[no-any-return]


def _around(function: Any, check: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """Of the same kind as `function`: how it is called, and awaited, goes by that."""
    if inspect.isasyncgenfunction(function):

        @wraps(function)
        async def stream(*args: Any, **arguments: Any) -> AsyncGenerator[Any, None]:
            async with aclosing(function(*args, **check(arguments))) as events:
                async for event in events:
                    yield event

        return stream
    if inspect.iscoroutinefunction(function):

        @wraps(function)
        async def later(*args: Any, **arguments: Any) -> Any:
            return await function(*args, **check(arguments))

        return later

    @wraps(function)
    def at_once(*args: Any, **arguments: Any) -> Any:
        return function(*args, **check(arguments))

    return at_once


def _around_batch(batch: Any, access: Access) -> Any:
    @wraps(batch)
    def answer(sources: Sequence[Any], info: Info, **arguments: Any) -> Any:
        context = info.context
        context.services.policy.check(context.caller, access)
        return batch(sources, info, **arguments)

    return answer
