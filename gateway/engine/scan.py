"""Reading a document's text for its sizes, without parsing it.

Parsing costs some 10 to 20 µs a token, this half a microsecond: what is too large is refused at the cost of
reading it once. For every text that parses, the figures are those that a walk over the parsed document would
find; for a text that does not, they mean nothing, and parsing says what is wrong with it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, NamedTuple

from gateway.engine.outline import NO_FIELDS, FieldTypes, Outline

# Lexical tokens and comments of https://spec.graphql.org/September2025/#sec-Language.Source-Text. What is
# none is passed over: parsing stops there. An unterminated string runs to the end, and no repetition gives
# characters back: one pass, whatever comes.
_TOKEN: Final = re.compile(
    r'"""(?:[^"\\]|\\"""|\\|"(?!""))*+(?:"""|\Z)'
    r'|"(?:[^"\\\n\r]|\\.)*+"?'
    r"|#[^\n\r]*+"
    r"|\.\.\."
    r"|[A-Za-z_][A-Za-z0-9_]*+"
    r"|-?[0-9]++(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?"
    r"|[!$&()\[\]{}:=@|]",
    re.DOTALL,
)
_INTROSPECTION_ROOTS: Final = frozenset({"__schema", "__type"})
_KEPT_STRANGERS: Final = 3
_READ_AT_ONCE: Final = 20_000
"""Characters whose tokens are found faster than they are counted one by one."""


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
    list_items: int = 0
    number_characters: int = 0


class Spread(NamedTuple):
    """A fragment is used here."""

    name: str
    depth: int
    """Fields around the spread."""
    introspective: bool
    """Whether one of these is `__schema` or `__type`; `depth` then counts from there."""


@dataclass(slots=True)
class Definition:
    """An operation, or a fragment by its name, with what stands in it itself."""

    fragment: str | None = None
    own: Size = field(default_factory=Size)
    spreads: list[Spread] = field(default_factory=list)


@dataclass(slots=True)
class Scanned:
    """A whole document."""

    definitions: list[Definition] = field(default_factory=list)
    strangers: int = 0
    """Fields that their types do not have, and all below them."""
    named_strangers: list[str] = field(default_factory=list)
    """The first of them, in words."""


def tokens_of(text: str, most: int) -> list[str]:
    """The tokens and comments of the text, `most` of them at most."""
    if len(text) <= _READ_AT_ONCE:
        return _TOKEN.findall(text)[:most]
    return [match[0] for match in islice(_TOKEN.finditer(text), most)]


def scan(tokens: Iterable[str], outline: Outline | None = None) -> Scanned:
    """The definitions in these tokens; strangers only where an outline tells who is one."""
    scanner = _Scanner(outline)
    scanner.run([token for token in tokens if token[0] != "#"])
    return scanner.found


def introspects(text: str) -> bool:
    """Whether the document asks for the schema."""
    # Few do, so the search for the characters spares nearly all of them the reading.
    return "__schema" in text or (
        "__type" in text and not _INTROSPECTION_ROOTS.isdisjoint(tokens_of(text, len(text)))
    )


class _Level(NamedTuple):
    """A selection set that is open."""

    depth: int
    introspective: bool
    names: set[str]
    types: FieldTypes
    type_name: str


