"""Schemas made at random: what of the type system an executor has to know, as strawberry classes.

A blueprint is written as Python source, so that classes may refer to each other and a failure can be read.
Field names are unique in a schema: `f7` says which field it is, whatever type has it.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from random import Random
from types import ModuleType
from typing import Any, Final

import strawberry

from tests.gateway.engine.plan.ways import CONFIG

LEAVES: Final = {
    "Int": "int",
    "Float": "float",
    "String": "str",
    "Boolean": "bool",
    "ID": "ID",
    "Colour": "Colour",
    "Date": "date",
    "Odd": "Odd",
}
"""Names in Python, by those in GraphQL."""
PLAIN: Final = ("Int", "Float", "String", "ID")
ROW: Final = ("String", "Int", "Float", "Boolean", "ID", "Colour", "Int")
INPUTS: Final = (*PLAIN, "Int", "Boolean", "Colour", "Date")
WAYS: Final = (
    *("attribute",) * 6,
    *("def", "self", "async def", "sleeping", "future", "batched") * 2,
    *("guarded", "late guarded", "broken batch", "at once"),
)
"""How a field may get its value; more often what matters more."""
_PRELUDE: Final = """\
from datetime import date
from typing import Annotated, Any

import strawberry
from strawberry import ID

from resolvers.batching import batched
from tests.gateway.engine.plan.values import Allowed, Colour, Held, Info, LateAllowed
from tests.gateway.engine.plan.ways import Odd
"""


@dataclass(frozen=True, slots=True)
class Ref:
    """A type as a field or argument names it."""

    name: str
    firm: tuple[bool, ...]
    """Which levels must not be null: the list first, its items, and so on inward."""

    @property
    def lists(self) -> int:
        return len(self.firm) - 1

    @property
    def is_leaf(self) -> bool:
        return self.name in LEAVES

    def annotation(self) -> str:
        text = LEAVES.get(self.name, self.name)
        for level in reversed(range(len(self.firm))):
            text = text if self.firm[level] else f"{text} | None"
            text = f"list[{text}]" if level else text
        return text

    def graphql(self) -> str:
        text = self.name
        for level in reversed(range(len(self.firm))):
            text = f"{text}!" if self.firm[level] else text
            text = f"[{text}]" if level else text
        return text


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument, or a field of an input object."""

    name: str
    ref: Ref
    default: str | None
    """In Python; None for no default, in which case a nullable one is unset."""

    def source(self) -> str:
        default = self.default or (None if self.ref.firm[0] else "strawberry.UNSET")
        return f"{self.name}: '{self.ref.annotation()}'" + (f" = {default}" if default else "")

    @property
    def is_required(self) -> bool:
        return self.ref.firm[0] and self.default is None


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    ref: Ref
    way: str
    arguments: tuple[Argument, ...] = ()
    """A field that has any answers what they are; else it may fail as it likes."""
    tells_path: bool = False
    """Whether it answers where it is."""


@dataclass(slots=True)
class Type:
    """An object type, interface, union or input object."""

    name: str
    kind: str
    fields: list[Field] = field(default_factory=list)
    parents: list[str] = field(default_factory=list)
    """Interfaces it says it implements."""
    members: list[str] = field(default_factory=list)
    """Of a union."""
    inputs: list[Argument] = field(default_factory=list)


@dataclass
class Blueprint:
    """Types by name; `Query` and `Mutation` are the roots."""

    types: dict[str, Type] = field(default_factory=dict)
    by_class: bool = False
    """Whether types tell the engine that the class of an object decides."""
    watched: bool = False
    """Whether middleware is around every resolver."""

    def fields_of(self, name: str) -> list[Field]:
        """With those of its interfaces."""
        type_ = self.types[name]
        return [field for parent in type_.parents for field in self.fields_of(parent)] + type_.fields

    @cached_property
    def fields(self) -> Mapping[str, Field]:
        return {field.name: field for type_ in self.types.values() for field in type_.fields}

    def possible(self, name: str) -> list[str]:
        """The object types that a value of type `name` may have."""
        type_ = self.types[name]
        if type_.kind == "union":
            return type_.members
        if type_.kind == "object":
            return [name]
        return [
            other.name for other in self.types.values() if other.kind == "object" and self._is(other, name)
        ]

    def _is(self, type_: Type, name: str) -> bool:
        return any(parent == name or self._is(self.types[parent], name) for parent in type_.parents)

    def source(self) -> str:
        return "\n".join([_PRELUDE, *(_source(self, type_) for type_ in self.types.values())])


