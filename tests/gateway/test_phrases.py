"""Every language says everything."""

import string

import pytest

from domain.identity.letters import LetterKind
from gateway.letters import PATHS
from gateway.phrases import FALLBACK, known, languages, preferred, say_in


def names_in(phrase: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(phrase) if name is not None}


@pytest.mark.parametrize("language", sorted(languages()))
def test_a_language_has_every_phrase_with_the_same_names(language: str) -> None:
    ours, others = languages()[FALLBACK], languages()[language]

    assert {key: names_in(phrase) for key, phrase in others.items()} == {
        key: names_in(phrase) for key, phrase in ours.items()
    }


def test_there_is_more_than_one_language() -> None:
    assert {"en", "de"} <= set(languages())


@pytest.mark.parametrize("kind", LetterKind)
def test_every_letter_has_its_words(kind: LetterKind) -> None:
    phrases = languages()[FALLBACK]
    needed = {"subject", "lead"} | ({"button", "ignore"} if kind in PATHS else set())

    assert {f"letter.{kind.value}.{name}" for name in needed} <= set(phrases)


@pytest.mark.parametrize("typed", ["totp", "backup_code", "totp_or_backup_code"])
def test_the_second_step_says_what_may_be_typed(typed: str) -> None:
    assert f"oauth.second_step.{typed}" in languages()[FALLBACK]


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.5", "de"),
        ("en;q=0.2, de;q=0.9", "de"),
        ("tlh, de;q=0", "en"),
        ("xx;q=nonsense, de;q=0.1", "de"),
        ("*", "en"),
    ],
)
def test_a_browser_is_answered_in_the_language_it_prefers(asked: str, spoken: str) -> None:
    assert preferred(asked) == spoken


def test_a_tag_of_a_region_names_its_language() -> None:
    assert (known("de-CH"), known("DE"), known("tlh")) == ("de", "de", None)
    assert say_in("tlh")("product.language") == "English"
