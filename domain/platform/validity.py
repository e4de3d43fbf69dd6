"""Until when what was read in a block stays true, as far as time alone changes it."""

from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def observed_validity() -> Iterator[Validity]:
    """What readers tell within the block, in its task and in those it starts."""
    validity = Validity()
    token = _observed.set(validity)
    try:
        yield validity
    finally:
        _observed.reset(token)


def validity() -> Validity | None:
    """That of the innermost block; nothing where nobody wants to know."""
    return _observed.get()
