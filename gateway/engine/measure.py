"""Counting a document before it is parsed, in time linear in its length.

Each definition is read once. What a fragment holds is then added once per spread, from a memo, so that a
document whose fragments spread each other twice, thirty levels deep, is counted as fast as any other.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

from domain.platform.errors import BadInput
from gateway.engine.limits import Excess, Limit, Limits
from gateway.engine.outline import Outline
from gateway.engine.scan import Definition, Scanned, Size, Spread, scan, tokens_of

TOLERATED_STRANGERS: Final = 20
"""Fields that do not exist, in a document that is parsed all the same to say where they are."""
_ALL: Final = 1 << 31
_OF_DOCUMENT: Final = (Limit.FRAGMENTS, Limit.OPERATIONS)
_OF_OPERATION: Final = (
    Limit.DEPTH,
    Limit.INTROSPECTION_DEPTH,
    Limit.FIELDS,
    Limit.ROOT_FIELDS,
    Limit.ALIASES,
    Limit.DIRECTIVES,
    Limit.REPEATED_FIELDS,
    Limit.LITERAL_DEPTH,
    Limit.LIST_ITEMS,
    Limit.NUMBER_CHARACTERS,
)


@dataclass(frozen=True, slots=True)
class Measured:
    """What a document holds."""

    scanned: Scanned
    operations: int
    fragments: int
    sizes: list[Size]
    """Of each operation, then of each fragment: an unused fragment is validated like any other."""
    cycle: Sequence[str]
    """Fragments that spread each other in a circle; none where none do."""

    @property
    def largest(self) -> Size:
        """The largest figure of each kind, of whichever definition has it."""
        if len(self.sizes) == 1:
            return self.sizes[0]
        return Size(*(max((getattr(size, name) for size in self.sizes), default=0) for name in _FIGURES))


_FIGURES: Final = tuple(figure.name for figure in fields(Size))


def excesses(text: str, limits: Limits, outline: Outline | None = None) -> Iterator[Excess]:
    """What of a document exceeds the limits, in the order of what it costs to find out.

    Who takes no more than the first that is refused pays for no more. Raises BadInput for fragments in a
    circle and for more than a few fields that do not exist, as no limit makes these valid.
    """
    if len(text) > limits.max_document_characters:
        yield Excess(Limit.DOCUMENT_CHARACTERS, limits.max_document_characters, len(text))
    most = _ALL if Limit.TOKENS in limits.warn_only else limits.max_tokens + 1
    tokens = tokens_of(text, most)
    if len(tokens) > limits.max_tokens:
        yield Excess(Limit.TOKENS, limits.max_tokens, len(tokens), at_least=len(tokens) == most)
    measured = measure(tokens, outline)
    _refuse_impossible(measured)
    largest = measured.largest
    for counted, kinds in ((measured, _OF_DOCUMENT), (largest, _OF_OPERATION)):
        for limit in kinds:
            actual, maximum = getattr(counted, limit), limits.maximum(limit)
            if actual > maximum:
                yield Excess(limit, maximum, actual)


def measure(tokens: Sequence[str], outline: Outline | None = None) -> Measured:
    """The size of each operation and fragment.

    Root fields are an operation's only. A spread that closes a cycle or names no fragment adds nothing.
    """
    scanned = scan(tokens, outline)
    named: dict[str, Definition] = {}
    operations = []
    for definition in scanned.definitions:
        if definition.fragment is None:
            operations.append(definition)
        else:
            named.setdefault(definition.fragment, definition)
    memo: dict[str, Size] = {}
    cycles = [_add_up(name, named, memo) for name in named]
    totals = [_total(operation, memo) for operation in operations]
    return Measured(
        scanned=scanned,
        operations=len(operations),
        fragments=len(scanned.definitions) - len(operations),
        sizes=[*totals, *(replace(size, root_fields=0) for size in memo.values())],
        cycle=next((cycle for cycle in cycles if cycle), ()),
    )


def _refuse_impossible(measured: Measured) -> None:
    if measured.cycle:
        first, *others = measured.cycle
        via = ", ".join(f"'{name}'" for name in others)
        raise BadInput(f"Cannot spread fragment '{first}' within itself{f' via {via}' if via else ''}.")
    strangers = measured.scanned.strangers
    if strangers > TOLERATED_STRANGERS:
        named = ", ".join(measured.scanned.named_strangers)
        raise BadInput(f"{strangers:,} fields of the document do not exist, among them {named}.")


def _add_up(root: str, named: Mapping[str, Definition], memo: dict[str, Size]) -> Sequence[str]:
    """Put `root` and all it spreads into the memo, the innermost first, without recursion; answers a cycle
    that is met on the way.
    """
    path: dict[str, Iterator[Spread]] = {}
    waiting = [root]
    cycle: Sequence[str] = ()
    while waiting:
        name = waiting[-1]
        if name in memo or name not in named:
            waiting.pop()
            continue
        spreads = path.setdefault(name, iter(named[name].spreads))
        inner = next((spread.name for spread in spreads if spread.name not in memo), None)
        if inner in path:
            cycle = cycle or _circle(list(path), inner)
        elif inner is not None:
            waiting.append(inner)
        else:
            memo[name] = _total(named[name], memo)
            del path[name]
            waiting.pop()
    return cycle


def _circle(path: Sequence[str], closing: str) -> Sequence[str]:
    return path[path.index(closing) :]


def _total(definition: Definition, memo: Mapping[str, Size]) -> Size:
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
        total.list_items = max(total.list_items, inner.list_items)
        total.number_characters = max(total.number_characters, inner.number_characters)
        if spread.introspective:
            deepest = spread.depth + max(inner.depth, inner.introspection_depth)
            total.introspection_depth = max(total.introspection_depth, deepest)
        else:
            total.depth = max(total.depth, spread.depth + inner.depth)
            total.introspection_depth = max(total.introspection_depth, inner.introspection_depth)
    return total
