"""Values that are made by the thousand."""

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(cls: type[T]) -> type[T]:
    """A slotted dataclass that type checkers hold to be frozen.

    At run time it is not: freezing it there makes every instance three times as dear, as each field is then
    set through `object.__setattr__`.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)
