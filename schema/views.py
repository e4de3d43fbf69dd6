"""How the graph shows domain values: `view`, `edge`, `choices`, `extends`; descriptions come from the source.

A docstring below a field describes the field, as a docstring below a class describes the class. What a field
costs, and how long its list gets, stands beside it: see `schema/costs.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

import strawberry
from strawberry.federation.schema_directives import Key, ListSize
from strawberry.federation.types import FieldSet

from domain.identity.policy import BY_RESOLVER, Access
from resolvers.descriptions import describe, description, docstrings
from resolvers.guarding import guarded
from schema.access import ACCESS, access_directives
from schema.caching import CacheControl, cache_directives
from schema.costs import SIZED_BY, cost_directives

T = TypeVar("T")


@dataclass(frozen=True)
class Shown:
    """What a view shows: kept on the class as `__shown__`."""

    model: type | None
    access: Access | None
    """What the type as a whole needs: who meets one of its objects has it, whichever way they came."""


def view(
    model: type | None = None,
    *,
    interface: bool = False,
    name: str | None = None,
    cache: CacheControl | None = None,
    access: Access | None = None,
) -> Callable[[type[T]], type[T]]:
    """Shows a domain value: a plain field is read off the value by its name.

    `access` says who may meet its objects; left open, it goes by the fields that lead to them.

    Interfaces find the type of a value by the name of its class; every type with an `id` of the graph is
    a federation entity.
    """

    def show(cls: Any) -> Any:
        documented = docstrings(cls)
        options: dict[str, Any] = {"name": name, "description": description(cls)}
        kept = cache_directives(cache)
        if interface:
            cls.resolve_type = classmethod(_type_name)
            shown = strawberry.interface(cls, directives=kept, **options)
        else:
            is_node = any(base.__name__ == "Node" for base in cls.__mro__[1:])
            if model is not None:
                cls.is_type_of = classmethod(_shows(model))
            keys = [Key(fields=FieldSet("id"))] if is_node else []
            shown = strawberry.type(cls, directives=[*keys, *kept], **options)
        describe(shown, documented)
        shown.__shown__ = Shown(model, access)
        return shown

    return show


def choices(*models: type[Enum]) -> None:
    """Shows enums of the domain, with the docstrings below their values."""
    for model in models:
        # Inputs of resolvers may have shown it already; a second definition would be another type.
        if "__strawberry_definition__" not in vars(model):
            strawberry.enum(model)
        definition: Any = vars(model)["__strawberry_definition__"]
        definition.description = description(model)
        documented = docstrings(model)
        for value in definition.values:
            value.description = documented.get(value.name)


def edge(  # noqa: PLR0913 - what is not given has its default
    resolver: Callable[..., Any],
    *,
    cost: int | None = None,
    list_size: int | ListSize | None = None,
    sized_by: str | None = None,
    cache: CacheControl | None = None,
    access: Access | None = None,
    **options: Any,
) -> Any:
    """A field that a resolver answers; the annotation beside it says what the graph shows.

    `cost` is what one call weighs, 1 by itself where it shows objects; `list_size` how many there are at most
    as a rule, and `sized_by` an argument with a list that is as long; `cache` how long it stays true, where
    what it shows does not say so; `access` what it needs of who asks.
    """
    directives = [*cost_directives(cost, list_size), *cache_directives(cache)]
    metadata: dict[str, Any] = {} if sized_by is None else {SIZED_BY: sized_by}
    return strawberry.field(**_guarded(resolver, access, directives, metadata), **options)


def plain(*, cost: int | None = None, list_size: int | None = None, by_resolver: bool = False) -> Any:
    """A field that is read off the value, and what it costs; `by_resolver`: who made the value looked whose
    it is.
    """
    metadata = {ACCESS: BY_RESOLVER} if by_resolver else {}
    return strawberry.field(directives=cost_directives(cost, list_size), metadata=metadata)


def stream(
    resolver: Callable[..., Any], *, access: Access | None = None, cost: int | None = None, **options: Any
) -> Any:
    """A subscription answered by an async generator; `cost` is what its start weighs."""
    return strawberry.subscription(**_guarded(resolver, access, cost_directives(cost), {}), **options)


def _guarded(
    resolver: Callable[..., Any], access: Access | None, directives: list[object], metadata: dict[str, Any]
) -> dict[str, Any]:
    """The options of a field that needs `access`."""
    if access is None:
        return {"resolver": resolver, "directives": directives, "metadata": metadata}
    return {
        "resolver": guarded(resolver, access),
        "directives": [*directives, *access_directives(access)],
        "metadata": {**metadata, ACCESS: access},
    }


def extends(*targets: type) -> Callable[[type[T]], type[T]]:
    """Fields that one context adds to types of another; `schema/graph.py` joins them."""

    def show(cls: Any) -> Any:
        documented = docstrings(cls)
        shown = strawberry.type(cls, description=description(cls))
        describe(shown, documented)
        shown.__extends__ = targets
        return shown

    return show


def described(text: str) -> Any:
    """What an argument means, written into its `Annotated` type."""
    return strawberry.argument(description=text)


def _type_name(_cls: type, value: object, _info: Any, _abstract: Any) -> str:
    return type(value).__name__


def _shows(model: type) -> Callable[[type, object, Any], bool]:
    def is_type_of(_cls: type, value: object, _info: Any) -> bool:
        return type(value) is model

    return _by_class(is_type_of)


def _by_class(tells_type: Callable[..., Any]) -> Callable[..., Any]:
    """Says to the engine that the class of a value decides, so that it need not be asked for each value."""
    tells_type.by_class = True  # type: ignore[attr-defined]
    return tells_type


_by_class(_type_name)
