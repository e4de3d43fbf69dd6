"""Places in a list that people sort by hand: texts between which there is always another.

After Greenspan, "Implementing Fractional Indexing" (2020): a place is a fraction in base 62, compared as text
by code points. Two devices that move titles offline never renumber what the other moved.
"""

import re

from domain.platform.errors import UserErrorCode, refuse

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
MAX_PLACE = 255
"""Each title that is put between the same two neighbours takes a sixth of a digit or so."""
_MOMENT_DIGITS = 8
_PLACE = re.compile(rf"[0-9A-Za-z]{{0,{MAX_PLACE - 1}}}[1-9A-Za-z]")


def place_of(milliseconds: int) -> str:
    """Where a title stands that nobody moved: behind all that were added before it."""
    digits = []
    for _ in range(_MOMENT_DIGITS):
        milliseconds, digit = divmod(milliseconds, len(DIGITS))
        digits.append(DIGITS[digit])
    # Ends with another digit than 0, without which there would be no room before it.
    return "".join(reversed(digits)) + "V"


def between(before: str | None, after: str | None) -> str:
    """A place behind `before` and ahead of `after`, the start and the end of the list where open.

    ValueError where `before` is not ahead of `after`.
    """
    low, high = before or "", after
    if high is not None and low >= high:
        raise ValueError(f"{low!r} is not ahead of {high!r}")
    place = ""
    while True:
        index = len(place)
        bottom = DIGITS.index(low[index]) if index < len(low) else 0
        bounded = high is not None and high[:index] == place
        top = DIGITS.index(high[index]) if bounded and high is not None else len(DIGITS)
        if top - bottom > 1:
            return place + DIGITS[(bottom + top) // 2]
        # No digit lies between: the same as the lower neighbour's, and on to the next.
        place += DIGITS[bottom]
        if top > bottom:
            return place + _behind(low[index + 1 :])


def checked(place: str) -> str:
    """The place; raises `Refused` where it is none."""
    if not _PLACE.fullmatch(place):
        raise refuse(
            f"A place has up to {MAX_PLACE} letters and digits, the last other than 0.",
            UserErrorCode.INVALID,
            "place",
        )
    return place


def _behind(low: str) -> str:
    """The shortest half-way text behind `low`, with nothing above it."""
    for index, digit in enumerate(low):
        bottom = DIGITS.index(digit)
        if bottom < len(DIGITS) - 1:
            return low[:index] + DIGITS[(bottom + len(DIGITS) + 1) // 2]
    return low + DIGITS[len(DIGITS) // 2]