class _Scanner:
    """Goes through the tokens once. `_parentheses` tells selections from arguments and variables."""

    def __init__(self, outline: Outline | None) -> None:
        self.found = Scanned()
        self._outline = outline
        self._definition = Definition()
        self._size = self._definition.own
        self._levels: list[_Level] = []
        self._parentheses = 0
        self._literals: list[int] = []
        """The items so far of each list that is open, -1 for an object."""
        self._header: list[str] = []
        """The words before the first selection set, but for directives."""
        self._directed = False
        self._declares = False
        """Whether the parenthesis is that of variables; then what follows a colon is a type."""
        self._in_type = False
        self._field = ""
        self._inline = False
        self._condition = ""
        self._previous = ""
        self._next = ""
        self._marks = {
            "{": self._open,
            "}": self._close,
            "(": self._open_parenthesis,
            ")": self._close_parenthesis,
            "[": self._open_list,
            "]": self._close_literal,
            ":": self._colon,
            "=": self._end_type,
            "$": self._end_type,
            "@": self._directive,
            "...": self._spread,
        }

    def run(self, tokens: list[str]) -> None:
        marks = self._marks
        following = iter([*tokens[1:], ""])
        for token in tokens:
            self._next = next(following)
            mark = marks.get(token)
            if mark is not None:
                mark()
            elif self._parentheses:
                self._value(token)
            elif token[0].isalpha() or token[0] == "_":
                self._name(token)
            self._previous = token
        # What was left open counts as well: parsing would have to read it before it finds out.
        while self._literals:
            self._close_literal()
        if self._levels:
            self._end_definition()

    def _open(self) -> None:
        if self._parentheses:
            self._open_literal(-1)
        elif not self._levels:
            self._begin_definition()
        elif self._inline:
            level = self._levels[-1]
            name = self._condition or level.type_name
            self._levels.append(level._replace(types=self._types(name), type_name=name))
            self._inline = False
        else:
            level, name = self._levels[-1], self._field
            enters = not level.introspective and name in _INTROSPECTION_ROOTS
            type_name = level.types.get(name, "")
            depth = 1 if enters else level.depth + 1
            introspective = level.introspective or enters
            self._levels.append(_Level(depth, introspective, set(), self._types(type_name), type_name))

    def _close(self) -> None:
        if self._parentheses:
            self._close_literal()
        elif self._levels:
            self._levels.pop()
            if not self._levels:
                self._end_definition()

    def _begin_definition(self) -> None:
        header = self._header or ["query"]
        type_name = ""
        if header[0] == "fragment":
            self._definition.fragment = header[1] if len(header) > 1 else ""
            type_name = header[-1]
        elif self._outline is not None:
            type_name = self._outline.roots.get(header[0], "")
        self._levels.append(_Level(0, False, set(), self._types(type_name), type_name))  # noqa: FBT003 - by position for speed
        self._header = []

    def _end_definition(self) -> None:
        self._directed = False
        self.found.definitions.append(self._definition)
        self._definition = Definition()
        self._size = self._definition.own

    def _types(self, name: str) -> FieldTypes:
        return NO_FIELDS if self._outline is None else self._outline.fields.get(name, NO_FIELDS)

    def _name(self, token: str) -> None:
        """A name outside of parentheses."""
        previous = self._previous
        if previous == "@":
            return
        if not self._levels:
            self._header.append(token)
        elif previous == "...":
            level = self._levels[-1]
            if token != "on":  # noqa: S105 - a word of the language
                self._definition.spreads.append(Spread(token, level.depth, level.introspective))
        elif self._inline and previous == "on" and not self._condition:
            self._condition = token
        elif previous == ":":
            self._select(token)
        else:
            self._respond_under(token)

    def _respond_under(self, key: str) -> None:
        """A field's key in the answer, which is its name where it has no alias."""
        size, level = self._size, self._levels[-1]
        size.fields += 1
        size.root_fields += level.depth == 0
        if key in level.names:
            size.repeated_fields += 1
        else:
            level.names.add(key)
        depth = level.depth + 1
        if level.introspective:
            size.introspection_depth = max(size.introspection_depth, depth)
        elif depth > size.depth:
            size.depth = depth
        if self._next == ":":
            size.aliases += 1
        else:
            self._select(key)

    def _select(self, name: str) -> None:
        self._field = name
        if self._outline is not None and name not in self._levels[-1].types:
            found = self.found
            found.strangers += 1
            if found.strangers <= _KEPT_STRANGERS:
                place = self._levels[-1].type_name
                found.named_strangers.append(f"'{name}' on type '{place}'" if place else f"'{name}'")

    def _spread(self) -> None:
        if self._levels:
            # A spread, unless a type condition, a directive or the selections themselves follow.
            self._inline = self._next in {"on", "@", "{"}
            self._condition = ""

    def _directive(self) -> None:
        if self._parentheses:
            self._in_type = False
        else:
            self._size.directives += 1
            self._directed = True

    def _open_parenthesis(self) -> None:
        if not self._parentheses:
            # Variables come before the directives of their operation.
            self._declares = not self._levels and not self._directed
        self._parentheses += 1

    def _close_parenthesis(self) -> None:
        self._in_type = False
        if self._parentheses:
            self._parentheses -= 1

    def _colon(self) -> None:
        if self._parentheses == 1 and self._declares and not self._literals:
            self._in_type = True

    def _end_type(self) -> None:
        self._in_type = False

    def _open_list(self) -> None:
        if self._parentheses and not self._in_type:
            self._open_literal(0)

    def _open_literal(self, items: int) -> None:
        self._count_item()
        self._literals.append(items)
        self._size.literal_depth = max(self._size.literal_depth, len(self._literals))

    def _close_literal(self) -> None:
        if self._literals:
            items = self._literals.pop()
            self._size.list_items = max(self._size.list_items, items)

    def _value(self, token: str) -> None:
        """A name, number or string within parentheses."""
        if self._in_type:
            return
        self._count_item()
        if token[0] in "-0123456789" and len(token) > self._size.number_characters:
            self._size.number_characters = len(token)

    def _count_item(self) -> None:
        if self._literals and self._literals[-1] >= 0:
            self._literals[-1] += 1
