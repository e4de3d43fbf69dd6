import pytest

from domain.platform.postgres import Database
from gateway.documents.manifests import ClientDocument
from gateway.documents.postgres import PostgresDocuments
from gateway.documents.publishing import Problem, Published, publish
from gateway.engine.documents import DocumentStore
from gateway.engine.errors import ErrorFormatter
from gateway.engine.limits import Guard, Limits
from tests.gateway.toy import toy_schema

CALLER = ClientDocument("caller", "query Caller { caller }", "Caller", "m.json, operation 1")


@pytest.fixture
def documents(database: Database) -> PostgresDocuments:
    return PostgresDocuments(database)


@pytest.fixture
def checked_by() -> DocumentStore:
    return DocumentStore(toy_schema()._schema, Guard(Limits(max_aliases=0)), ErrorFormatter())


async def test_new_and_known_documents_are_told_apart(
    documents: PostgresDocuments, checked_by: DocumentStore
) -> None:
    other = ClientDocument("toy", "{ toy { name } }", None, "m.json, operation 2")
    await publish([CALLER], None, documents, checked_by)

    assert await publish([CALLER, other, other], "web", documents, checked_by) == Published(1, 1)


async def test_one_bad_document_keeps_all_from_being_published_and_every_problem_is_told(
    documents: PostgresDocuments, checked_by: DocumentStore
) -> None:
    bad = ClientDocument("bad", "query Bad {\n  nothing\n  nope\n}", "Bad", "m.json, operation 2")
    large = ClientDocument("large", "{ a: caller }", None, "m.json, operation 3")
    broken = ClientDocument("broken id", "{", None, "m.json, operation 4")

    problems = await publish([CALLER, bad, large, broken], None, documents, checked_by)

    assert isinstance(problems, list)
    assert [str(problem) for problem in problems] == [
        "m.json, operation 2 (Bad), line 2, column 3: Cannot query field 'nothing' on type 'Query'.",
        "m.json, operation 2 (Bad), line 3, column 3: Cannot query field 'nope' on type 'Query'.",
        "m.json, operation 3: The operation exceeds the limit of 0 for aliases: it has 1.",
        "m.json, operation 4: the id may have up to 128 letters, digits and - . _ ~, after sha256: or x-…:",
        "m.json, operation 4, line 1, column 2: Syntax Error: Expected Name, found <EOF>.",
    ]
    assert await documents.all() == []


async def test_an_id_cannot_stand_for_two_texts(
    documents: PostgresDocuments, checked_by: DocumentStore
) -> None:
    other = ClientDocument("caller", "{ caller }", None, "m.json, operation 2")

    assert await publish([CALLER, other], None, documents, checked_by) == [
        Problem("m.json, operation 2", "the id caller stands for two texts here")
    ]
    await publish([CALLER], None, documents, checked_by)
    assert await publish([other], None, documents, checked_by) == [
        Problem("m.json, operation 2", "the id caller is published with another text already")
    ]
