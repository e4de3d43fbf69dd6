"""What a change of a schema is."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """What a change does to those who use the schema, the worst first."""

    BREAKING = "breaking"
    """An operation that was valid is so no more, or is answered in another shape."""
    UNUSED = "unused"
    """It would be breaking, but touches nothing that clients use."""
    DANGEROUS = "dangerous"
    """Operations stay valid, but may behave in another way."""
    SAFE = "safe"
    """Nobody has to look at it."""


@dataclass(frozen=True, slots=True)
class Change:
    level: Level
    message: str
    """A sentence that names what changed by its schema coordinate."""
    noticed_at: str | None = None
    """The coordinate whose users notice it, as `Movie.title`; `None` for what concerns everybody."""
