"""Writes how leaves are completed: most need no more than a look at their class."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from graphql import GraphQLNonNull

from gateway.engine.plan import leaves
from gateway.engine.plan.codes import mark
from gateway.engine.plan.positions import Leaves, Position, nullable
from gateway.engine.plan.text import Scene, Text, place_of


class LeafEmitter:
    """The part of an emitter that writes leaves."""

    def __init__(self) -> None:
        self.objects: dict[str, Any] = {}
        """What the texts name, and the functions they became."""
        self._writes = Text()

    def _name(self, letter: str, number: int, value: Any) -> str:
        """A name for `value`, as it stands in a text."""
        self.objects[f"{letter}{number}"] = value
        return mark(f"{letter}{number}")

    def _leaves(self, named: Sequence[tuple[Position, str]], scene: Scene) -> None:
        """Looks at the classes of plain leaves together: tests of each take longer to compile than to run."""
        number, variables = named[0][0].number, ", ".join(variable for _, variable in named)
        group = Leaves([position for position, _ in named])
        group_name = self._name("L", number, group)
        classes = ", ".join(f"{variable}.__class__" for _, variable in named)
        odd = [f"({classes}) not in {self._name('C', number, group.classes)}"]
        for position, variable in named:
            bounds = leaves.BOUNDS.get(position.item)
            if bounds is not None:
                maybe_null = "" if self._is_non_null(position, 0) else f"{variable} is not None and "
                odd.append(f"{maybe_null}not {bounds.format(variable)}")
        with self._writes.under(f"if {' or '.join(odd)}:"):
            self._writes.line(f"[{variables}] = run.together({group_name}, [{variables}], c, {scene.place})")

    def _unlike(self, v: str, position: Position, depth: int) -> str:
        """Whether a plain leaf is not to be written as it is."""
        test = f"not ({leaves.guard(position.item, v)})"
        return test if self._is_non_null(position, depth) else f"{test} and {v} is not None"

    def _leaf(self, v: str, position: Position, depth: int, scene: Scene) -> None:
        text, number, type_ = self._writes, position.number, position.item
        odd = f"{v} = run.leaf({place_of(position)}, {depth}, {v}, c, {scene.place})"
        if leaves.is_plain(type_):
            with text.under(f"if {self._unlike(v, position, depth)}:"):
                text.line(odd)
            return
        enum = leaves.enum_names(type_)
        missing = "else:" if self._is_non_null(position, depth) else f"elif {v} is not None:"
        if enum is not None:
            names, members = self._name("e", number, enum.names), self._name("m", number, enum.members)
            with text.under(f"if {v}.__class__ is {members}:"):
                text.line(f"{v} = {names}[{v}._name_]")
            with text.under(missing):
                text.line(odd)
            return
        coerce, kinds = (
            self._name("l", number, type_.coerce_output_value),
            self._name("K", number, position.kinds),
        )
        with self._unless_none(v, position, depth):
            with text.under("try:"):
                text.line(f"y = {coerce}({v}) if {v}.__class__ in {kinds} else None")
            with text.under("except Exception:"):
                text.line("y = None")
            text.line(f"{v} = {odd.partition(' = ')[2]} if y is None or y is Undefined else y")

    def _plain_list(self, v: str, item: str, position: Position, depth: int, scene: Scene) -> None:
        """Most lists of leaves need no more than a look at their classes, and a copy."""
        text, type_ = self._writes, nullable(position.levels[depth + 1])
        if type_ not in leaves.BOUNDS:
            classes = {leaves.CLASSES[type_]}
            if not self._is_non_null(position, depth + 1):
                classes.add(type(None))
            plain = self._name("C", position.number, classes)
            odd = f"run.leaves({place_of(position)}, {depth + 1}, {v}, c, {scene.place})"
            text.line(f"{v} = [*{v}] if {{*map(type, {v})}} <= {plain} else {odd}")
            return
        with text.under(f"for {item} in {v}:"), text.under(f"if {self._unlike(item, position, depth + 1)}:"):
            text.line(f"{v} = run.leaves({place_of(position)}, {depth + 1}, {v}, c, {scene.place})")
            text.line("break")
        with text.under("else:"):
            text.line(f"{v} = [*{v}]")

    @contextmanager
    def _unless_none(self, v: str, position: Position, depth: int) -> Iterator[None]:
        if self._is_non_null(position, depth):
            yield
            return
        with self._writes.under(f"if {v} is not None:"):
            yield

    @staticmethod
    def _is_plain_leaf(position: Position) -> bool:
        """Whether it is a leaf of a known class, and completed in place."""
        return position.inside and position.lists == 0 and leaves.is_plain(position.item)

    @staticmethod
    def _is_non_null(position: Position, depth: int) -> bool:
        return isinstance(position.levels[depth], GraphQLNonNull)
