"""What an operation costs, field by field: the tree that is added up, measured by, and explained from."""

from dataclasses import dataclass

from gateway.engine.cost.amounts import Amount, Program, Step, Values, amount_in


@dataclass(frozen=True, slots=True, eq=False)
class Size:
    """How long a list gets."""

    items: Amount
    arguments: tuple[str, ...] = ()
    """Those that say so; none where it is assumed."""


@dataclass(frozen=True, slots=True, eq=False)
class FieldCost:
    """A field of a selection, all its mentions together."""

    name: str
    """In the schema."""
    key: str
    """In the answer."""
    own: Amount
    """Of answering it once, arguments included."""
    lists: int
    """How many lists the answer is nested in."""
    size: Size | None
    """Of the outermost of these."""
    sized_above: bool
    """Whether the size is an argument's of the field above, as with the lists of a connection."""
    leaf: float
    """Of one value, where it has no fields."""
    selection: "SelectionCost | None"
    total: Amount


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A selection as some of the possible types have it, who are alike in what they cost."""

    types: frozenset[str]
    keys: tuple[frozenset[str], ...]
    """The names that objects of these types have in the answer."""
    weight: float
    """Of one object."""
    fields: tuple[FieldCost, ...]
    """Without those that cost nothing."""
    total: Amount


@dataclass(frozen=True, slots=True, eq=False)
class SelectionCost:
    """What is selected of one object: as much as of its most expensive possible type."""

    shapes: tuple[Shape, ...]
    typename_keys: frozenset[str]
    """Where the answer names its type."""
    total: Amount


@dataclass(frozen=True, slots=True, eq=False)
class CostTree:
    """One operation, for one choice of what it skips and includes."""

    root: SelectionCost
    program: Program
    fixed: bool
    """Whether it has no list, so that an answer costs what was expected of it."""
    insists: bool
    """Whether a list insists on an argument for its size, so that the program runs even for a known total."""

    def requested(self, values: Values) -> float:
        """The most it can cost. BadInput where a list is left without the size that it insists on."""
        total = self.root.total
        if not isinstance(total, Step) and not self.insists:
            return total
        return amount_in(self.program.run(values), total)
