"""What pages and letters say, by language: a file of messages for each in `gateway/words`."""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent / "words"
FALLBACK: Final = "en"

Phrases = Mapping[str, str]
Say = Callable[..., str]
"""The phrase of a key such as `page.back`, with its {names} filled in; raises `KeyError`."""


@cache
def languages() -> Mapping[str, Phrases]:
    """Every language there is, by its primary subtag."""
    files = sorted(FOLDER.glob("*.toml"))
    return {path.stem: dict(_flat(tomllib.loads(path.read_text("utf-8")))) for path in files}


def known(tag: str) -> str | None:
    """The language of ours that a tag of BCP 47 names: `de` for `de-AT`."""
    primary = tag.strip().partition("-")[0].lower()
    return primary if primary in languages() else None


def preferred(accept_language: str) -> str:
    """The language that a browser asks for (RFC 9110, section 12.5.4), as far as we speak it."""
    wanted: list[tuple[float, str]] = []
    for part in accept_language.split(","):
        tag, _, parameter = part.partition(";")
        try:
            quality = float(parameter.strip().removeprefix("q=")) if parameter else 1.0
        except ValueError:
            continue
        if quality > 0 and (language := known(tag)) is not None:
            wanted.append((-quality, language))
    return min(wanted, key=lambda found: found[0])[1] if wanted else FALLBACK


def say_in(tag: str) -> Say:
    """Speaks the language of a tag, or English where it is not ours."""
    phrases = languages()[known(tag) or FALLBACK]

    def say(key: str, **values: object) -> str:
        return phrases[key].format_map(values)

    return say


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
