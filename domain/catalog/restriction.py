"""What somebody may not see: one rule, for values, for statements and for the vector index."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from domain.catalog.model import Content
from domain.catalog.taxonomy import MaturityRating

_ORDER = tuple(MaturityRating)


@dataclass(frozen=True, slots=True)
class Restriction:
    """Hides works by what they are rated, and by genre; what it hides does not exist for whoever has it.

    A part is hidden with its whole, and rated as it where it has no rating of its own.
    """

    max_rating: MaturityRating | None = None
    """Hides what is rated above; nothing is where this is open."""
    unrated: bool = False
    """Whether what nobody has rated is shown all the same."""
    blocked_genres: tuple[str, ...] = ()

    @property
    def allowed(self) -> tuple[MaturityRating, ...] | None:
        """The ratings that are shown; None for any."""
        if self.max_rating is None:
            return None
        up_to = tuple(
            rating
            for rating in _ORDER[: _ORDER.index(self.max_rating) + 1]
            if rating is not MaturityRating.NR
        )
        return (*up_to, MaturityRating.NR) if self.unrated else up_to

    def admits(self, line: Sequence[Content]) -> bool:
        """Whether the first is shown; the others are its whole and the whole of that, where there are any."""
        if any(genre in self.blocked_genres for content in line for genre in content.genre_ids):
            return False
        allowed = self.allowed
        if allowed is None:
            return True
        ratings = [content.maturity_rating for content in line if content.maturity_rating is not None]
        return all(rating in allowed for rating in ratings) and (self.unrated or bool(ratings))


Place = Callable[[object], str]
"""Takes a value of a statement and answers where it stands, as `$3`."""


def placing(arguments: list[Any]) -> Place:
    """Puts values at the end of a statement's arguments."""

    def place(value: object) -> str:
        arguments.append(list(value) if isinstance(value, tuple) else value)
        return f"${len(arguments)}"

    return place


def sql_of_works(restriction: Restriction, place: Place) -> str:
    """Whether works without a whole, `content c`, are shown."""
    return _sql(restriction, ("c",), place)


def sql_of_any(restriction: Restriction, content_id: str, place: Place) -> str:
    """Whether what has this key, a work or a part, is shown."""
    levels = ("c", "whole", "top")
    return f"""EXISTS (
        SELECT FROM content c LEFT JOIN content whole ON whole.id = c.parent_id
                              LEFT JOIN content top ON top.id = whole.parent_id
         WHERE c.id = {content_id} AND {_sql(restriction, levels, place)})"""


def _sql(restriction: Restriction, levels: Sequence[str], place: Place) -> str:
    conditions = ["TRUE"]
    if restriction.blocked_genres:
        blocked = place(restriction.blocked_genres)
        conditions += [f"NOT coalesce({level}.genres && {blocked}::text[], FALSE)" for level in levels]
    allowed = restriction.allowed
    if allowed is not None:
        shown = place(tuple(rating.value for rating in allowed))
        conditions += [f"coalesce({level}.maturity_rating = ANY({shown}::text[]), TRUE)" for level in levels]
        if not restriction.unrated:
            rated = ", ".join(f"{level}.maturity_rating" for level in levels)
            conditions.append(f"coalesce({rated}) IS NOT NULL")
    return " AND ".join(conditions)
