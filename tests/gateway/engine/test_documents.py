from typing import Any

import pytest
from graphql import OperationType

from gateway.engine.documents import DocumentStore, Rejected
from gateway.engine.errors import ErrorFormatter
from gateway.engine.limits import Excess, Guard, Limit, Limits
from tests.gateway.toy import toy_schema


def store(limits: Limits | None = None, *, suggestions: bool = True) -> DocumentStore:
    errors = ErrorFormatter(suggestions=suggestions)
    return DocumentStore(toy_schema()._schema, Guard(limits or Limits()), errors)


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


@pytest.mark.parametrize(
    ("text", "introspects"),
    [
        ("{ __schema { queryType { name } } }", True),
        ('{ ...F } fragment F on Query { a: __type(name: "Toy") { name } }', True),
        ("{ __typename toy { __typename } }", False),
        ('{ toy(name: "__type") { name } } # __type', False),
    ],
)
def test_a_document_that_asks_for_the_schema_is_known(text: str, *, introspects: bool) -> None:
    assert store().prepare(text).introspects is introspects


def test_a_long_value_is_not_quoted_whole() -> None:
    [error] = errors_of(store(), "{ wish(wish: [" + "1 " * 1_500 + "]) }")

    assert len(error["message"]) < 510


def test_a_document_with_many_mistakes_gets_a_bounded_list() -> None:
    assert len(errors_of(store(), "{" + " ".join(f"n{n}" for n in range(20)) + "x y z}")) <= 21


@pytest.mark.parametrize(
    "text", ["{toy" + "{inner" * 3_000, "{toy(name: " + "[" * 3_000, "{toy(name: " + "{a:" * 900]
)
def test_endless_nesting_is_refused_without_a_stack_overflow(text: str) -> None:
    limits = Limits(max_tokens=100_000, max_depth=100_000, max_literal_depth=100_000, max_fields=100_000)

    [error] = errors_of(store(limits), text)

    assert "nested too deeply" in error["message"]


def test_a_trusted_document_is_not_held_to_the_limits() -> None:
    documents = store(Limits(max_root_fields=1))
    text = "{ caller doubled }"

    assert errors_of(documents, text)[0]["extensions"]["limit"] == "root_fields"
    assert documents.prepare(text, trusted=True).operations
    assert errors_of(documents, text)[0]["extensions"]["limit"] == "root_fields"


def test_no_ad_hoc_document_displaces_a_trusted_one() -> None:
    documents = store(Limits(cached_documents=1))
    published = documents.prepare("{ caller }", trusted=True)

    documents.prepare("{ doubled }")

    assert documents.prepare("{ caller }", trusted=True) is published


def test_a_limit_that_warns_is_noted_at_each_use_and_lets_pass() -> None:
    noted: list[tuple[Excess, bool]] = []
    limits = Limits(max_root_fields=1, max_fields=1, warn_only=frozenset({Limit.ROOT_FIELDS, Limit.FIELDS}))
    guard = Guard(limits, lambda excess, refused: noted.append((excess, refused)))
    documents = DocumentStore(toy_schema()._schema, guard, ErrorFormatter())

    for _ in range(2):
        documents.prepare("{ caller doubled }")

    once = [(Excess(limit, 1, 2), False) for limit in (Limit.FIELDS, Limit.ROOT_FIELDS)]
    assert noted == once * 2


def test_a_refusal_is_noted_at_each_try() -> None:
    noted: list[tuple[Excess, bool]] = []
    guard = Guard(Limits(max_root_fields=1), lambda excess, refused: noted.append((excess, refused)))
    documents = DocumentStore(toy_schema()._schema, guard, ErrorFormatter())

    for _ in range(3):
        errors_of(documents, "{ caller doubled }")

    assert noted == [(Excess(Limit.ROOT_FIELDS, 1, 2), True)] * 3


def test_one_who_may_see_the_schema_is_told_what_was_meant() -> None:
    documents = store(suggestions=False)
    silent = errors_of(documents, "{ toi { name } }")

    [told] = documents.explain("{ toi { name } }", silent)

    assert "Did you mean 'toy'" in told["message"]
    assert documents.explain("{", silent) is silent
