"""Writes an operation as Python: one function for the root, one for each place where values may have to wait.

Within a function plain fields are attribute reads, lists are loops, objects are dict displays in the order
of the selection. What is not as expected (an error, a null that must not be, another type, an awaitable) is
handed to the run, which answers the value to go on with; so the text has no error handling but the `try`
blocks around reads and calls, which cost nothing as long as nothing is raised.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, Final

from graphql import GraphQLList, GraphQLObjectType, is_leaf_type
from graphql.execution.collect_fields import FieldDetailsList
from graphql.execution.executor import Executor

from gateway.engine.plan import leaves
from gateway.engine.plan.arguments import ArgumentsOf
from gateway.engine.plan.codes import function, mark
from gateway.engine.plan.emit_leaves import LeafEmitter
from gateway.engine.plan.fallback import Fallback, Unplannable
from gateway.engine.plan.fields import Attribute, Batch, Call, Resolve, usable
from gateway.engine.plan.positions import Position, nullable
from gateway.engine.plan.selections import Bodies, Body, Grouped, Selections
from gateway.engine.plan.text import Late, Made, Scene, Text, place_of

MAX_POSITIONS: Final = 4_000
"""Fields that are written out, each once for every body it stands in."""
KINDS: Final = {"R": "root", "B": "block", "V": "value", "I": "items"}
"""What functions are called in tracebacks, by the letter of their names here."""
_MAX_LOOPS: Final = 6
"""Python nests up to 20 blocks; deeper values have functions of their own."""


class Emitter(LeafEmitter):
    """Turns the operation of `executor` into source text and the objects it names."""

    def __init__(self, executor: Executor[Any], *, wrapped: bool) -> None:
        """`wrapped`: each resolver is called as graphql-core calls it, as middleware is around them."""
        self._executor = executor
        self._wrapped = wrapped
        self._selections = Selections(executor, wrapped=wrapped)
        self._ahead: deque[Position] = deque()
        super().__init__()
        self.positions: list[Position] = []
        self.columns: list[Sequence[Position]] = []
        self._valued: set[int] = set()

    def roots(self, type_: GraphQLObjectType, fields: Grouped) -> dict[str, Any]:
        """Writes everything; answers the functions for the fields of the root object, by key."""
        roots = {}
        for number, (key, details) in enumerate(fields.items()):
            self._writes, made, scene = Text(), Made(), Scene(("n",), None)
            self._fields(Body([type_], {key: details}), "v", scene, made)
            self._display_into("x", scene, made)
            roots[key] = self._function("R", number, "run, v, c, n, x")
        while self._ahead:
            self._column(self._ahead.popleft())
        return roots

    # -- functions

    def _function(self, letter: str, number: int, parameters: str) -> Any:
        """Makes one of what was written, and names it."""
        made = function(KINDS[letter], parameters, self._writes.render(), self.objects)
        self.objects[f"{letter}{number}"] = made
        return made

    def _column(self, position: Position) -> None:
        """Completes the values a column waited for."""
        self._writes = text = Text()
        with text.under("for v, d in zip(values, targets):"):
            text.line("n += 1")
            if position.number in self._valued:
                text.line(f"v = {mark(f'V{position.number}')}(run, v, c, n)")
            else:
                self._value("v", position, 0, Scene(("n",), position.parent, loops=1))
            text.line(f"d[{position.key!r}] = v")
        text.lines.insert(0, "    n = -1")
        self._function("B", position.number, "run, c, values, targets")

    def _value_function(self, position: Position) -> None:
        """Completes one value, wherever it comes from."""
        outer, self._writes = self._writes, Text()
        self._value("v", position, 0, Scene(("n",), position.parent))
        self._writes.line("return v")
        self._function("V", position.number, "run, v, c, n")
        self._valued.add(position.number)
        self._writes = outer

    # -- objects

    def _fields(self, body: Body, source: str, scene: Scene, made: "Made") -> None:
        """Reads and completes the fields of `source`."""
        positions = [self._position(key, details, body, scene) for key, details in body.fields.items()]
        for plain, run in groupby(
            positions, key=lambda p: isinstance(p.way, Attribute) and p.name != "__typename"
        ):
            if plain:
                self._attributes(list(run), source, scene, made)
                continue
            for position in run:
                if position.name == "__typename" and not self._wrapped:
                    made.values[position.key] = scene.at[-1] if scene.named else repr(body.types[0].name)
                elif isinstance(position.way, Batch):
                    made.values[position.key] = "None"
                    made.late.append((position, source, True))
                else:
                    self._call(position, source, scene, made)

    def _display_into(self, target: str, scene: Scene, made: "Made") -> None:
        """Puts fields into an object that is there."""
        for key, value in made.values.items():
            self._writes.line(f"{target}[{key!r}] = {value}")
        self._append(made.late, target, scene)

    def _append(self, late: "Sequence[Late]", into: str, scene: Scene) -> None:
        """Puts what has to wait into its columns, with the object that is to get it."""
        batched = [one for one in late if isinstance(one[0].way, Batch)]
        groups = [batched] if batched else []
        groups += [[one] for one in late if one not in batched]
        origin = scene.origin
        if len(groups) > 1:
            self._writes.line(f"o = {origin}")
            origin = "o"
        for group in groups:
            _, waiting, always = group[0]
            n = self._wait_in([position for position, _, _ in group])
            append = f"s{n}.append(({waiting}, {into}, {origin}))"
            self._writes.line(append if always else f"if {waiting} is not None: {append}")

    def _position(self, key: str, details: FieldDetailsList, body: Body, scene: Scene) -> Position:
        if len(self.positions) >= MAX_POSITIONS:
            raise Unplannable(Fallback.SIZE)
        node = details[0].node
        first = body.types[0]
        definition = self._executor.schema.get_field(first, node.name.value)
        if definition is None:
            raise Unplannable(Fallback.UNKNOWN_FIELD)
        way = self._selections.way(definition)
        position = Position(
            number=len(self.positions),
            key=key,
            name=node.name.value,
            parent_types=body.types,
            definition=definition,
            details=details,
            way=way,
            arguments=ArgumentsOf(definition, node, way, self._executor.schema) if definition.args else None,
            parent=scene.parent,
            shared=scene.named,
        )
        self.positions.append(position)
        self.objects[f"P{position.number}"] = position
        # Where values wait a chunk begins; so it does where text would nest too deeply.
        begins = isinstance(way, Batch) or (not isinstance(way, Attribute) and not self._stays(position))
        is_leaf = is_leaf_type(position.item) and position.lists == 0
        if not begins and (is_leaf or scene.loops < _MAX_LOOPS):
            position.inside = True
        return position

    @staticmethod
    def _stays(position: Position) -> bool:
        """Whether the value of a call is completed in place, unless it has to be awaited: leaves are."""
        way = position.way
        known_async = isinstance(way, Call | Resolve) and way.is_async
        return not known_async and is_leaf_type(nullable(position.levels[0]))

    # -- fields

    def _attributes(self, positions: Sequence[Position], source: str, scene: Scene, made: "Made") -> None:
        text = self._writes
        variables = [text.name("a") for _ in positions]
        names = [position.way.name for position in positions if isinstance(position.way, Attribute)]
        reads = [f"{source}.{name}" if usable(name) else f"getattr({source}, {name!r})" for name in names]
        with text.under("try:"):
            text.line(
                "; ".join(f"{variable} = {read}" for variable, read in zip(variables, reads, strict=True))
            )
        read = self._name("N", positions[0].number, names)
        with text.under("except Exception:"):
            text.line(f"[{', '.join(variables)}] = run.read({source}, {read})")
        named = list(zip(positions, variables, strict=True))
        made.values.update({position.key: variable for position, variable in named})
        for plain, several in groupby(named, key=lambda one: self._is_plain_leaf(one[0])):
            run = list(several)
            if plain and len(run) > 1:
                self._leaves(run, scene)
                continue
            for position, variable in run:
                if position.inside:
                    self._value(variable, position, 0, scene)
                    continue
                self._value_function(position)
                text.line(f"{variable} = {_completed_apart(variable, position, scene)}")

    def _call(
        self,
        position: Position,
        source: str,
        scene: Scene,
        made: "Made",
    ) -> None:
        text = self._writes
        value, waiting = text.name("a"), text.name("w")
        made.values[position.key] = value
        way = position.way
        if isinstance(way, Call | Resolve) and way.is_async:
            self._called(waiting, position, source, scene)
            made.values[position.key] = "None"
            made.late.append((position, waiting, True))
            return
        self._called(value, position, source, scene)
        text.line(f"{waiting} = None")
        made.late.append((position, waiting, False))
        if position.inside and leaves.is_plain(position.item):
            with text.under(f"if {self._unlike(value, position, 0)}:"):
                text.line(
                    f"[{value}, {waiting}] = run.called({place_of(position)}, {value}, c, {scene.place})"
                )
            return
        with text.under(f"if hasattr({value}.__class__, '__await__'):"):
            text.line(f"{waiting} = {value}; {value} = None")
        with text.under("else:"):
            if position.inside:
                self._value(value, position, 0, scene)
            else:
                self._value_function(position)
                text.line(f"{value} = {_completed_apart(value, position, scene)}")

    def _called(self, variable: str, position: Position, source: str, scene: Scene) -> None:
        """Calls the resolver; a failure is a value like any other until it is completed."""
        text, number, way, place = self._writes, position.number, position.way, place_of(position)
        arguments: list[str] = []
        if isinstance(way, Call):
            called = self._name("f", number, way.function)
            if way.source_first:
                arguments.append(source)
            arguments += [f"{name}={source}" for name in way.source_names]
            if way.info_name is not None:
                arguments.append(f"{way.info_name}=run.info({place}, c, {scene.place})")
        else:
            arguments += [source, f"run.raw_info({place}, c, {scene.place})"]
            called = f"run.resolver({place})"
        if position.arguments is not None:
            constant = position.arguments.constant
            if constant is None:
                arguments.append(f"**run.arguments({place})")
            elif constant:
                arguments.append(f"**{self._name('k', number, constant)}")
        with text.under("try:"):
            text.line(f"{variable} = {called}({', '.join(arguments)})")
        with text.under("except Exception as error:"):
            text.line(f"{variable} = Raised(error)")

    def _wait_in(self, positions: Sequence[Position]) -> int:
        """The column of the positions, by its place among those that the function at hand fills."""
        self.columns.append(positions)
        self._ahead.extend(positions)
        number = len(self.columns) - 1
        self.objects[f"S{number}"] = number
        self._writes.columns.append(number)
        return len(self._writes.columns) - 1

    # -- values

    def _value(self, v: str, position: Position, depth: int, scene: Scene) -> None:
        """Completes the value in variable `v`, which is `depth` lists deep in its field."""
        type_ = position.levels[depth]
        inner = nullable(type_)
        if isinstance(inner, GraphQLList):
            self._list(v, position, depth, scene)
        elif is_leaf_type(inner):
            self._leaf(v, position, depth, scene)
        else:
            self._object(v, position, depth, scene)

    def _list(self, v: str, position: Position, depth: int, scene: Scene) -> None:
        text = self._writes
        item, made = text.name("v"), text.name("r")
        inside = replace(scene, at=(*scene.at, f"len({made})"), loops=scene.loops + 1)
        with self._unless_none(v, position, depth):
            with text.under(f"if {v}.__class__ not in LISTS:"):
                text.line(f"{v} = run.items({place_of(position)}, {depth}, {v}, c, {scene.place})")
            with text.under(f"if {v} is None:"):
                text.line(f"{v} = run.given")
            with text.under("else:"):
                self._begin(v, position, depth, scene)
                if leaves.is_plain(nullable(position.levels[depth + 1])):
                    self._plain_list(v, item, position, depth, scene)
                    return
                text.line(f"{made} = []")
                with text.under(f"for {item} in {v}:"):
                    self._value(item, position, depth + 1, inside)
                    text.line(f"{made}.append({item})")
                text.line(f"{v} = {made}")

    def _begin(self, v: str, position: Position, depth: int, scene: Scene) -> None:
        """May leave items of the list in `v` for later."""

    def _object(self, v: str, position: Position, depth: int, scene: Scene) -> None:
        text, number = self._writes, position.number
        bodies = self._selections.bodies(position)
        kinds = self._name("K", number, position.kinds)
        self._name("T", number, position.names)
        kind = f"run.kind({place_of(position)}, {depth}, {v}, c, {scene.place})"
        inside = replace(scene, parent=position, named=False)
        with self._unless_none(v, position, depth):
            if len(bodies.rest) == 1:
                header = f"if {v}.__class__ in {kinds} or {kind} == 0:"
                group = ""
            else:
                group = text.name("g")
                text.line(f"{group} = {kinds}.get({v}.__class__)")
                with text.under(f"if {group} is None:"):
                    text.line(f"{group} = {kind}")
                header = f"if {group} >= 0:"
            with text.under(header):
                self._bodies(bodies, v, group, inside)
            with text.under("else:"):
                text.line(f"{v} = run.given")

    def _bodies(self, bodies: Bodies, v: str, group: str, scene: Scene) -> None:
        """Writes the object of `v` in its place: what all types begin with, then what each group adds."""
        text, position, made = self._writes, scene.parent, Made()
        assert position is not None  # noqa: S101 - objects below the root are somewhere
        if position.by_class and len(bodies.common.types) > 1:
            name = text.name("q")
            text.line(f"{name} = {mark(f'T{position.number}')}[{v}.__class__]")
            scene = replace(scene, at=(*scene.at, name), named=True)
        self._fields(bodies.common, v, scene, made)
        if not group:
            self._fields(bodies.rest[0], v, scene, made)
            into = text.name("x") if made.late else v
            text.line(f"{into} = {_display(made)}")
            self._append(made.late, into, scene)
        else:
            into = text.name("x")
            for number, body in enumerate(bodies.rest):
                own = Made(dict(made.values))
                with text.under(f"{'el' if number else ''}if {group} == {number}:"):
                    self._fields(body, v, scene, own)
                    text.line(f"{into} = {_display(own)}")
                    self._append(own.late, into, scene)
            self._append(made.late, into, scene)
        if into != v:
            text.line(f"{v} = {into}")


def _display(made: Made) -> str:
    return f"{{{', '.join(f'{key!r}: {value}' for key, value in made.values.items())}}}"


def _completed_apart(variable: str, position: Position, scene: Scene) -> str:
    """By a function of its own."""
    return f"{mark(f'V{position.number}')}(run, {variable}, {_chunk(position, scene)}, 0)"


def _chunk(position: Position, scene: Scene) -> str:
    return f"Chunk({place_of(position)}, ({scene.origin},))"
