"""Mending words that the catalogue does not have."""

from collections.abc import Mapping, Sequence

LEFT_ALONE = 3
"""Words of so few letters are never mended: too many others are near."""
ONE_SLIP = 5
"""Up to so many letters one slip is believed, beyond that two."""


def slips_allowed(word: str) -> int:
    if len(word) <= LEFT_ALONE or not word.isalpha():
        return 0
    return 1 if len(word) <= ONE_SLIP else 2


def distance(left: str, right: str, limit: int) -> int:
    """How many slips (a letter added, dropped, changed, or two neighbours swapped) apart; at most limit + 1.

    Damerau-Levenshtein in its restricted form (optimal string alignment), O(len(left) · len(right)).
    """
    if abs(len(left) - len(right)) > limit:
        return limit + 1
    before: list[int] = []
    above = list(range(len(right) + 1))
    for row, a in enumerate(left, start=1):
        current = [row]
        for column, b in enumerate(right, start=1):
            cost = min(above[column] + 1, current[-1] + 1, above[column - 1] + (a != b))
            swapped = row > 1 and column > 1 and a == right[column - 2] and left[row - 2] == b
            current.append(min(cost, before[column - 2] + 1) if swapped else cost)
        if min(current) > limit and min(above) > limit:
            return limit + 1
        before, above = above, current
    return min(above[-1], limit + 1)


def nearest(word: str, candidates: Sequence[str]) -> list[str]:
    """The candidates with the fewest slips, and within what is allowed; several where they tie."""
    allowed = slips_allowed(word)
    found: dict[int, list[str]] = {}
    for candidate in candidates:
        slips = distance(word, candidate, allowed)
        if 0 < slips <= allowed:
            found.setdefault(slips, []).append(candidate)
    return found[min(found)] if found else []


def best(word: str, tied: Sequence[str], frequency: Mapping[str, int]) -> str:
    """Of equally near words the most frequent, then the one of most like length, then by the alphabet."""
    return min(tied, key=lambda other: (-frequency.get(other, 0), abs(len(other) - len(word)), other))
