"""Changes of the directives that are applied to a schema's elements, which graphql-core does not compare."""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, Final

from graphql import DocumentNode, print_ast
from graphql.language import ConstDirectiveNode

from gateway.evolution.model import Change, Level

Applied = Mapping[str, list[str]]
"""By coordinate, the directives applied there, as written in the schema language."""

SCHEMA: Final = "the schema"

MEANING: Final[Mapping[tuple[str, str], Level]] = {
    ("deprecated", "added"): Level.SAFE,
    ("deprecated", "removed"): Level.SAFE,
    ("deprecated", "changed"): Level.SAFE,
    ("key", "added"): Level.SAFE,
    ("key", "removed"): Level.BREAKING,
    ("key", "changed"): Level.BREAKING,
    ("shareable", "added"): Level.SAFE,
    ("shareable", "removed"): Level.BREAKING,
    ("inaccessible", "added"): Level.BREAKING,
    ("inaccessible", "removed"): Level.SAFE,
    ("oneOf", "added"): Level.BREAKING,
    ("oneOf", "removed"): Level.SAFE,
    ("tag", "added"): Level.SAFE,
    ("tag", "removed"): Level.SAFE,
    ("tag", "changed"): Level.SAFE,
    ("cacheControl", "added"): Level.SAFE,
    ("cacheControl", "removed"): Level.SAFE,
    ("cacheControl", "changed"): Level.SAFE,
}
"""What a change of an applied directive means. Others are dangerous: a cost may pass a limit, a scope
refuse.
"""

OF_CLIENTS: Final = frozenset({"inaccessible", "oneOf"})
"""Those that clients notice where they use the element; of the others a router does, whoever asks it."""


def directive_changes(old: DocumentNode, new: DocumentNode) -> Iterator[Change]:
    """Only of elements that both have: with an element, its directives come and go."""
    before, after = applied(old), applied(new)
    for coordinate in before.keys() & after.keys():
        yield from _changes(coordinate, before[coordinate], after[coordinate])


def applied(document: DocumentNode) -> Applied:
    found: dict[str, list[str]] = {}
    for definition in document.definitions:
        for coordinate, node in _elements(definition):
            written: tuple[ConstDirectiveNode, ...] = node.directives or ()
            found.setdefault(coordinate, []).extend(print_ast(directive) for directive in written)
    return found


def _elements(definition: Any) -> Iterator[tuple[str, Any]]:
    """The definition and what is within it, by coordinate."""
    kind = definition.kind.removesuffix("_definition").removesuffix("_extension")
    if kind == "schema":
        yield SCHEMA, definition
    elif kind != "directive" and hasattr(definition, "name"):
        name = definition.name.value
        yield name, definition
        for member in chain(getattr(definition, "fields", ()) or (), getattr(definition, "values", ()) or ()):
            yield f"{name}.{member.name.value}", member
            for argument in getattr(member, "arguments", ()) or ():
                yield f"{name}.{member.name.value}({argument.name.value}:)", argument


def _changes(coordinate: str, before: list[str], after: list[str]) -> Iterator[Change]:
    removed = [text for text in before if text not in after]
    added = [text for text in after if text not in before]
    for text in removed:
        successor = next((other for other in added if _name(other) == _name(text)), None)
        if successor is None:
            yield _change(coordinate, text, "removed", f"{text} was removed from {coordinate}.")
        else:
            added.remove(successor)
            yield _change(coordinate, text, "changed", f"{text} of {coordinate} became {successor}.")
    for text in added:
        yield _change(coordinate, text, "added", f"{text} was added to {coordinate}.")


def _change(coordinate: str, text: str, what: str, message: str) -> Change:
    name = _name(text)
    noticed_at = coordinate if name in OF_CLIENTS else None
    return Change(MEANING.get((name, what), Level.DANGEROUS), message, noticed_at)


def _name(text: str) -> str:
    return text.removeprefix("@").partition("(")[0]
