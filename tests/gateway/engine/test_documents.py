from typing import Any

import pytest
from graphql import OperationType

from gateway.engine.documents import DocumentStore, Rejected
from gateway.engine.errors import ErrorFormatter
from gateway.engine.limits import Limits
from tests.gateway.toy import toy_schema


def store(
    limits: Limits | None = None, *, suggestions: bool = True, introspection: bool = True
) -> DocumentStore:
    errors = ErrorFormatter(suggestions=suggestions)
    return DocumentStore(toy_schema()._schema, limits or Limits(), errors, introspection=introspection)


def errors_of(documents: DocumentStore, text: str) -> list[dict[str, Any]]:
    with pytest.raises(Rejected) as rejected:
        documents.prepare(text)
    return rejected.value.errors


def test_a_document_is_prepared_once() -> None:
    documents = store()

    assert documents.prepare("{ caller }") is documents.prepare("{ caller }")


def test_the_operations_of_a_document_are_known_by_name_and_type() -> None:
    prepared = store().prepare('query A { caller } mutation B { buy(name: "x") { name } }')

    assert prepared.operations == {"A": OperationType.QUERY, "B": OperationType.MUTATION}


def test_the_least_recently_used_document_goes_first() -> None:
    documents = store(Limits(cached_documents=2))
    first, second = documents.prepare("{ caller }"), documents.prepare("{ toy { name } }")
    documents.prepare("{ caller }")

    documents.prepare("{ doubled }")

    assert documents.prepare("{ caller }") is first
    assert documents.prepare("{ toy { name } }") is not second


def test_kept_documents_are_bounded_by_their_characters() -> None:
    documents = store(Limits(cached_document_characters=25))
    first = documents.prepare("{ caller }")

    documents.prepare("{ doubled doubled }")

    assert documents.prepare("{ caller }") is not first


def test_a_document_larger_than_the_whole_store_is_still_answered() -> None:
    assert store(Limits(cached_document_characters=5)).prepare("{ caller }").operations


def test_failures_are_kept_apart_and_bounded() -> None:
    documents = store(Limits(cached_failures=2))
    kept = documents.prepare("{ caller }")
    first = errors_of(documents, "{ no0 }")

    assert errors_of(documents, "{ no0 }") is first
    errors_of(documents, "{ no1 }")
    errors_of(documents, "{ no2 }")
    assert errors_of(documents, "{ no0 }") is not first
    assert documents.prepare("{ caller }") is kept


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "",
        "query",
        "{ nothing }",
        "type A { a: Int }",
        "fragment F on Query { caller }",
        "{ caller \ud800 }",
    ],
)
def test_what_cannot_run_is_bad_user_input(text: str) -> None:
    [first, *_] = errors_of(store(), text)

    assert first["extensions"]["code"] == "BAD_USER_INPUT"
    assert first["message"]


def test_errors_say_where() -> None:
    [error] = errors_of(store(), "{\n  nothing\n}")

    assert error["locations"] == [{"line": 2, "column": 3}]


@pytest.mark.parametrize(
    "text",
    [
        "{ toi { name } }",
        "{ toy(nam: 1) { name } }",
        "{ toy { ... on Toi { name } } }",
        "query($x: Wisch) { wish(wish: $x) }",
        '{ wish(wish: {nam: "x", name: "y"}) }',
        "{ caller @skp(if: true) }",
    ],
)
def test_disabled_suggestions_leak_no_field_type_or_argument_name(text: str) -> None:
    told = errors_of(store(), text)
    silent = errors_of(store(suggestions=False), text)

    assert any("Did you mean" in error["message"] for error in told) or "skp" in text
    assert not any("Did you mean" in error["message"] for error in silent)


def test_introspection_can_be_switched_off() -> None:
    [error, *_] = errors_of(store(introspection=False), "{ __schema { queryType { name } } }")

    assert "introspection has been disabled" in error["message"]
    assert store(introspection=False).prepare("{ __typename }").operations


def test_a_long_value_is_not_quoted_whole() -> None:
    [error] = errors_of(store(), "{ wish(wish: [" + "1 " * 1_500 + "]) }")

    assert len(error["message"]) < 510


@pytest.mark.parametrize("directive", ["@defer", "@stream"])
def test_incremental_delivery_is_refused_clearly(directive: str) -> None:
    [error, *_] = errors_of(store(), f"{{ ... {directive} {{ caller }} }}")

    assert directive in error["message"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


def test_a_document_with_many_mistakes_gets_a_bounded_list() -> None:
    assert len(errors_of(store(), "{" + " ".join(f"n{n}" for n in range(20)) + "x y z}")) <= 21


@pytest.mark.parametrize("text", ["{a" * 3_000, "{toy(name: " + "[" * 3_000, "{toy(name: " + "{a:" * 900])
def test_endless_nesting_is_refused_without_a_stack_overflow(text: str) -> None:
    [error] = errors_of(store(Limits(max_tokens=100_000)), text)

    assert "nested too deeply" in error["message"]
