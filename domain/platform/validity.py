"""Until when what was read in a block stays true, as far as time alone changes it."""

from contextvars import ContextVar
from datetime import datetime


class Validity:
    """`until` is the earliest end that readers told; nothing where time changes none of it."""

    __slots__ = ("until",)

    def __init__(self) -> None:
        self.until: datetime | None = None

    def ends(self, at: datetime) -> None:
        if self.until is None or at < self.until:
            self.until = at


_observed: ContextVar[Validity | None] = ContextVar("validity", default=None)


class observed_validity:  # noqa: N801 - reads as `with observed_validity() as validity:`
    """What readers tell within the block, in its task and in those it starts."""

    __slots__ = ("_token", "_validity")

    def __init__(self, validity: Validity | None = None) -> None:
        """A block goes on with the `validity` of another."""
        self._validity = Validity() if validity is None else validity

    def __enter__(self) -> Validity:
        self._token = _observed.set(self._validity)
        return self._validity

    def __exit__(self, *_: object) -> None:
        _observed.reset(self._token)


def validity() -> Validity | None:
    """That of the innermost block; nothing where nobody wants to know."""
    return _observed.get()
