"""Source text of a function while it is written."""

from dataclasses import dataclass, field
from typing import TypeAlias

from gateway.engine.plan.codes import mark
from gateway.engine.plan.positions import Position


@dataclass(frozen=True, slots=True)
class Scene:
    """Where in a function text is written."""

    at: tuple[str, ...]
    """Expressions for where in the chunk a value is."""
    parent: Position | None
    """The field whose objects are being written."""
    loops: int = 0
    named: bool = False
    """Whether `at` ends with the name of the type of the object, as several types share its text."""

    @property
    def place(self) -> str:
        return f"({', '.join(self.at)},)"

    @property
    def origin(self) -> str:
        return f"(c, {', '.join(self.at)},)"


Late: TypeAlias = tuple[Position, str, bool]
"""A field that has to wait: the variable with what it waits for, and whether it always does."""


@dataclass(slots=True)
class Made:
    """Fields of an object that is being written."""

    values: dict[str, str] = field(default_factory=dict)
    """The expression of each, by response key in the order of the selection."""
    late: list[Late] = field(default_factory=list)


@dataclass
class Text:
    """Lines of one function, the columns it fills, and names that are not taken."""

    lines: list[str] = field(default_factory=list)
    columns: list[int] = field(default_factory=list)
    indent: int = 1
    names: int = 0

    def line(self, text: str) -> None:
        self.lines.append("    " * self.indent + text)

    def under(self, header: str) -> "Text":
        """The block `with` this stands below `header`."""
        self.line(header)
        self.indent += 1
        return self

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None:
        self.indent -= 1

    def name(self, letter: str) -> str:
        self.names += 1
        return f"{letter}{self.names}"

    def render(self) -> str:
        """What stands below the header."""
        fetch = [
            f"    s{place} = run.columns[{mark(f'S{number}')}].entries"
            for place, number in enumerate(self.columns)
        ]
        return "\n".join([*fetch, *(self.lines or ["    pass"]), ""])


def place_of(position: Position) -> str:
    """A position, as a text names it."""
    return mark(f"P{position.number}")
