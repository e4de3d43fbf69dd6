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

NAMES = "AB"
"""The weights of titles and people in the text index."""


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
        """Neither a word of the catalogue, nor one that a language leaves out of its index."""
        return not self.known and all(self.stems.values())

    @property
    def unfinished(self) -> bool:
        """Perhaps only the beginning of a word."""
        return self.begun and not self.known


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
    plain = [_any({*word.word}, word) for word in known]
    plain_names = [_any({*word.word}, word, NAMES) for word in known]
    queries, named, loose = [], [], []
    for language in languages:
        kept = [(word, {*word.word, *word.stems[language]}) for word in known if word.stems[language]]
        stemmed = [_any(lexemes, word) for word, lexemes in kept] or plain
        stemmed_names = [_any(lexemes, word, NAMES) for word, lexemes in kept] or plain_names
        queries.append(_all(plain, stemmed))
        named.append(_all(plain_names, stemmed_names))
        loose.append(" | ".join(stemmed))
    return Terms(
        written=text,
        title=normalised(text),
        languages=languages,
        queries=tuple(queries),
        named=tuple(named),
        loose=tuple(loose),
    )


def _all(*ways: list[str]) -> str:
    """All words, in one of the ways to write them."""
    clauses = dict.fromkeys(" & ".join(way) for way in ways)
    return " | ".join(f"({clause})" for clause in clauses)


def _any(lexemes: set[str], word: KnownWord, weights: str = "") -> str:
    """Any of the ways to write one word, in texts of these weights."""
    label = f":{weights}" if weights else ""
    alternatives = [f"{_quoted(lexeme)}{label}" for lexeme in sorted(lexemes)]
    if word.unfinished:
        alternatives.append(f"{_quoted(word.word.plain)}:*{weights}")
    return f"({' | '.join(alternatives)})"


def _quoted(lexeme: str) -> str:
    escaped = lexeme.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
