"""A query's words, and what the text index is asked about them.

Only letters and digits get through, so nothing of a query is ever read as an operator.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from domain.catalog.model import normalised
from domain.catalog.words import words
from domain.discovery.model import MAX_WORDS, Terms


class Word(NamedTuple):
    """A word of a query: as the catalogue compares words, and as written, with its accents."""

    plain: str
    written: str


@dataclass(frozen=True, slots=True)
class KnownWord:
    """What the catalogue knows of a word.

    `stems` are its lexemes by language of the catalogue's texts; none where the language leaves it out.
    """

    word: Word
    known: bool
    begun: bool
    """The catalogue has a word that begins with it."""
    stems: Mapping[str, Sequence[str]]

    @property
    def misspelt(self) -> bool:
        left_out = any(not stems for stems in self.stems.values())
        return not (self.known or self.begun or left_out)


def split(text: str) -> list[Word]:
    """The words of a query, in order."""
    found: list[Word] = []
    for token in unicodedata.normalize("NFC", text).split():
        plain = words(token)
        written = re.findall(r"[^\W_]+", token.casefold().replace("'", "").replace("’", ""))  # noqa: RUF001
        # What a letter decomposes into may split it; then there is no telling which is which.
        found += map(Word, plain, written if len(written) == len(plain) else plain)
    return found[:MAX_WORDS]


def terms_of(text: str, known: Sequence[KnownWord]) -> Terms:
    """One query a language: all words as written, or all that the language does not leave out, stemmed."""
    languages = tuple(dict.fromkeys(language for word in known for language in word.stems))
    as_written = " & ".join(_any({*word.word}, begun=_unfinished(word)) for word in known)
    queries, loose = [], []
    for language in languages:
        stemmed = [
            _any({*word.word, *word.stems[language]}, begun=_unfinished(word))
            for word in known
            if word.stems[language]
        ]
        alternatives = dict.fromkeys(filter(None, (as_written, " & ".join(stemmed))))
        queries.append(" | ".join(f"({clause})" for clause in alternatives))
        loose.append(" | ".join(stemmed) or as_written)
    return Terms(
        written=text,
        title=normalised(text),
        languages=languages,
        queries=tuple(queries),
        loose=tuple(loose),
    )


def _unfinished(word: KnownWord) -> str | None:
    return word.word.plain if word.begun and not word.known else None


def _any(lexemes: set[str], *, begun: str | None) -> str:
    alternatives = [_quoted(lexeme) for lexeme in sorted(lexemes)]
    if begun is not None:
        alternatives.append(f"{_quoted(begun)}:*")
    return f"({' | '.join(alternatives)})"


def _quoted(lexeme: str) -> str:
    escaped = lexeme.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
