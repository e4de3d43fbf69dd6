"""Descriptions come from the source: a docstring below a field describes it, as one below a class describes
the class.
"""

import ast
import inspect
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import strawberry

T = TypeVar("T")


def entry(cls: type[T]) -> type[T]:
    """Input: what a mutation or a filter takes."""
    return _input(cls, one_of=False)  # type: ignore[no-any-return]


def choice_of_one(cls: type[T]) -> type[T]:
    """Input of which exactly one field is given (`@oneOf`)."""
    return _input(cls, one_of=True)  # type: ignore[no-any-return]


@cache
def docstrings(cls: type) -> dict[str, str]:
    """The docstrings below the fields of a class, by field; parents' where the class has none."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        found |= _written_in(base)
    return found


def describe(cls: Any, documented: dict[str, str]) -> None:
    """Gives the fields of a Strawberry type the docstrings they have none of."""
    for field in cls.__strawberry_definition__.fields:
        if field.description is None:
            field.description = documented.get(field.python_name)


def description(cls: type) -> str:
    return inspect.cleandoc(cls.__doc__ or "")


def _input(cls: Any, *, one_of: bool) -> Any:
    documented = docstrings(cls)
    shown = strawberry.input(cls, one_of=one_of, description=description(cls))
    describe(shown, documented)
    return shown


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
