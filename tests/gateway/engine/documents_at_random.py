"""Documents that parse, made at random: every construct, words that mean something elsewhere, odd spacing."""

from dataclasses import dataclass
from random import Random

# Names that mean something somewhere in the language stand for any other name where they may.
NAMES = ("a", "b", "on", "query", "fragment", "mutation", "type", "true", "__schema", "__type", "_", "c1")
FRAGMENTS = ("F", "G", "query", "fragment")
SPACES = (" ", "\n", " , ", " # { [ ( ... @ \n", "\t", "\ufeff")
STRINGS = (
    '""',
    '"a { b"',
    '"\\" ) {"',
    '"\\\\"',
    '""""""',
    '"""a "b" { """',
    '"""\\""" ("""',
    '"""a\\\\""" [ """',
    '"""\\ """',
    '"""line\n}"""',
)
NUMBERS = ("0", "-1", "12", "-0.5", "1e3", "-1.25E-10", "123456789012")


@dataclass
class Writer:
    """Writes a document from one source of randomness."""

    random: Random

    def document(self) -> str:
        return self.join(*(self.definition() for _ in range(self.random.randint(1, 3))))

    def definition(self) -> str:
        kind = self.random.choice(("fragment", "query", "mutation", "subscription", ""))
        described = '"""{ of a """' if kind and self.maybe(0.2) else ""
        selections = self.selections(self.random.randint(0, 4))
        if kind == "fragment":
            name = self.random.choice(FRAGMENTS)
            return self.join(described, kind, name, "on", self.name(), self.directives(), selections)
        if not kind:
            return selections
        name = self.name() if self.maybe() else ""
        return self.join(described, kind, name, self.variables(), self.directives(), selections)

    def selections(self, levels: int) -> str:
        return self.join("{", *(self.selection(levels) for _ in range(self.random.randint(1, 3))), "}")

    def selection(self, levels: int) -> str:
        kind = self.random.random()
        below = self.selections(levels - 1) if levels and self.maybe(0.7) else ""
        if kind < 0.15:
            return self.join("...", self.random.choice(FRAGMENTS), self.directives())
        if kind < 0.3 and below:
            condition = ("on", self.name()) if self.maybe() else ()
            return self.join("...", *condition, self.directives(), below)
        alias = (self.name(), ":") if self.maybe(0.3) else ()
        return self.join(*alias, self.name(), self.arguments(), self.directives(), below)

    def directives(self) -> str:
        if self.maybe(0.8):
            return ""
        return self.join(*(part for _ in range(2) for part in ("@", self.name(), self.arguments())))

    def arguments(self, *, constant: bool = False) -> str:
        if self.maybe(0.7):
            return ""
        pairs = [
            (self.name(), ":", self.value(3, constant=constant)) for _ in range(self.random.randint(1, 2))
        ]
        return self.join("(", *(part for pair in pairs for part in pair), ")")

    def variables(self) -> str:
        if self.maybe(0.6):
            return ""
        parts: list[str] = []
        for _ in range(self.random.randint(1, 3)):
            parts += ["$", self.name(), ":", self.type()]
            if self.maybe():
                parts += ["=", self.value(3, constant=True)]
            if self.maybe(0.3):
                parts += ["@", self.name(), self.arguments(constant=True)]
        return self.join("(", *parts, ")")

    def type(self) -> str:
        named = self.name()
        for _ in range(self.random.randint(0, 2)):
            named = self.join("[", named, "!" if self.maybe() else "", "]")
        return self.join(named, "!" if self.maybe(0.3) else "")

    def value(self, levels: int, *, constant: bool) -> str:
        kind = self.random.random()
        if levels and kind < 0.3:
            items = [self.value(levels - 1, constant=constant) for _ in range(self.random.randint(0, 4))]
            return self.join("[", *items, "]")
        if levels and kind < 0.5:
            count = self.random.randint(0, 3)
            pairs = [(self.name(), ":", self.value(levels - 1, constant=constant)) for _ in range(count)]
            return self.join("{", *(part for pair in pairs for part in pair), "}")
        if kind < 0.6 and not constant:
            return self.join("$", self.name())
        return self.random.choice((*STRINGS, *NUMBERS, self.name()))

    def name(self) -> str:
        return self.random.choice(NAMES)

    def maybe(self, chance: float = 0.5) -> bool:
        return self.random.random() < chance

    def join(self, *parts: str) -> str:
        """Marks may stand close to anything; words are kept apart."""
        text = ""
        for part in parts:
            if not part:
                continue
            touching = text and _wordy(text[-1]) and _wordy(part[0])
            text += (self.random.choice(SPACES) if touching or self.maybe(0.3) else "") + part
        return text


def _wordy(character: str) -> bool:
    return character.isalnum() or character in '_-."'
