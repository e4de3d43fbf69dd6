"""Writes an operation that is cut: what is cut off has functions of its own, for later."""

from typing import Any

from graphql.execution.collect_fields import FieldDetailsList
from graphql.execution.executor import Executor

from gateway.engine.plan.cuts import MARK, MARK_FIELD, Cut, Cuts
from gateway.engine.plan.emit import Emitter
from gateway.engine.plan.positions import Position
from gateway.engine.plan.selections import Body, Selections
from gateway.engine.plan.text import Made, Scene, Text, place_of


class CuttingEmitter(Emitter):
    """An object that is cut goes into a column as if it were to wait for a field, and the column's block
    completes the fields of the fragment. A list that is cut is left with its first items by `run.begin`.
    """

    def __init__(self, executor: Executor[Any], cuts: Cuts) -> None:
        super().__init__(executor, wrapped=False)
        self._cuts = cuts
        self._selections = Selections(executor, wrapped=False, cuts=cuts)
        self._body: Cut | None = None

    def _position(self, key: str, details: FieldDetailsList, body: Body, scene: Scene) -> Position:
        cut = self._cuts.of(details)
        position = (
            super()._position(key, details, body, scene)
            if cut is None
            else self._mark(key, details, body, scene, cut)
        )
        if scene.parent is None:
            position.cut = self._body
        if self._streams(position):
            position.inside = False
        return position

    def _mark(self, key: str, details: FieldDetailsList, body: Body, scene: Scene, cut: Cut) -> Position:
        cut.parent, cut.cut = scene.parent, self._body
        mark = Position(
            number=len(self.positions),
            key=key,
            name=MARK,
            parent_types=body.types,
            definition=MARK_FIELD,
            details=details,
            way=cut,
            arguments=None,
            parent=scene.parent,
            shared=scene.named,
        )
        self.positions.append(mark)
        return mark

    def _call(self, position: Position, source: str, scene: Scene, made: Made) -> None:
        if isinstance(position.way, Cut):
            made.late.append((position, source, True))
        else:
            super()._call(position, source, scene, made)

    def _column(self, position: Position) -> None:
        if not isinstance(position.way, Cut):
            super()._column(position)
            return
        self._writes, self._body = text, cut = Text(), position.way
        scene, made = Scene(("n",), None, loops=1), Made()
        text.line("n = -1")
        with text.under("for v, d in zip(values, targets):"):
            text.line("n += 1")
            self._fields(Body([cut.type_], cut.fields), "v", scene, made)
            self._display_into("d", scene, made)
        self._function("B", position.number, "run, c, values, targets")
        self._body = None

    def _begin(self, v: str, position: Position, depth: int, scene: Scene) -> None:
        if depth or not self._streams(position):
            return
        self._writes.line(f"{v} = run.begin({place_of(position)}, {v}, c, {scene.place})")
        outer, self._writes = self._writes, Text()
        self._writes.line("r = []")
        with self._writes.under("for v in values:"):
            self._value("v", position, 1, Scene(("n", "i"), position.parent, loops=1))
            self._writes.line("r.append(v); i += 1")
        self._writes.line("return r")
        self._function("I", position.number, "run, c, n, values, i")
        self._writes = outer

    def _streams(self, position: Position) -> bool:
        return position.lists > 0 and self._cuts.streams(position.details)
