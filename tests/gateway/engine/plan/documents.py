"""Valid operations made at random over a blueprint, and the variables given with them."""

from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from graphql.language.print_string import print_string

from tests.gateway.engine.plan.schemas import Argument, Blueprint, Field, Ref, Type

ROOTS: Final = ("Query", "Query", "Query", "Mutation")
_MOST: Final = 24
"""Selections, after which nothing is begun that has selections of its own."""
_ABSENT: Final = object()


@dataclass(frozen=True, slots=True)
class Operation:
    text: str
    variables: dict[str, Any]
    others: dict[str, Any]
    """Variables of another request: each condition the other way, and other values."""


@dataclass
class Writer:
    """Writes one operation.

    A response key says which field with which arguments it stands for, so that selections of one key can
    always be merged.
    """

    blueprint: Blueprint
    random: Random
    fragments: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Type and selections of each named fragment, by name."""
    variables: dict[str, str] = field(default_factory=dict)
    """What defines each variable, by name."""
    given: dict[str, Any] = field(default_factory=dict)
    others: dict[str, Any] = field(default_factory=dict)
    _selected: int = 0
    _arguments: dict[tuple[str, int], str] = field(default_factory=dict)
    _shared: dict[tuple[str, str], str] = field(default_factory=dict)

    def operation(self) -> Operation:
        root = self.random.choice(ROOTS)
        every = f"{self.leaves(root, 'L0')} {self.leaves(root, 'R0')}"
        selections = f"{{ {every} ... {self.selections(root, 4, least=2)} }}"
        fragments = [f"fragment {name} on {of} {text}" for name, (of, text) in self.fragments.items()]
        defined = f" ({', '.join(self.variables.values())})" if self.variables else ""
        text = "\n".join([f"{root.lower()}{defined} {selections}", *fragments])
        return Operation(text, self.given, self.others)

    def maybe(self, chance: float) -> bool:
        return self.random.random() < chance

    # -- selections

    def leaves(self, root: str, of: str) -> str:
        """All leaves of a type that has nothing else, which every operation selects."""
        above = next(one for one in self.blueprint.types[root].fields if one.ref.name == of)
        below = " ".join(one.name for one in self.blueprint.types[of].fields)
        return f"{above.name} {{ {below} }}"

    def selections(self, of: str, levels: int, least: int = 1) -> str:
        parts = [self.selection(of, levels) for _ in range(self.random.randint(least, 5))]
        return "{ " + "\n".join(parts) + " }"

    def selection(self, of: str, levels: int) -> str:
        self._selected += 1
        kind, type_, more = self.random.random(), self.blueprint.types[of], self._selected < _MOST
        if kind < 0.12 or (type_.kind == "union" and not more):
            return f"__typename{self.directives()}"
        if more and (kind < 0.25 or type_.kind == "union"):
            condition = self.random.choice(self.fitting(of))
            on = f" on {condition}" if self.maybe(0.8) or type_.kind == "union" else ""
            return f"...{on}{self.directives()} {self.selections(condition if on else of, levels)}"
        if more and kind < 0.35:
            return f"...{self.spread(of, levels)}{self.directives()}"
        fields = self.blueprint.fields_of(of)
        leaves = [one for one in fields if one.ref.is_leaf]
        wanted = leaves if not levels or not more or (leaves and self.maybe(0.4)) else fields
        return self.field(type_, self.random.choice(wanted), levels) if wanted else "__typename"

    def fitting(self, of: str) -> list[str]:
        """Types that objects of type `of` may be of."""
        possible = {*self.blueprint.possible(of)}
        return [
            name
            for name, type_ in self.blueprint.types.items()
            if type_.kind != "input" and possible & {*self.blueprint.possible(name)}
        ]

    def spread(self, of: str, levels: int) -> str:
        """The name of a fragment, written now or before."""
        fitting = self.fitting(of)
        known = [name for name, (on, text) in self.fragments.items() if text and on in fitting]
        if known and self.maybe(0.5):
            return self.random.choice(known)
        name, on = f"F{len(self.fragments)}", self.random.choice(fitting)
        # Nothing can spread a fragment while it is written, so none spreads itself.
        self.fragments[name] = (on, "")
        self.fragments[name] = (on, self.selections(on, levels))
        return name

    def field(self, type_: Type, chosen: Field, levels: int) -> str:
        variant = self.random.choice((0, 0, 1)) if chosen.arguments else 0
        arguments = self.arguments(chosen, variant)
        key = chosen.name if variant == 0 else f"{chosen.name}_{variant}"
        if self.maybe(0.2):
            key = f"x_{key}"
        if chosen.ref.is_leaf and not chosen.arguments and type_.kind == "object" and self.maybe(0.3):
            key = self.shared(type_, chosen) or key
        alias = "" if key == chosen.name else f"{key}: "
        below = "" if chosen.ref.is_leaf else f" {self.selections(chosen.ref.name, levels - 1)}"
        return f"{alias}{chosen.name}{arguments}{self.directives()}{below}"

    def shared(self, type_: Type, chosen: Field) -> str | None:
        """A key that stands for another field in each type, if all are of one type themselves."""
        of = chosen.ref.graphql()
        if self._shared.setdefault((type_.name, of), chosen.name) != chosen.name:
            return None
        return "s_" + of.replace("[", "l").replace("]", "_").replace("!", "1")

    def directives(self) -> str:
        if self.maybe(0.8):
            return ""
        names = self.random.choice((["skip"], ["include"], ["skip", "include"]))
        return "".join(f" @{name}(if: {self.condition()})" for name in names)

    def condition(self) -> str:
        kind = self.random.randint(0, 4)
        if kind <= 1:
            return ("false", "true")[kind]
        name = f"c{kind}"
        if name not in self.variables:
            default = " = true" if kind == 4 else ""
            self.variables[name] = f"${name}: Boolean!{default}"
            if not default or self.maybe(0.5):
                self.given[name] = self.maybe(0.5)
                self.others[name] = not self.given[name]
        return f"${name}"

    # -- arguments

    def arguments(self, chosen: Field, variant: int) -> str:
        """The same wherever the field is asked for with this variant."""
        kept = self._arguments.get((chosen.name, variant))
        if kept is None:
            parts = [
                f"{argument.name}: {self.value(argument.ref, firm=argument.is_required, where=argument)}"
                for argument in chosen.arguments
                if argument.is_required or self.maybe(0.7)
            ]
            kept = self._arguments[chosen.name, variant] = f"({', '.join(parts)})" if parts else ""
        return kept

    def value(self, ref: Ref, level: int = 0, *, firm: bool, where: Argument | None = None) -> str:
        """A literal, or a variable; `where` it stands, if it is an argument or the field of an input."""
        if where is not None and self.maybe(0.5):
            return self.variable(where)
        if not ref.firm[level] and self.maybe(0.2):
            return "null"
        if level < ref.lists:
            if self.maybe(0.2):
                return self.value(Ref(ref.name, (True,)), firm=True)
            items = [self.item(ref, level + 1) for _ in range(self.random.randint(0, 2))]
            return f"[{', '.join(items)}]"
        if ref.name.startswith("Box"):
            fields = [
                f"{one.name}: {self.value(one.ref, firm=one.is_required, where=one)}"
                for one in self.blueprint.types[ref.name].inputs
                if one.is_required or self.maybe(0.6)
            ]
            return "{" + ", ".join(fields) + "}"
        return self.random.choice(LITERALS[ref.name])

    def item(self, ref: Ref, level: int) -> str:
        return self.value(ref, level, firm=ref.firm[level])

    def variable(self, where: Argument) -> str:
        """A new variable that may stand for the value of an argument, which has a default or has none."""
        ref, name = where.ref, f"v{len(self.variables)}"
        type_ = ref.graphql().removesuffix("!")
        default = ""
        if where.is_required:
            type_, default = self.random.choice(((f"{type_}!", ""), (type_, self.default(ref))))
        elif self.maybe(0.3):
            default = self.default(ref)
        if not default and where.is_required:
            type_ = type_.removesuffix("!") + "!"
        self.variables[name] = f"${name}: {type_}{f' = {default}' if default else ''}"
        firm = type_.endswith("!")
        given = self.input(ref, 0, firm=firm) if (firm and not default) or self.maybe(0.7) else _ABSENT
        if given is not _ABSENT:
            self.given[name] = given
            self.others[name] = self.input(ref, 0, firm=firm)
        return f"${name}"

    def default(self, ref: Ref) -> str:
        if ref.lists or ref.name.startswith("Box"):
            return ""
        return str(self.random.choice(LITERALS[ref.name]))

    def input(self, ref: Ref, level: int, *, firm: bool) -> Any:
        """A value for a variable; hardly ever one that does not fit."""
        if self.maybe(0.01):
            return self.random.choice((None, "x", 2**40, float("nan"), {"a9": 1}, [[None]]))
        if not firm and self.maybe(0.25):
            return None
        if level < ref.lists:
            items = range(self.random.randint(0, 2))
            return [self.input(ref, level + 1, firm=ref.firm[level + 1]) for _ in items]
        if ref.name.startswith("Box"):
            return {
                one.name: self.input(one.ref, 0, firm=one.ref.firm[0])
                for one in self.blueprint.types[ref.name].inputs
                if one.is_required or self.maybe(0.6)
            }
        return self.random.choice(INPUTS[ref.name])


INPUTS: Final[dict[str, tuple[Any, ...]]] = {
    "Int": (0, 3, -(2**31), 2**31 - 1, 4.0),
    "Float": (0.5, 3, -2.0, 1e3),
    "String": ("", "a", 'q"\n'),
    "Boolean": (True, False),
    "ID": ("i", 7, ""),
    "Colour": ("RED", "BLUE", "GREEN"),
    "Date": ("2024-01-02", "2023-12-31"),
}
LITERALS: Final[dict[str, tuple[str, ...]]] = {
    "Int": ("0", "3", "-2147483648", "2147483647"),
    "Float": ("0.5", "3", "-2.0", "1e3"),
    "String": ('""', '"a"', print_string('q"\n')),
    "Boolean": ("true", "false"),
    "ID": ('"i"', "7", '""'),
    "Colour": ("RED", "BLUE", "GREEN"),
    "Date": ('"2024-01-02"', '"2023-12-31"'),
}
