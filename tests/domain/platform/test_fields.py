from typing import Any

import pytest

from domain.catalog.model import CreditRole
from domain.ingestion import rules
from domain.platform.fields import Broken, Fields


@pytest.mark.parametrize(
    ("read", "accepted", "refused"),
    [
        (rules.title, ["a", "x" * 500], ["", "  ", None, "x" * 501, 5, "a\0b", ["a"]]),
        (rules.year, [1800, 2100, None], [1799, 2101, "1999", 1999.0, True]),
        (lambda r, n="f": rules.seconds(r, n), [1, 10_000, None], [0, -1, 10_001, 2**40, "90", {}]),
        (lambda r, n="f": rules.language(r, n), ["en", "pt-BR", None], ["EN", "english", "e", 1]),
        (lambda r, n="f": rules.country(r, n), ["US", None], ["us", "USA", "U1", 7]),
        (lambda r, n="f": rules.imdb(r, n), ["tt0000001", "tt12345678", None], ["tt123456", "1234567", 1]),
        (lambda r, n="f": r.text(n, 5000), ["x" * 5000, ""], ["x" * 5001, False]),
        (lambda r, n="f": r.number(n, 0, 10), [0, 10, 9.9], [-0.1, 10.1, "9", True]),
        (lambda r, n="f": r.day(n), ["2000-02-29", None], ["2001-02-29", "yesterday", 20000101]),
        (lambda r, n="f": r.texts(n, 3), [["abc", ""], None, []], ["abc", ["abcd"], [1], [None]]),
        (lambda r, n="f": r.parts(n), [[{}], None], [[1], {}, "x"]),
        (lambda r, n="f": r.part(n), [{}, None], [[], "x", 0]),
        (lambda r, n="f": r.flag(n), [True, False, None], [0, "yes"]),
        (lambda r, n="f": r.required_integer(n, 1, 9), [1, 9], [0, 10, None]),
    ],
)
def test_each_limit_takes_its_edge_and_refuses_one_step_beyond(
    read: Any, accepted: list[Any], refused: list[Any]
) -> None:
    name = {rules.title: "title", rules.year: "year"}.get(read, "f")

    for value in accepted:
        read(Fields({name: value}))
    broken = []
    for value in refused:
        with pytest.raises(Broken) as caught:
            read(Fields({name: value}))
        broken.append(caught.value.field.partition("[")[0])

    assert broken == [name] * len(refused)


def test_a_broken_field_within_another_is_named_by_its_path() -> None:
    record = Fields({"cast": [{"name": "One"}, {"name": "x" * 256}]})

    with pytest.raises(Broken) as caught:
        rules.cast(record)

    assert caught.value.field == "cast[1].name"
    assert caught.value.reason == "may have up to 255 characters, and has 256"


def test_namesakes_are_told_apart_by_what_follows_the_hash() -> None:
    assert rules.named("Steve McQueen#director") == ("Steve McQueen", "director", "steve mcqueen")


def test_who_is_named_twice_in_a_role_is_credited_once() -> None:
    record = Fields({"writers": ["A", "B", "A", "  "]})

    found = rules.people(record, "writers", CreditRole.WRITER)

    assert [credit.person.name for credit in found] == ["A", "B"]
