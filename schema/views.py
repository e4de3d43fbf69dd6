"""How the graph shows domain values: `view`, `edge`, `choice`, `extends`; descriptions come from the source.

A docstring below a field describes the field, as a docstring below a class describes the class.
"""

import ast
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import strawberry
from strawberry.federation.schema_directives import Key
from strawberry.federation.types import FieldSet
from strawberry.types.base import StrawberryObjectDefinition

T = TypeVar("T")


@dataclass(frozen=True)
class Shown:
    """What a view shows: kept on the class as `__shown__`."""

    model: type | None


def view(model: type | None = None, *, interface: bool = False, name: str | None = None) -> Callable[[type[T]], type[T]]:
    """Shows a domain value: a plain field is read off the value by its name.

    Interfaces find the type of a value by the name of its class; every type with an `id` of the graph is
    a federation entity.
    """

    def show(cls: Any) -> Any:
        documented = docstrings(cls)
        options: dict[str, Any] = {"name": name, "description": _description(cls)}
        if interface:
            cls.resolve_type = classmethod(_type_name)
            shown = strawberry.interface(cls, **options)
        else:
            is_node = any(base.__name__ == "Node" for base in cls.__mro__[1:])
            if model is not None:
                cls.is_type_of = classmethod(lambda _cls, value, _info: type(value) is model)
            shown = strawberry.type(
                cls, directives=[Key(fields=FieldSet("id"))] if is_node else [], **options
            )
        _describe(shown, documented)
        shown.__shown__ = Shown(model)
        return shown

    return show


def entry(cls: type[T]) -> type[T]:
    """Input: what a mutation or a filter takes."""
    return _input(cls, one_of=False)  # type: ignore[no-any-return]


def choice_of_one(cls: type[T]) -> type[T]:
    """Input of which exactly one field is given (`@oneOf`)."""
    return _input(cls, one_of=True)  # type: ignore[no-any-return]


def choice(model: type[Enum], name: str | None = None) -> Any:
    """Shows an enum of the domain with the docstrings below its values."""
    shown: Any = strawberry.enum(model, name=name, description=_description(model))
    documented = docstrings(model)
    for value in shown.__strawberry_definition__.values:
        value.description = documented.get(value.name)
    return shown


def edge(resolver: Callable[..., Any], **options: Any) -> Any:
    """A field that a resolver answers; the annotation beside it says what the graph shows."""
    return strawberry.field(resolver=resolver, **options)


def stream(resolver: Callable[..., Any], **options: Any) -> Any:
    """A subscription answered by an async generator."""
    return strawberry.subscription(resolver=resolver, **options)


def extends(*targets: type) -> Callable[[type[T]], type[T]]:
    """Fields that one context adds to types of another; `schema/graph.py` joins them."""

    def show(cls: Any) -> Any:
        documented = docstrings(cls)
        shown = strawberry.type(cls, description=_description(cls))
        _describe(shown, documented)
        shown.__extends__ = targets
        return shown

    return show


def described(text: str) -> Any:
    """What an argument means, written into its `Annotated` type."""
    return strawberry.argument(description=text)


@cache
def docstrings(cls: type) -> dict[str, str]:
    """The docstrings below the fields of a class, by field; parents' where the class has none."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        found |= _written_in(base)
    return found


def _input(cls: Any, *, one_of: bool) -> Any:
    documented = docstrings(cls)
    shown = strawberry.input(cls, one_of=one_of, description=_description(cls))
    _describe(shown, documented)
    return shown


def _describe(cls: type, documented: dict[str, str]) -> None:
    definition: StrawberryObjectDefinition = cls.__strawberry_definition__  # type: ignore[attr-defined]
    for field in definition.fields:
        if field.description is None:
            field.description = documented.get(field.python_name)


def _description(cls: type) -> str:
    return inspect.cleandoc(cls.__doc__ or "")


def _type_name(_cls: type, value: object, _info: Any, _abstract: Any) -> str:
    return type(value).__name__


def _written_in(cls: type) -> dict[str, str]:
    path = getattr(sys.modules.get(cls.__module__), "__file__", None)
    body = _classes(path).get(cls.__qualname__, []) if path and path.endswith(".py") else []
    return {
        _name(statement): inspect.cleandoc(below.value.value)
        for statement, below in pairwise(body)
        if isinstance(statement, ast.AnnAssign | ast.Assign)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    }


def _name(statement: ast.AnnAssign | ast.Assign) -> str:
    target = statement.target if isinstance(statement, ast.AnnAssign) else statement.targets[0]
    return target.id if isinstance(target, ast.Name) else ""


@cache
def _classes(path: str) -> dict[str, list[ast.stmt]]:
    tree = ast.parse(Path(path).read_text())
    return {node.name: node.body for node in tree.body if isinstance(node, ast.ClassDef)}
