"""Global ids."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.platform.errors import BadInput, Refused, UserErrorCode
from resolvers.ids import CONTENT, MAX_NUMBER, GlobalId, content_key, decode, encode, key_of, number


def raw(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@given(
    kind=st.sampled_from([*CONTENT, "Person", "Account"]),
    key=st.integers(1, MAX_NUMBER) | st.uuids().map(str) | st.text(min_size=1),
)
def test_an_id_leads_back_to_its_type_and_key(kind: str, key: int | str) -> None:
    if isinstance(key, str) and any("\ud800" <= c <= "\udfff" for c in key):
        return

    assert decode(encode(kind, key)) == GlobalId(kind, str(key))


@given(st.text())
def test_no_text_makes_decoding_fail_and_an_id_has_one_spelling(text: str) -> None:
    found = decode(text)

    assert found is None or encode(*found) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "=",
        "A",
        "é",
        "\0",
        raw("Movie"),
        raw("Movie:"),
        raw(":1"),
        raw("Movie:1") + "=",
        raw("Movie:1") + "!",
        " " + raw("Movie:1"),
        raw("Movie:1")[:-1] + "R",
        base64.urlsafe_b64encode(b"Movie:\xff").decode().rstrip("="),
        base64.b64encode("Movie:~~~~".encode("utf-16")).decode(),
    ],
)
def test_what_is_not_spelt_as_an_id_is_none(text: str) -> None:
    assert decode(text) is None


@pytest.mark.parametrize(("key", "expected"), [("1", 1), ("42", 42), (str(MAX_NUMBER), MAX_NUMBER)])
def test_keys_of_rows_are_numbers(key: str, expected: int) -> None:
    assert number(key) == expected


@pytest.mark.parametrize(
    "key",
    [
        "",
        "0",
        "-1",
        "+1",
        "01",
        " 1",
        "1 ",
        "1.0",
        "1e3",
        "1_0",
        "x",
        "٣",
        "²",
        str(MAX_NUMBER + 1),
        "9" * 5000,
    ],
)
def test_what_the_database_never_counts_is_no_key(key: str) -> None:
    assert number(key) is None


@pytest.mark.parametrize("kind", CONTENT)
def test_the_id_of_any_kind_of_title_is_one_of_a_title(kind: str) -> None:
    assert content_key(encode(kind, 7)) == 7


@pytest.mark.parametrize(
    "text", ["", "x", encode("Person", 7), encode("Movie", "x"), encode("Movie", 0), encode("Movie", 2**63)]
)
def test_what_is_no_id_of_a_title_is_refused_by_the_name_of_its_argument(text: str) -> None:
    with pytest.raises(BadInput, match=r"`input\.contentId` is not the id of a title") as refused:
        content_key(text, "input.contentId")

    assert refused.value.extensions == {"argument": "input.contentId"}


def test_the_id_of_another_type_refuses_as_something_that_does_not_exist() -> None:
    assert key_of(encode("Device", "d1"), "Device", "deviceId") == "d1"

    with pytest.raises(Refused) as refused:
        key_of(encode("Movie", 1), "Device", "deviceId")

    error = refused.value.errors[0]
    assert (error.code, error.field) == (UserErrorCode.NOT_FOUND, ("deviceId",))
