"""What an account says of itself is put into one form, or refused with every reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.identity.profile import Profile, email_of, normalised, registered
from domain.platform.errors import Refused


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (" Ada@Example.ORG ", "ada@example.org"),
        ("a.b+tag@mail.example.org", "a.b+tag@mail.example.org"),
        ("x" * 64 + "@example.org", "x" * 64 + "@example.org"),
        ("x" * 65 + "@example.org", None),
        ("ada@localhost", None),
        ("ada@-example.org", None),
        ("ada@example..org", None),
        ("ada@@example.org", None),
        ("ada example@example.org", None),
        ("ada@example.org\0", None),
        ("ada@example.org\nbcc: all@example.org", None),
        ("äda@example.org", None),
        ("@example.org", None),
        ("", None),
        ("a@" + "b" * 63 + ("." + "c" * 63) * 3, None),
    ],
)
def test_addresses_are_brought_to_lower_case_or_refused(text: str, address: str | None) -> None:
    assert email_of(text) == address


@given(st.text())
def test_a_normalised_address_stays_as_it_is(text: str) -> None:
    address = email_of(text)

    assert address is None or email_of(address) == address


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (Profile("  Ada  ", "gb", "EN"), Profile("Ada", "GB", "en")),
        (Profile("A\u0308da", None, "zh-hant-tw"), Profile("Äda", None, "zh-Hant-TW")),
        (Profile("👩\u200d💻", "DE", "pt-br"), Profile("👩\u200d💻", "DE", "pt-BR")),
        (Profile(), Profile()),
    ],
)
def test_a_profile_is_brought_to_one_form(given: Profile, kept: Profile) -> None:
    assert normalised(given) == kept


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "a\0b", "a\nb", "a\u202eb", "\ud800"])
def test_names_that_cannot_be_seen_are_refused(name: str) -> None:
    with pytest.raises(Refused) as refusal:
        normalised(Profile(display_name=name))

    assert [error.field for error in refusal.value.errors] == [("displayName",)]


@pytest.mark.parametrize("region", ["", "USA", "U1", "ÜS", "U"])
def test_regions_have_two_letters(region: str) -> None:
    with pytest.raises(Refused):
        normalised(Profile(region=region))


@pytest.mark.parametrize("language", ["", "english", "e", "en_US", "en-", "en-US-x-y-z-w"])
def test_languages_are_tags(language: str) -> None:
    with pytest.raises(Refused):
        normalised(Profile(language=language))


def test_a_registration_names_everything_that_is_wrong() -> None:
    with pytest.raises(Refused) as refusal:
        registered("ada", "abc", Profile("", "USA", "english"))

    assert [error.field[0] for error in refusal.value.errors] == [
        "email",
        "password",
        "password",
        "password",
        "displayName",
        "region",
        "language",
    ]
