"""How parts of an answer are written: as the specification's draft has it, and as older clients read it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias

import orjson
from graphql import ExecutionResult, GraphQLError
from graphql.execution import (
    CompletedResult,
    IncrementalDeferResult,
    IncrementalResult,
    InitialIncrementalExecutionResult,
    PendingResult,
    SubsequentIncrementalExecutionResult,
)

from gateway.engine.errors import FormattedError

Step: TypeAlias = ExecutionResult | InitialIncrementalExecutionResult | SubsequentIncrementalExecutionResult
"""What graphql-core answers: one result, or a first and others."""
Payload: TypeAlias = dict[str, Any]
Formatted: TypeAlias = Callable[[Sequence[GraphQLError]], list[FormattedError]]
Keys: TypeAlias = list[str | int]


class Format(Enum):
    """Named by the media type parameter that asks for it."""

    CURRENT = ("incrementalspec", "v0.2")
    """What is put off is announced under an id, and completed by it: https://specs.apollo.dev/incremental/v0.2/."""
    OF_2022 = ("deferspec", "20220824")
    """Each part says where it belongs, as the draft of August 2022 had it."""

    @classmethod
    def asked_by(cls, parameters: Mapping[str, Any], unnamed: "Format") -> "Format | None":
        """`unnamed` where none is named; None where only others are."""
        for known in cls:
            name, value = known.value
            if parameters.get(name) == value:
                return known
        return None if any(known.value[0] in parameters for known in cls) else unnamed


@dataclass(slots=True)
class _Pending:
    """A fragment or a list of which something is still to come."""

    path: Keys
    label: str | None
    told: bool = False
    """Whether a part was sent that is the fragment's own, and no other's."""


@dataclass
class Writer:
    """Writes the parts of one answer in their order, and adds them up.

    What resolvers gave is written at once: TypeError where a scalar answered with something that is no JSON.
    """

    format: Format
    formatted: Formatted
    """Makes entries of `errors` of errors of fields."""
    data: dict[str, Any] = field(default_factory=dict)
    """What was written so far, as if it had come in one piece."""
    errors: list[FormattedError] = field(default_factory=list)
    """The same of errors."""
    _pending: dict[str, _Pending] = field(default_factory=dict)

    def first(self, result: InitialIncrementalExecutionResult) -> Payload:
        assert result.data is not None  # noqa: S101 - nothing would be pending
        self.data = result.data
        self._announce(result.pending)
        payload: Payload = {}
        if result.errors:
            payload["errors"] = self._told(result.errors)
        payload["data"] = _written(result.data)
        if self.format is Format.CURRENT:
            payload["pending"] = [pending.formatted for pending in result.pending]
        return payload | {"hasNext": True}

    def next(self, result: SubsequentIncrementalExecutionResult) -> Payload | None:
        """None where this format has no word for it."""
        self._announce(result.pending)
        payload: Payload = {}
        if self.format is Format.CURRENT and result.pending:
            payload["pending"] = [pending.formatted for pending in result.pending]
        if incremental := [self._add(part) for part in result.incremental or ()]:
            payload["incremental"] = incremental
        completed = [self._complete(completed) for completed in result.completed or ()]
        if completed and self.format is Format.CURRENT:
            payload["completed"] = completed
        elif told := [*incremental, *filter(None, completed)]:
            payload["incremental"] = told
        return payload | {"hasNext": result.has_next} if payload or not result.has_next else None

    def broken(self, error: FormattedError) -> Payload:
        """The last part, where what was announced will not come."""
        self.errors.append(error)
        lost = [self._lost(id_, [error | {"path": self._pending[id_].path}]) for id_ in self._pending]
        self._pending = {}
        return {"completed" if self.format is Format.CURRENT else "incremental": lost, "hasNext": False}

    def _announce(self, pending: Iterable[PendingResult] | None) -> None:
        for new in pending or ():
            self._pending[new.id] = _Pending(new.path, new.label)

    def _add(self, part: IncrementalResult) -> orjson.Fragment:
        """The part, written before it is added to what was there."""
        pending = self._pending[part.id]
        errors = {"errors": self._told(part.errors)} if part.errors else {}
        sub_path = {"subPath": part.sub_path} if part.sub_path else {}
        if self.format is Format.CURRENT:
            place: Payload = {"id": part.id} | sub_path
        else:
            pending.told = pending.told or not sub_path
            place = self._place(pending, part.sub_path or ())
        target = self._at([*pending.path, *(part.sub_path or ())])
        if isinstance(part, IncrementalDeferResult):
            written = _written(place | errors | {"data": part.data})
            target.update(part.data)
        else:
            written = _written(place | errors | {"items": part.items})
            target.extend(part.items)
        return written

    def _complete(self, completed: CompletedResult) -> Payload | None:
        pending = self._pending[completed.id]
        if completed.errors:
            told: Payload | None = self._lost(completed.id, self._told(completed.errors))
        elif self.format is Format.CURRENT:
            told = {"id": completed.id}
        elif not pending.told and not isinstance(self._at(pending.path), list):
            # All of the fragment came with others: who waits for it learns that it is there.
            told = {"data": {}} | self._place(pending)
        else:
            told = None
        del self._pending[completed.id]
        return told

    def _lost(self, id_: str, errors: list[FormattedError]) -> Payload:
        """What was announced and will not come."""
        if self.format is Format.CURRENT:
            return {"id": id_, "errors": errors}
        pending = self._pending[id_]
        content = "items" if isinstance(self._at(pending.path), list) else "data"
        return {content: None} | self._place(pending) | {"errors": errors}

    def _place(self, pending: _Pending, sub_path: Sequence[str | int] = ()) -> Payload:
        """Where a part goes, in the words of 2022: of a list it names the first of its items."""
        found = self._at(pending.path)
        if sub_path:
            return {"path": [*pending.path, *sub_path]}
        path = [*pending.path, len(found)] if isinstance(found, list) else pending.path
        return {"path": path} if pending.label is None else {"path": path, "label": pending.label}

    def _told(self, errors: Sequence[GraphQLError]) -> list[FormattedError]:
        told = self.formatted(errors)
        self.errors.extend(told)
        return told

    def _at(self, path: Iterable[str | int]) -> Any:
        found: Any = self.data
        for key in path:
            found = found[key]
        return found


def _written(value: Any) -> orjson.Fragment:
    return orjson.Fragment(orjson.dumps(value))
