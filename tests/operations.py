"""Every operation of the graph that a test or a page writes down, and values for its variables."""

import ast
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from graphql import (
    DocumentNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    OperationDefinitionNode,
    is_required_input_field,
    parse,
    type_from_ast,
    validate,
)

from tests.examples import of_graphiql, of_readme

ROOT: Final = Path(__file__).parent
Known = Callable[[str, str], Any]
"""A value for a scalar, given the name of what it is for and of its type."""


@lru_cache(1)
def written() -> tuple[str, ...]:
    """All strings of all tests, and the documents of pages: whatever may be an operation."""
    found: dict[str, None] = dict.fromkeys((*of_graphiql(), *of_readme()))
    for path in sorted(ROOT.rglob("*.py")):
        found |= dict.fromkeys(text for text in strings(path.read_text("utf-8")) if "{" in text)
    return tuple(found)


def strings(source: str) -> Iterator[str]:
    """Those of a module, also where they are put together from constants of the module."""
    tree = ast.parse(source)
    names: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            text = _folded(node.value, names)
            if text is not None:
                names[node.targets[0].id] = text
    for inner in ast.walk(tree):
        text = _folded(inner, names) if isinstance(inner, ast.expr) else None
        if text is not None:
            yield text


def _folded(node: ast.expr, names: dict[str, str]) -> str | None:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name):
            return names.get(name)
        case ast.FormattedValue(value=inner):
            return _folded(inner, names)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _joined([left, right], names)
        case ast.JoinedStr(values=values):
            return _joined(values, names)
    return None


def _joined(nodes: list[ast.expr], names: dict[str, str]) -> str | None:
    parts = [_folded(node, names) for node in nodes]
    return None if None in parts else "".join(part for part in parts if part is not None)


def operations(schema: GraphQLSchema) -> dict[str, DocumentNode]:
    """The documents among them that are valid for `schema`, by text."""
    found = {}
    for text in written():
        try:
            document = parse(text, no_location=True)
        except GraphQLError:
            continue
        if not validate(schema, document):
            found[text] = document
    return found


def definitions(document: DocumentNode) -> list[OperationDefinitionNode]:
    return [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]


def variables(
    schema: GraphQLSchema, operation: OperationDefinitionNode, known: Known, *, everything: bool
) -> dict[str, Any]:
    """A value for each variable, or for each that needs one."""
    found = {}
    for definition in operation.variable_definitions or ():
        type_ = type_from_ast(schema, definition.type)
        name = definition.variable.name.value
        if everything or (isinstance(type_, GraphQLNonNull) and definition.default_value is None):
            found[name] = _value(type_, name, known)
    return found


def _value(type_: Any, name: str, known: Known) -> Any:
    if isinstance(type_, GraphQLNonNull):
        return _value(type_.of_type, name, known)
    if isinstance(type_, GraphQLList):
        return [_value(type_.of_type, name, known)]
    if isinstance(type_, GraphQLEnumType):
        return next(iter(type_.values))
    if isinstance(type_, GraphQLInputObjectType):
        fields = type_.fields.items()
        wanted = [(key, field) for key, field in fields if is_required_input_field(field)] or [*fields][:1]
        return {key: _value(field.type, key, known) for key, field in wanted}
    return known(name, type_.name)
