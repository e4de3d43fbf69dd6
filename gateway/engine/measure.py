"""Counting a document, in time linear in its length.

Each definition is walked once. What a fragment holds is then added once per spread, from a memo, so that a
document whose fragments spread each other twice, thirty levels deep, is counted as fast as any other.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice

from graphql import (
    ArgumentNode,
    DirectiveNode,
    DocumentNode,
    ExecutableDefinitionNode,
    FieldNode,
    FloatValueNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    Node,
    ObjectFieldNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from domain.platform.errors import BadInput
from gateway.engine.limits import Limits

# Lexical tokens and comments of https://spec.graphql.org/September2025/#sec-Language.Source-Text, roughly.
# An unterminated string runs to the end, and no repetition gives characters back: one pass, whatever comes.
_TOKEN = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*+(?:"""|\Z)'
    r'|"(?:[^"\\\n\r]|\\.)*+"?'
    r"|#[^\n\r]*+"
    r"|\.\.\.|[\w.+-]++"
    r"|[!$&()\[\]{}:=@|]",
    re.DOTALL,
)
_MAX_SHOWN = 1_000_000
_INTROSPECTION_ROOTS = frozenset({"__schema", "__type"})


@dataclass(slots=True)
class Size:
    """What one operation would execute, fragments included."""

    fields: int = 0
    root_fields: int = 0
    aliases: int = 0
    directives: int = 0
    repeated_fields: int = 0
    depth: int = 0
    introspection_depth: int = 0
    literal_depth: int = 0
    number_characters: int = 0


@dataclass(frozen=True, slots=True)
class _Spread:
    name: str
    depth: int
    """Fields around the spread."""
    introspective: bool
    """Whether one of these is `__schema` or `__type`; `depth` then counts from there."""


@dataclass(slots=True)
class _Definition:
    own: Size = field(default_factory=Size)
    spreads: list[_Spread] = field(default_factory=list)


def refuse_long_text(text: str, limits: Limits) -> None:
    """Raises BadInput for text that has too many characters or tokens to be worth parsing."""
    _compare("document characters", len(text), limits.max_document_characters)
    tokens = sum(1 for _ in islice(_TOKEN.finditer(text), limits.max_tokens + 1))
    _compare("tokens", tokens, limits.max_tokens, at_least=True)


def refuse_large_document(document: DocumentNode, limits: Limits) -> None:
    """Raises BadInput, naming the first limit that an operation of the document exceeds."""
    fragments = [node for node in document.definitions if isinstance(node, FragmentDefinitionNode)]
    _compare("fragments", len(fragments), limits.max_fragments)
    _compare("operations", len(document.definitions) - len(fragments), limits.max_operations)
    for size in measure(document):
        _compare("depth", size.depth, limits.max_depth)
        _compare("introspection depth", size.introspection_depth, limits.max_introspection_depth)
        _compare("fields", size.fields, limits.max_fields)
        _compare("root fields", size.root_fields, limits.max_root_fields)
        _compare("aliases", size.aliases, limits.max_aliases)
        _compare("directives", size.directives, limits.max_directives)
        _compare("repeated fields", size.repeated_fields, limits.max_repeated_fields)
        _compare("literal depth", size.literal_depth, limits.max_literal_depth)
        _compare("characters of a number", size.number_characters, limits.max_number_characters)


def measure(document: DocumentNode) -> list[Size]:
    """The size of each operation, then of each fragment: an unused fragment is validated like any other.

    Root fields are an operation's only. A spread that closes a cycle or names no fragment adds nothing:
    validation reports it.
    """
    walked: dict[str, _Definition] = {}
    operations: list[_Definition] = []
    for node in document.definitions:
        if isinstance(node, FragmentDefinitionNode):
            walked.setdefault(node.name.value, _walk(node))
        elif isinstance(node, OperationDefinitionNode):
            operations.append(_walk(node))
    memo: dict[str, Size] = {}
    for name in walked:
        _add_up(name, walked, memo)
    totals = [_total(operation, memo) for operation in operations]
    return [*totals, *(replace(size, root_fields=0) for size in memo.values())]


