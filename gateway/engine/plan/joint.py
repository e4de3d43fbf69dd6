"""One run of a plan for several who asked for it with other variables."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from gateway.engine.plan.calls import Occasion
from gateway.engine.plan.failures import Data
from gateway.engine.plan.positions import At, Chunk, Position
from gateway.engine.plan.run import ROOT, Entries, Run
from gateway.engine.plan.waiting import discard

if TYPE_CHECKING:
    from gateway.engine.plan.plan import Plan


class Apart(Exception):
    """Something came up that is one occasion's alone: each is to be executed by itself."""


class JointRun(Run):
    """Executes a plan with `joins` once for several occasions: they share each call of a batch function, each
    turn of waiting and each call of the text.

    They have to be alike in everything but the arguments of the root object's fields. Values do not know
    whose they are here, so whatever needs to know is `Apart`: an error, a value that is odd, a resolver that
    looks at more than the context.
    """

    def __init__(self, plan: "Plan", occasions: Sequence[Occasion]) -> None:
        super().__init__(plan, occasions[0])
        self._occasions = occasions
        self._widest = 0
        self._is_apart = False
        """Also where a resolver kept `Apart` to itself."""

    async def results(self) -> Sequence[Data]:
        """The data of each occasion, in their order; raises `Apart`."""
        results: list[Data] = []
        try:
            for occasion in self._occasions:
                self._occasion = occasion
                self._arguments.clear()
                results.append({})
                for root in self._plan.roots.values():
                    root(self, occasion.root_value, ROOT, 0, results[-1])
            self._start()
            await self._wait(iter(()))
            if self._is_apart:
                raise Apart  # noqa: TRY301 - as wherever else it comes from
        except Apart:
            for column in self.columns:
                for value, _, _ in column.entries:
                    discard(value)
            await self._waiting.close(self._abandon)
            raise
        return results

    @property
    def breadth(self) -> float:
        """The most values of one position that were completed together, for each occasion."""
        return self._widest / len(self._occasions)

    def _complete(self, entries: Entries, values: Sequence[Any]) -> None:
        self._widest = max(self._widest, len(values))
        super()._complete(entries, values)

    def _hand_over(self, _position: object, _depth: int, value: Any, *_: object) -> NoReturn:
        discard(value)
        self._set_apart()

    def _recorded(self, *_: object) -> NoReturn:
        self._set_apart()

    def raw_info(self, *_: object) -> NoReturn:
        self._set_apart()

    def _field_info(self, position: Position, chunk: Chunk, at: At) -> Any:
        """Asked for the type of an object; where its class alone decides, it is every occasion's."""
        return super()._field_info(position, chunk, at) if position.by_class else self._set_apart()

    def _set_apart(self) -> NoReturn:
        self._is_apart = True
        raise Apart
