import pytest

from bench import hostile, operations, planning
from bench.growth import PAGES
from gateway.engine.documents import Rejected
from gateway.engine.execution import Engine
from gateway.engine.limits import Limits
from gateway.engine.measure import measure
from gateway.engine.requests import OperationRequest
from gateway.engine.scan import tokens_of
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
        planning.unlike(1),
    ],
)
def test_what_is_measured_is_within_the_limits(engine: Engine, text: str) -> None:
    assert engine.prepare(OperationRequest(text)).prepared.text == text


def test_a_planned_document_has_as_many_fields_as_is_said_and_is_like_no_other() -> None:
    texts = {text(number) for number in range(100) for text in (planning.document, planning.unlike)}

    assert len(texts) == 200
    assert {measure(tokens_of(text, 10_000)).largest.fields for text in texts} == {planning.FIELDS}


def test_hostile_documents_are_as_large_as_their_tokens_may_be() -> None:
    for document in hostile.documents():
        most = Limits().max_tokens
        assert (len(tokens_of(document.text, most + 1)) > most) == document.name.endswith("larger"), (
            document.name
        )


@pytest.mark.parametrize("name", ["deep", "wide", "aliased", "cyclic fragments"])
def test_hostile_documents_are_refused_for_what_they_are(engine: Engine, name: str) -> None:
    text = next(document.text for document in hostile.documents() if document.name == name)

    with pytest.raises(Rejected) as refused:
        engine.prepare(OperationRequest(text))

    assert "tokens" not in str(refused.value)
