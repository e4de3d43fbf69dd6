"""A schema with a single field `v`, once for each way in which a field can get its value."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, Final, NewType

import strawberry
from strawberry.permission import BasePermission
from strawberry.schema.config import StrawberryConfig
from strawberry.types import Info

from resolvers.batching import batched
from tests.gateway.engine.plan.twins import Answer, ask, nothing

ATTRIBUTE: Final = "attribute"
WAYS: Final = (ATTRIBUTE, "def", "async def", "future", "batched", "guarded", "sleeping")
IN_TURN: Final = (ATTRIBUTE, "def", "guarded")
"""Ways without waiting."""


@dataclass
class Asked:
    """The context: what makes the value, and what batched resolvers gather in."""

    make: Callable[[], Any]
    gathered: dict[Any, Any] = field(default_factory=dict)


Odd = NewType("Odd", object)
"""A scalar that writes odd numbers as they are, nothing for 0, and refuses all others."""


def _odd(value: Any) -> Any:
    if value and value % 2 == 0:
        raise ValueError(f"{value} is even")
    return value or None


CONFIG: Final = StrawberryConfig(scalar_map={Odd: strawberry.scalar(name="Odd", serialize=_odd)})


class Allowed(BasePermission):
    def has_permission(self, source: Any, info: Info, **kwargs: Any) -> bool:
        return True


@lru_cache(1_000)
def schema_of(annotation: Any, way: str, types: tuple[type, ...] = ()) -> strawberry.Schema:
    """A schema whose `v` is of this type; where it is no attribute, it is what the context makes."""
    query = type("Query", (), {"__annotations__": {"v": annotation}} | _resolved(annotation, way))
    return strawberry.Schema(strawberry.type(query), types=types, config=CONFIG)


def _resolved(annotation: Any, way: str) -> dict[str, Any]:
    if way == ATTRIBUTE:
        return {}
    resolver = _RESOLVERS[way]()
    if way == "batched":
        resolver.__annotations__ |= {"return": list[annotation]}
        return {"v": strawberry.field(resolver=batched(resolver))}
    resolver.__annotations__ = {"info": Info, "return": annotation}
    guards: list[type[BasePermission]] = [Allowed] if way == "guarded" else []
    return {"v": strawberry.field(resolver=resolver, permission_classes=guards)}


def _plain() -> Any:
    def v(info: Any) -> Any:
        return info.context.make()

    return v


def _coroutine() -> Any:
    async def v(info: Any) -> Any:
        return info.context.make()

    return v


def _sleeping() -> Any:
    async def v(info: Any) -> Any:
        await asyncio.sleep(0)
        return info.context.make()

    return v


def _future() -> Any:
    def v(info: Any) -> Any:
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        loop.call_soon(_settle, future, info.context.make)
        return future

    return v


def _settle(future: "asyncio.Future[Any]", make: Callable[[], Any]) -> None:
    try:
        future.set_result(make())
    except Exception as error:  # noqa: BLE001 - the field's
        future.set_exception(error)


def _batch() -> Any:
    async def v(sources: list[Any], info: Info) -> Sequence[Any]:
        return [_made(info.context.make) for _ in sources]

    return v


def _made(make: Callable[[], Any]) -> Any:
    """A batch function answers an exception, where others raise it."""
    try:
        return make()
    except Exception as error:  # noqa: BLE001 - the field's
        return error


_RESOLVERS: Final[dict[str, Callable[[], Any]]] = {
    "def": _plain,
    "guarded": _plain,
    "async def": _coroutine,
    "sleeping": _sleeping,
    "future": _future,
    "batched": _batch,
}


class Root(SimpleNamespace):
    """A root value whose attributes are made, or raised, as they are read."""

    def __init__(self, make: Callable[[], Any]) -> None:
        super().__init__(make=make)

    @property
    def v(self) -> Any:
        return self.make()


async def complete(
    annotation: Any,
    make: Callable[[], Any],
    selection: str = "",
    *,
    types: Sequence[type] = (),
    ways: Sequence[str] = WAYS,
) -> Answer:
    """The one answer to `{ v <selection> }`, however the field gets the value that `make` makes."""
    answers = {}
    for way in ways:
        # Attributes and batched fields belong to something.
        root = (lambda: Root(make)) if way in {ATTRIBUTE, "batched"} else nothing
        answers[way] = await ask(
            schema_of(annotation, way, tuple(types)),
            f"{{ v {selection} }}",
            context=lambda: Asked(make),
            root=root,
        )
    first = answers[ways[0]]
    assert all(first.is_same(other) for other in answers.values()), answers
    return first
