"""What clients use, from counted coordinates and from documents."""

import json
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema

from gateway.evolution.source import Unreadable
from gateway.evolution.usage import read_usage

SCHEMA = build_schema("""
type Query {
  found(by: Lookup, kinds: [Kind!], first: Int): Found
  node: Node
  other(first: Int): Other
}
interface Node { id: ID! kind: Kind }
union Found = Film | Person
type Film implements Node { id: ID! kind: Kind title: String }
type Person implements Node { id: ID! kind: Kind name: String }
type Other { a: Int }
input Lookup { id: ID within: Lookup kind: Kind slug: String }
enum Kind { FILM PERSON }
""")
WHOLE_LOOKUP = {
    "Lookup",
    "Lookup.id",
    "Lookup.within",
    "Lookup.kind",
    "Lookup.slug",
    "ID",
    "Kind",
    "Kind.FILM",
    "Kind.PERSON",
    "String",
}


def used(path: Path, *lines: Any) -> set[str]:
    file = path / "usage.json"
    file.write_text("\n".join(json.dumps(line) for line in lines))
    return set(read_usage(file).coordinates(SCHEMA))


def test_a_document_uses_what_it_names_and_no_more(tmp_path: Path) -> None:
    document = '{ found(by: {slug: "x"}, kinds: [FILM]) { ... on Film { title } } }'

    assert used(tmp_path, [document]) == {
        "Query",
        "Query.found",
        "Query.found(by:)",
        "Query.found(kinds:)",
        "Found",
        "Lookup",
        "Lookup.slug",
        "Kind",
        "Kind.FILM",
        "Film",
        "Film.title",
        "String",
    }


def test_a_variable_may_hold_all_that_its_type_can(tmp_path: Path) -> None:
    document = "query ($by: Lookup) { found(by: $by) { __typename } }"

    assert used(tmp_path, [document]) == {"Query", "Query.found", "Query.found(by:)", "Found", *WHOLE_LOOKUP}


def test_a_field_of_an_interface_is_one_of_the_types_behind_it(tmp_path: Path) -> None:
    found = used(tmp_path, ["{ node { ...Some } } fragment Some on Node { kind @skip(if: true) }"])

    assert found == {
        "Query",
        "Query.node",
        "Node",
        "Node.kind",
        "Film.kind",
        "Person.kind",
        "Kind",
        "Kind.FILM",
        "Kind.PERSON",
        "@skip",
        "@skip(if:)",
    }


def test_a_counted_field_is_used_with_all_its_arguments_where_none_was_counted(tmp_path: Path) -> None:
    found = used(tmp_path, {"coordinates": {"Query.found": 3, "Query.other": 0}})

    assert found == {
        "Query",
        "Query.found",
        "Query.found(by:)",
        "Query.found(kinds:)",
        "Query.found(first:)",
        "Found",
        "Int",
        *WHOLE_LOOKUP,
    }


def test_counted_arguments_and_input_fields_are_taken_at_their_word(tmp_path: Path) -> None:
    counts = {
        "Query.found": 3,
        "Query.found(by:)": 2,
        "Lookup.slug": 2,
        "Film": 1,
        "@skip": 1,
        "@skip(if:)": 1,
    }

    assert used(tmp_path, {"coordinates": counts}) == {*counts, "Query", "Found", "Lookup"}


def test_what_the_schema_has_not_is_passed_over(tmp_path: Path) -> None:
    counts = {"Query.gone": 1, "Gone.a": 1, "Gone": 1, "Query.other(gone:)": 1, "@gone": 1, "Gone.a(b:)": 1}

    assert used(tmp_path, {"coordinates": counts}, "{ gone { a(b: GONE, c: {d: 1}) } }") == set()


@pytest.mark.parametrize("key", ["document", "query", "body"])
def test_documents_may_stand_in_objects_and_one_a_line(tmp_path: Path, key: str) -> None:
    lines = ({key: "{ other { a } }", "name": None}, {"coordinates": {"Query.node": 1}}, "{ node { id } }")

    assert {"Query.other", "Other.a", "Query.node", "Film.id"} <= used(tmp_path, *lines)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no usage file: "),
        ("7", 'is no usage file: expected {"coordinates"'),
        ('{"coordinates": []}', 'is no usage file: expected {"coordinates"'),
        ('{"name": "x"}', 'is no usage file: expected {"coordinates"'),
        ('["{ a "]', "is no usage file: Syntax Error"),
        ('{"coordinates": {"Query..a": 1}}', "is no usage file: Syntax Error"),
        (
            '{"coordinates": {"Query.a": "many"}}',
            "the count of Query.a is 'many', and must be a whole number",
        ),
        ('{"coordinates": {"Query.a": -1}}', "the count of Query.a is -1"),
    ],
)
def test_a_file_of_another_kind_is_told_by_its_name(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "usage.json"
    file.write_text(text)

    with pytest.raises(Unreadable) as refusal:
        read_usage(file)

    assert str(refusal.value).startswith(str(file))
    assert said in str(refusal.value)


def test_a_file_that_is_missing_or_no_text_is_told_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")

    with pytest.raises(Unreadable, match="none cannot be read: No such file or directory"):
        read_usage(tmp_path / "none")
    with pytest.raises(Unreadable, match="binary is not UTF-8 text"):
        read_usage(tmp_path / "binary")
