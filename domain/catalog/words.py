"""The words of titles and names as search compares them, and the parts that find a misspelt one."""

from domain.catalog.model import normalised

MAX_WORD = 64
"""Longer runs of letters are no words somebody types; they are left out."""

# PostgreSQL's own text-search configurations (from version 14 on), by ISO 639-1 language.
CONFIGURATIONS = {
    "ar": "arabic", "hy": "armenian", "eu": "basque", "ca": "catalan", "da": "danish", "nl": "dutch",
    "en": "english", "fi": "finnish", "fr": "french", "de": "german", "el": "greek", "hi": "hindi",
    "hu": "hungarian", "id": "indonesian", "ga": "irish", "it": "italian", "lt": "lithuanian",
    "ne": "nepali", "nb": "norwegian", "nn": "norwegian", "no": "norwegian", "pt": "portuguese",
    "ro": "romanian", "ru": "russian", "sr": "serbian", "es": "spanish", "sv": "swedish", "ta": "tamil",
    "tr": "turkish", "yi": "yiddish",
}  # fmt: skip


def words(text: str) -> list[str]:
    """The normalised words of a text, in order, with repetitions."""
    return [word for word in normalised(text).split() if len(word) <= MAX_WORD]


def trigrams(word: str) -> list[str]:
    """The runs of three letters of a normalised word, each once, sorted.

    The word is padded with two spaces before and one behind, as PostgreSQL's pg_trgm does, so that its
    beginning weighs more than its end: `cat` → `"  c", " ca", "at ", "cat"`.
    """
    padded = f"  {word} "
    return sorted({padded[start : start + 3] for start in range(len(padded) - 2)})


def text_search_configuration(language: str | None) -> str:
    """How PostgreSQL stems a text of this language; `simple` where it cannot."""
    return CONFIGURATIONS.get((language or "").partition("-")[0].lower(), "simple")
