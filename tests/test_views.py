"""Every view agrees with what it shows: the type of a field is that of the value or resolver behind it."""

import importlib
import inspect
import pkgutil
import types
from collections import abc
from collections.abc import Iterator
from typing import (
    Annotated,
    Any,
    Generic,
    NamedTuple,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import pytest
import strawberry
from strawberry.types.field import StrawberryField
from strawberry.types.lazy_type import LazyType

import schema
from domain.platform.paging import Entry, Page
from resolvers.batching import BATCH
from schema.paging import Connection, Edge
from schema.views import edge, extends, stream, view

LISTS = (list, tuple, set, frozenset, abc.Sequence, abc.Collection, abc.Iterable, abc.Set)
STREAMS = (abc.AsyncIterator, abc.AsyncGenerator, abc.AsyncIterable)
# A connection is answered by a page, and the edges of one by the page's.
GENERIC: dict[Any, type] = {Connection: Page, Edge: Entry}
# Found by id among all content; that the row is of this kind, the foreign key says.
BY_FOREIGN_KEY = {"Season.series", "Episode.season", "Track.album"}


class Many(NamedTuple):
    """A list of something."""

    of: Any


class Paged(NamedTuple):
    """A generic of ours, such as a page, of something."""

    kind: type
    of: Any


class OneOf(NamedTuple):
    """Any of several types; `None` among them if it may be missing."""

    options: frozenset[Any]


class Held(NamedTuple):
    """A field of a view, and what stands behind it."""

    name: str
    shown: Any
    behind: Any


def fields() -> Iterator[Held]:
    """Every field of every view, each where it is written."""
    views = {
        cls.__name__: cls
        for module in pkgutil.iter_modules(schema.__path__, "schema.")
        for cls in vars(importlib.import_module(module.name)).values()
        if isinstance(cls, type) and cls.__module__ == module.name and _is_view(cls)
    }
    for cls in views.values():
        yield from _fields(cls, views)


def test_every_field_shows_what_is_behind_it() -> None:
    disagreeing = {
        field.name: (field.shown, field.behind)
        for field in fields()
        if not agree(meaning(field.shown), meaning(field.behind))
    }

    assert {name: types for name, types in disagreeing.items() if name not in BY_FOREIGN_KEY} == {}
    assert disagreeing.keys() >= BY_FOREIGN_KEY


def test_the_views_were_found() -> None:
    names = [field.name.partition(".")[0] for field in fields()]

    assert {"Offer", "Content", "Episode", "CatalogQuery", "PageInfo", "UserError"} <= set(names)
    assert len(names) > 100


class Kept:
    """What the views below show."""

    title: str
    year: int | None
    genres: tuple[str, ...]

    @property
    def length(self) -> int:
        return 1


async def _maybe(kept: strawberry.Parent[Kept]) -> Kept | None:
    return kept


async def _page(kept: strawberry.Parent[Kept]) -> Page[Kept]:
    raise LookupError(kept)


async def _changes(kept: strawberry.Parent[Kept]) -> abc.AsyncGenerator[Kept, None]:
    yield Kept()


@pytest.mark.parametrize(
    ("annotation", "of"),
    [
        (str, "title"),
        (str | None, "title"),
        (int | None, "year"),
        (list[str], "genres"),
        (int, "length"),
        (float, "length"),
    ],
)
def test_what_agrees_is_accepted(annotation: Any, of: str) -> None:
    assert agree(meaning(annotation), meaning(_value(Kept, of)))


@pytest.mark.parametrize(
    ("annotation", "of"),
    [
        (int, "title"),
        (int, "year"),
        (str, "genres"),
        (list[str | None], "year"),
        (list[int], "genres"),
        (str, "length"),
        (list[str], "title"),
    ],
)
def test_what_does_not_agree_is_noticed(annotation: Any, of: str) -> None:
    assert not agree(meaning(annotation), meaning(_value(Kept, of)))


def test_a_field_that_the_value_lacks_is_noticed() -> None:
    with pytest.raises(AssertionError, match="Kept has no rating"):
        _value(Kept, "rating")


def test_edges_are_compared_with_their_resolvers() -> None:
    @view(Kept)
    class Shown:
        """A view."""

        title: str
        """Agrees."""
        other: Annotated["Shown", strawberry.lazy("tests.test_views")] = edge(_maybe)
        """Does not: there may be none."""
        others: Connection[str] = edge(_page)
        """Does not: it lists other things."""
        changes: str = stream(_changes)
        """Does not: it tells of other things."""

    @extends(Shown)
    class More:
        """More of it."""

        genres: list[str]
        """Agrees."""
        length: str
        """Does not."""

    agreeing = {
        held.name: agree(meaning(held.shown), meaning(held.behind))
        for cls in (Shown, More)
        for held in _fields(cls, {"Shown": Shown})
    }

    assert agreeing == {
        "Shown.title": True,
        "Shown.other": False,
        "Shown.others": False,
        "Shown.changes": False,
        "More.genres": True,
        "More.length": False,
    }


def meaning(annotation: Any) -> Any:  # noqa: PLR0911 - one a form
    """An annotation in terms of the domain, whichever side it stands on."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return meaning(arguments[0])
    if origin in (Union, types.UnionType):
        return _one_of(meaning(argument) for argument in arguments)
    if origin in STREAMS or (isinstance(origin, type) and issubclass(origin, abc.Awaitable)):
        return meaning(arguments[-1] if origin is abc.Coroutine else arguments[0])
    if origin in LISTS:
        return Many(meaning(arguments[0]))
    if origin is not None and isinstance(origin, type) and arguments:
        return Paged(GENERIC.get(origin, origin), meaning(arguments[0]))
    if isinstance(annotation, LazyType):
        return meaning(annotation.resolve_type())
    if annotation is strawberry.ID:
        return str
    if hasattr(annotation, "__supertype__"):
        return meaning(annotation.__supertype__)
    if annotation is None:
        return type(None)
    return _model(annotation)


def agree(shown: Any, behind: Any) -> bool:  # noqa: PLR0911 - one a form
    """Whether every value of `behind` can be shown as `shown`; what is never missing may be nullable."""
    # JSON shows anything, and a generic view whatever it is given.
    if shown is object or behind is Any or isinstance(shown, TypeVar):
        return True
    if isinstance(behind, OneOf):
        return all(agree(shown, option) for option in behind.options)
    if isinstance(shown, OneOf):
        return any(agree(option, behind) for option in shown.options)
    if isinstance(shown, Many) and isinstance(behind, Many):
        return agree(shown.of, behind.of)
    if isinstance(shown, Paged):
        return _agree_paged(shown, behind)
    if not (isinstance(shown, type) and isinstance(behind, type)):
        return bool(shown == behind)
    # A whole number is a valid Float; but a flag, which Python takes for a number, is none.
    flag_as_number = behind is bool and shown is not bool
    return (shown, behind) == (float, int) or (issubclass(behind, shown) and not flag_as_number)


def _agree_paged(shown: Paged, behind: Any) -> bool:
    if isinstance(behind, Paged):
        return issubclass(behind.kind, shown.kind) and agree(shown.of, behind.of)
    # A page of a kind of its own says in its bases what it lists.
    bases = getattr(behind, "__orig_bases__", ())
    return any(agree(shown, meaning(base)) for base in bases if get_origin(base) is not Generic)


def _fields(cls: type, views: dict[str, type]) -> Iterator[Held]:
    definition: Any = vars(cls)["__strawberry_definition__"]
    written = inspect.get_annotations(cls)
    hints = get_type_hints(cls, include_extras=True, localns=views)
    by_name = {field.python_name: field for field in definition.fields}
    models = _models(cls)
    for name in written:
        field: StrawberryField = by_name[name]
        if field.base_resolver is not None:
            yield Held(f"{cls.__name__}.{name}", hints[name], _answer(field))
        for model in models if field.base_resolver is None else ():
            yield Held(f"{cls.__name__}.{name}", hints[name], _value(model, name))


def _is_view(cls: type) -> bool:
    return "__shown__" in vars(cls) or "__extends__" in vars(cls)


def _models(cls: Any) -> list[type]:
    """The values a plain field of the view is read off."""
    if cls in GENERIC:
        return [GENERIC[cls]]
    views = vars(cls).get("__extends__", (cls,))
    return [shown.__shown__.model for shown in views if shown.__shown__.model is not None]


def _answer(field: StrawberryField) -> Any:
    assert field.base_resolver is not None
    wrapped: Any = field.base_resolver.wrapped_func
    answer = get_type_hints(inspect.unwrap(wrapped), include_extras=True)["return"]
    if not hasattr(wrapped, BATCH):
        return answer
    at_once = get_args(answer)[0] if get_origin(answer) in (Union, types.UnionType) else answer
    return get_args(at_once)[0]


def _value(model: type, name: str) -> Any:
    """The type of an attribute: a field, or what a property returns."""
    for owner in model.__mro__:
        if name in inspect.get_annotations(owner):
            return get_type_hints(owner, include_extras=True)[name]
        attribute = vars(owner).get(name)
        getter = getattr(attribute, "fget", None) or getattr(attribute, "func", None)
        if getter is not None:
            return get_type_hints(getter, include_extras=True)["return"]
    raise AssertionError(f"{model.__name__} has no {name}")


def _one_of(options: Iterator[Any]) -> OneOf:
    flat: set[Any] = set()
    for option in options:
        flat |= option.options if isinstance(option, OneOf) else {option}
    return OneOf(frozenset(flat))


def _model(annotation: Any) -> Any:
    """A view stands for the value it shows, an interface without one for what its views show."""
    if "__shown__" not in getattr(annotation, "__dict__", {}):
        return annotation
    if annotation.__shown__.model is None and annotation.__strawberry_definition__.is_interface:
        return _one_of(_model(view) for view in annotation.__subclasses__())
    return annotation.__shown__.model or annotation
