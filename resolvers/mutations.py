"""Mutations: what a rule refuses comes back in the payload, never as a fault."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from strawberry import Parent

from domain.platform.errors import Refused, UserError

P = ParamSpec("P")
T = TypeVar("T")


def refusing(payload: type[T]) -> Callable[[Callable[P, Awaitable[T]]], Callable[P, Awaitable[T]]]:
    """A resolver that answers an empty `payload` with the reasons when a rule refuses.

    Every field of the payload but `user_errors` has a default. What was read before is forgotten: an earlier
    mutation of the same document may have shown what this one changes.
    """

    def around(resolver: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        @wraps(resolver)
        async def answer(*args: P.args, **kwargs: P.kwargs) -> T:
            context: Any = getattr(kwargs.get("info"), "context", None)
            if context is not None:
                context.forget()
            try:
                return await resolver(*args, **kwargs)
            except Refused as refusal:
                make: Any = payload
                return make(user_errors=list(refusal.errors))  # type: ignore[no-any-return]

        return answer

    return around


def field_path(error: Parent[UserError]) -> list[str]:
    return list(error.field)
