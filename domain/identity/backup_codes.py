"""Backup codes: for those who have lost their authenticator. Each works once."""

import re
from collections.abc import Callable

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without characters that are taken for one another: 0 and O, 1, I and L."""
CODES = 10
CHARACTERS = 10
_SEPARATORS = re.compile(r"[\s-]")


def new_codes(choose: Callable[[str], str], count: int = CODES) -> list[str]:
    """Codes as they are shown, `ABCDE-FGHJK`; `choose` takes one character of a text at random."""
    texts = ["".join(choose(ALPHABET) for _ in range(CHARACTERS)) for _ in range(count)]
    return [f"{text[: CHARACTERS // 2]}-{text[CHARACTERS // 2 :]}" for text in texts]


def plain(code: str) -> str:
    """A code as it is compared, however it was typed."""
    return _SEPARATORS.sub("", code).upper()
