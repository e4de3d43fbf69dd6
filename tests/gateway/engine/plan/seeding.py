"""How a fault is seeded into the engine."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import pytest

Patch = pytest.MonkeyPatch
Fault = Callable[[Patch], None]

LEAVES: Final = ("odd leaves", "coerced leaves")
NULLS: Final = ("nulls", "odd leaves")
ERRORS: Final = ("raising", "odd leaves")
WAITING: Final = ("waiting", "raising")
CALM: Final = ("as wanted", "coerced leaves", "hardly anything")


class Seeded(NamedTuple):
    seed: Fault
    moods: tuple[str, ...]
    """Of the data that is likely to show it, which saves time."""


FAULTS: Final[dict[str, Seeded]] = {}
"""By what is wrong."""


def fault(name: str, moods: tuple[str, ...] = ()) -> Callable[[Fault], Fault]:
    def keep(seed: Fault) -> Fault:
        FAULTS[name] = Seeded(seed, moods)
        return seed

    return keep


def around(patch: Patch, owner: Any, name: str, wrap: Callable[..., Any]) -> None:
    """`wrap` is called with the original before its arguments."""
    original = getattr(owner, name)
    patch.setattr(owner, name, lambda *args, **kwargs: wrap(original, *args, **kwargs))