def _add_up(root: str, walked: Mapping[str, _Definition], memo: dict[str, Size]) -> None:
    """Put `root` and all it spreads into the memo, the innermost first, without recursion."""
    path: dict[str, Iterator[_Spread]] = {}
    waiting = [root]
    while waiting:
        name = waiting[-1]
        if name in memo or name not in walked:
            waiting.pop()
            continue
        spreads = path.setdefault(name, iter(walked[name].spreads))
        inner = next((s.name for s in spreads if s.name not in memo and s.name not in path), None)
        if inner is not None:
            waiting.append(inner)
            continue
        memo[name] = _total(walked[name], memo)
        del path[name]
        waiting.pop()


def _total(definition: _Definition, memo: Mapping[str, Size]) -> Size:
    total = replace(definition.own)
    for spread in definition.spreads:
        inner = memo.get(spread.name)
        if inner is None:
            continue
        total.fields += inner.fields
        total.aliases += inner.aliases
        total.directives += inner.directives
        total.repeated_fields += inner.repeated_fields
        total.root_fields += inner.root_fields if spread.depth == 0 and not spread.introspective else 0
        total.literal_depth = max(total.literal_depth, inner.literal_depth)
        total.number_characters = max(total.number_characters, inner.number_characters)
        if spread.introspective:
            deepest = spread.depth + max(inner.depth, inner.introspection_depth)
            total.introspection_depth = max(total.introspection_depth, deepest)
        else:
            total.depth = max(total.depth, spread.depth + inner.depth)
            total.introspection_depth = max(total.introspection_depth, inner.introspection_depth)
    return total


def _walk(definition: ExecutableDefinitionNode) -> _Definition:
    found = _Definition()
    size = found.own
    for variable in definition.variable_definitions or ():
        _values(size, variable.default_value, *(variable.directives or ()))
    _directives(size, definition.directives)
    sets: list[tuple[SelectionSetNode, int, bool, set[str]]] = [(definition.selection_set, 0, False, set())]
    while sets:
        selections, depth, introspective, names = sets.pop()
        for node in selections.selections:
            _directives(size, node.directives)
            if isinstance(node, FieldNode):
                name = (node.alias or node.name).value
                size.repeated_fields += name in names
                names.add(name)
                _field(size, node, depth, introspective=introspective)
                if node.selection_set:
                    enters = not introspective and node.name.value in _INTROSPECTION_ROOTS
                    inner = 1 if enters else depth + 1
                    sets.append((node.selection_set, inner, introspective or enters, set()))
            elif isinstance(node, InlineFragmentNode):
                sets.append((node.selection_set, depth, introspective, names))
            elif isinstance(node, FragmentSpreadNode):
                found.spreads.append(_Spread(node.name.value, depth, introspective))
    return found


def _field(size: Size, node: FieldNode, depth: int, *, introspective: bool) -> None:
    size.fields += 1
    size.aliases += node.alias is not None
    size.root_fields += depth == 0
    if introspective:
        size.introspection_depth = max(size.introspection_depth, depth + 1)
    else:
        size.depth = max(size.depth, depth + 1)
    _values(size, *(node.arguments or ()))


def _directives(size: Size, directives: tuple[DirectiveNode, ...] | None) -> None:
    if directives:
        size.directives += len(directives)
        _values(size, *directives)


def _values(size: Size, *nodes: Node | None) -> None:
    """Arguments, directives and object fields are stepped through; only lists and objects are levels."""
    waiting: list[tuple[Node | None, int]] = [(node, 0) for node in nodes]
    while waiting:
        node, depth = waiting.pop()
        if isinstance(node, IntValueNode | FloatValueNode):
            size.number_characters = max(size.number_characters, len(node.value))
        elif isinstance(node, ListValueNode | ObjectValueNode):
            size.literal_depth = max(size.literal_depth, depth + 1)
            inner = node.values if isinstance(node, ListValueNode) else node.fields
            waiting.extend((child, depth + 1) for child in inner)
        elif isinstance(node, DirectiveNode):
            waiting.extend((argument, depth) for argument in node.arguments or ())
        elif isinstance(node, ArgumentNode | ObjectFieldNode):
            waiting.append((node.value, depth))


def _compare(what: str, actual: int, maximum: int, *, at_least: bool = False) -> None:
    if actual <= maximum:
        return
    # Fragments can multiply to numbers that no JSON reader would take.
    shown = min(actual, max(_MAX_SHOWN, maximum + 1))
    figure = f"at least {shown:,}" if at_least or shown < actual else f"{shown:,}"
    raise BadInput(
        f"The operation exceeds the limit of {maximum:,} for {what}: it has {figure}.",
        limit=what,
        maximum=maximum,
        actual=shown,
    )