@dataclass(frozen=True, slots=True)
class Made:
    """A blueprint and what was made of it."""

    blueprint: Blueprint
    schema: strawberry.Schema
    classes: Mapping[str, Any]


@lru_cache(2_000)
def made(number: int) -> Made:
    """The schema of this number: always the same."""
    blueprint = Designer(Random(number)).blueprint()
    module = ModuleType(f"schema_at_random_{number}")
    # Strawberry looks annotations up in the module of a class.
    sys.modules[module.__name__] = module
    exec(compile(blueprint.source(), module.__name__, "exec"), module.__dict__)
    classes = vars(module)
    schema = strawberry.Schema(
        classes["Query"],
        classes["Mutation"],
        types=[classes[type_.name] for type_ in blueprint.types.values() if type_.kind == "object"],
        config=CONFIG,
    )
    return Made(blueprint, schema, classes)


class Designer:
    """Draws a blueprint."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.made = Blueprint(by_class=random.random() < 0.6, watched=random.random() < 0.1)
        self._fields = 0

    def blueprint(self) -> Blueprint:
        random, types = self.random, self.made.types
        types["Box0"] = Type("Box0", "input", inputs=self._arguments(2, 4, of=PLAIN))
        types["Box1"] = Type("Box1", "input", inputs=self._arguments(2, 4, of=(*INPUTS, "Box0")))
        interfaces = ["I0", "I1"]
        objects = ["T0", "T1", "T2", "T3", "T4"]
        types["I0"] = Type("I0", "interface")
        types["I1"] = Type("I1", "interface", parents=["I0"] if random.random() < 0.4 else [])
        for name in objects:
            parents = [["I0"], ["I1"], [], [], ["I0"]][objects.index(name)]
            types[name] = Type(name, "object", parents=parents)
        types["U0"] = Type("U0", "union", members=random.sample(objects, random.randint(1, 3)))
        types["L0"] = Type("L0", "object", fields=[self._leaf(of) for of in LEAVES])
        types["R0"] = Type("R0", "object", fields=[self._in_row(of) for of in ROW])
        named = [*interfaces, *interfaces, *objects, "U0", "L0"]
        for name in (*interfaces, *objects):
            favourite = random.choice(("attribute", "attribute", "batched", None))
            types[name].fields = [
                self._field(named, favourite=favourite) for _ in range(random.randint(3, 5))
            ]
        for name in ("Query", "Mutation"):
            objects_ = [self._field(named, root=True, objects=True) for _ in range(4)]
            leaves = [self._field(named, root=True, asks=number < 2) for number in range(4)]
            # A schema has no type that nothing leads to.
            led = [self._field([of], root=True, objects=True) for of in ("U0", "L0", "R0")]
            types[name] = Type(name, "object", fields=[*led, *objects_, *leaves])
        return self.made

    def _field(
        self,
        named: Sequence[str],
        *,
        root: bool = False,
        objects: bool = False,
        asks: bool = False,
        favourite: str | None = None,
    ) -> Field:
        """`objects`: it answers objects. `asks`: it has arguments. `favourite`: how most get their values."""
        random = self.random
        name, self._fields = f"f{self._fields}", self._fields + 1
        way = random.choice(
            [way for way in WAYS if not root or (way not in {"attribute", "self"} and "batch" not in way)]
        )
        if favourite is not None and random.random() < 0.7:
            way = favourite
        kind = 1.0 if objects else 0.0 if asks else random.random()
        if kind < 0.15 and way not in {"attribute", "broken batch"}:
            ref = Ref("String", (random.random() < 0.3,))
            return Field(name, ref, way, tuple(self._arguments(1, 3, of=(*INPUTS, *("Box0", "Box1") * 2))))
        if kind < 0.22 and way in {"def", "async def", "sleeping", "guarded"}:
            return Field(name, Ref("String", (False,)), way, tells_path=True)
        of = (
            random.choice(named)
            if objects or random.random() < 0.45
            else random.choice([*LEAVES, *("Int", "Float") * 2, "Boolean"])
        )
        return Field(name, self._ref(of), way)

    def _leaf(self, of: str) -> Field:
        """A field of the type that has all leaves, of which none takes others along when it fails."""
        name, self._fields = f"f{self._fields}", self._fields + 1
        ref = Ref(of, self.random.choice(((False,), (False,), (False, False))))
        return Field(name, ref, self.random.choice(("attribute", "attribute", "def", "batched")))

    def _in_row(self, of: str) -> Field:
        """A field of the type whose leaves are all attributes, so that most are looked at together."""
        name, self._fields = f"f{self._fields}", self._fields + 1
        return Field(name, Ref(of, (self.random.random() < 0.5,)), "attribute")

    def _ref(self, of: str) -> Ref:
        lists = self.random.choice((0, 0, 0, 1, 1, 2))
        return Ref(of, tuple(self.random.random() < (0.5 if level else 0.3) for level in range(lists + 1)))

    def _arguments(self, least: int, most: int, *, of: Sequence[str]) -> list[Argument]:
        """Those without a default first, as Python wants it."""
        found = []
        for number in range(self.random.randint(least, most)):
            lists = self.random.choice((0, 0, 0, 1)) if "Date" in of else 0
            ref = Ref(self.random.choice(of), tuple(self.random.random() < 0.4 for _ in range(lists + 1)))
            found.append(Argument(f"a{number}", ref, self._default(ref)))
        return sorted(found, key=lambda argument: not argument.is_required)

    def _default(self, ref: Ref) -> str | None:
        if ref.lists or ref.name.startswith("Box") or self.random.random() < 0.5:
            return None
        if not ref.firm[0] and self.random.random() < 0.3:
            return "None"
        return {
            "Int": "7",
            "Float": "0.5",
            "String": "'d'",
            "Boolean": "True",
            "ID": "ID('i')",
            "Colour": "Colour.BLUE",
            "Date": "date(2024, 1, 2)",
        }[ref.name]


def _source(blueprint: Blueprint, type_: Type) -> str:
    if type_.kind == "union":
        return f"{type_.name} = Annotated[{' | '.join(type_.members)}, strawberry.union('{type_.name}')]\n"
    if type_.kind == "input":
        lines = [f"    {argument.source()}" for argument in type_.inputs]
        return "\n".join(["@strawberry.input", f"class {type_.name}:", *lines, ""])
    lines = [line for field in type_.fields for line in _field_source(field)]
    if blueprint.by_class and type_.kind == "interface":
        lines += [
            "    @classmethod",
            "    def resolve_type(cls, value, info, abstract):",
            "        return type(value).__name__",
        ]
        lines += ["    resolve_type.__func__.by_class = True"]
    if blueprint.by_class and type_.parents and type_.kind == "object":
        lines += [
            "    @classmethod",
            "    def is_type_of(cls, value, info):",
            "        return type(value) is cls",
        ]
        lines += ["    is_type_of.__func__.by_class = True"]
    decorator = "interface" if type_.kind == "interface" else "type"
    parents = ", ".join(type_.parents) or "Held"
    return "\n".join([f"@strawberry.{decorator}", f"class {type_.name}({parents}):", *lines, ""])


def _field_source(field: Field) -> list[str]:
    name, of = field.name, field.ref.annotation()
    given = "".join(f", {argument.source()}" for argument in field.arguments)
    passed = "".join(f", {argument.name}={argument.name}" for argument in field.arguments)
    if field.way == "attribute":
        return [f"    {name}: '{of}'"]
    if field.way.endswith("batch") or field.way == "batched":
        verb = "break_all" if field.way == "broken batch" else "give_all"
        head = f"    async def _{name}(sources: list[Any], info: Info{given}) -> list['{of}']:"
        return [
            head,
            f"        return info.context.{verb}(sources, '{name}'{passed})",
            f"    {name}: '{of}' = strawberry.field(resolver=batched(_{name}))",
        ]
    guard = {"guarded": "Allowed", "late guarded": "LateAllowed"}.get(field.way)
    decorator = f"@strawberry.field(permission_classes=[{guard}])" if guard else "@strawberry.field"
    if field.way == "self":
        call = f"self._world.give(self, '{name}'{passed})"
        return [f"    {decorator}", f"    def {name}(self{given}) -> '{of}':", f"        return {call}"]
    call = f"info.context.give(self, '{name}', info{passed})"
    prefix, call = {
        "async def": ("async ", call),
        "sleeping": ("async ", f"await info.context.rest() or {call}"),
        "future": ("", f"info.context.later(lambda: {call})"),
        "at once": ("", f"info.context.done(lambda: {call})"),
    }.get(field.way, ("", call))
    head = f"    {prefix}def {name}(self, info: Info{given}) -> '{of}':"
    return [f"    {decorator}", head, f"        return {call}"]
