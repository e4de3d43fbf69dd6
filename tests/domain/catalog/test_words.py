import pytest

from domain.catalog.words import MAX_WORD, text_search_configuration, trigrams, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Amélie", ["amelie"]),
        ("Schindler's List", ["schindlers", "list"]),
        ("WALL·E: the  Film!", ["wall", "e", "the", "film"]),
        ("七人の侍", ["七人の侍"]),
        ("", []),
        ("— !?", []),
    ],
)
def test_words_have_neither_case_nor_accents_nor_punctuation(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_what_is_too_long_to_be_typed_is_no_word() -> None:
    assert words(f"{'a' * MAX_WORD} {'b' * (MAX_WORD + 1)}") == ["a" * MAX_WORD]


def test_trigrams_are_padded_so_that_the_beginning_weighs_more() -> None:
    assert trigrams("cat") == ["  c", " ca", "at ", "cat"]


def test_a_trigram_that_comes_twice_is_told_once() -> None:
    assert trigrams("aaaa") == ["  a", " aa", "aa ", "aaa"]


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", "english"), ("de-CH", "german"), ("PT", "portuguese"), ("ja", "simple"), (None, "simple")],
)
def test_a_language_is_stemmed_where_postgres_can(language: str | None, expected: str) -> None:
    assert text_search_configuration(language) == expected
