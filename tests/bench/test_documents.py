import pytest
from graphql import parse

from bench import hostile, operations, planning
from bench.growth import PAGES
from gateway.engine.documents import Rejected
from gateway.engine.execution import Engine
from gateway.engine.limits import Limits
from gateway.engine.measure import measure, refuse_long_text
from gateway.engine.requests import OperationRequest
from schema.graph import graph


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(graph(), introspection=False)


@pytest.mark.parametrize(
    "text",
    [
        operations.TYPENAME,
        operations.TITLE,
        operations.TITLES,
        operations.VIEWER,
        operations.CURSOR,
        operations.pages(PAGES),
        planning.document(1),
    ],
)
def test_what_is_measured_is_within_the_limits(engine: Engine, text: str) -> None:
    assert engine.prepare(OperationRequest(text)).prepared.text == text


def test_a_planned_document_has_as_many_fields_as_is_said_and_is_like_no_other() -> None:
    texts = {planning.document(number) for number in range(100)}

    assert len(texts) == 100
    assert {measure(parse(text))[0].fields for text in texts} == {planning.FIELDS}


def test_hostile_documents_are_as_large_as_their_tokens_may_be() -> None:
    for document in hostile.documents():
        larger = document.name.endswith("larger")
        try:
            refuse_long_text(f"{document.text} # 1", Limits())
        except Exception:  # noqa: BLE001 - whatever it is, it is a refusal
            assert larger, document.name
        else:
            assert not larger, document.name


@pytest.mark.parametrize("name", ["deep", "wide", "aliased", "cyclic fragments"])
def test_hostile_documents_are_refused_for_what_they_are(engine: Engine, name: str) -> None:
    text = next(document.text for document in hostile.documents() if document.name == name)

    with pytest.raises(Rejected) as refused:
        engine.prepare(OperationRequest(text))

    assert "tokens" not in str(refused.value)
