import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from domain.platform.postgres import Database
from gateway.documents.desk import Desk
from gateway.documents.manifests import ClientDocument
from gateway.documents.postgres import PostgresDocuments
from gateway.documents.postgres_usage import PostgresUsage
from gateway.engine.documents import Rejected, document_hash
from gateway.engine.execution import Engine
from gateway.engine.persisted import LocalQueries
from gateway.engine.requests import OperationRequest
from gateway.engine.trusted import DocumentsMode
from gateway.metrics import Metrics
from gateway.settings import Settings
from gateway.time_and_ids import now
from tests.gateway.toy import toy_schema

OFF, LOG = DocumentsMode.OFF, DocumentsMode.LOG
CALLER = ClientDocument("caller-1", "query Caller { caller }", "Caller", "")


def desk_of(mode: DocumentsMode = LOG, **settings: Any) -> tuple[Desk, Metrics]:
    metrics = Metrics()
    given = {"documents_refresh_seconds": 0.1, "documents_usage_seconds": 0.1, **settings}
    return Desk(Settings(documents=mode, **given), Engine(toy_schema()), metrics), metrics


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - the other side has no event to wait for
            await asyncio.sleep(0.01)


async def test_what_is_published_is_known_at_the_start_and_soon_after_it_changes(database: Database) -> None:
    documents = PostgresDocuments(database)
    await documents.publish([CALLER], None)
    desk, _ = desk_of()

    async with desk.in_step(database, None):
        assert desk.trusted.named("caller-1") is not None
        await documents.publish([ClientDocument("later", "{ doubled }", None, "")], None)
        await eventually(lambda: desk.trusted.named("later") is not None)
        await documents.remove(["caller-1"])
        await eventually(lambda: desk.trusted.named("caller-1") is None)


async def test_off_reads_no_documents(database: Database) -> None:
    await PostgresDocuments(database).publish([CALLER], None)
    desk, _ = desk_of(OFF)

    async with desk.in_step(database, None):
        await asyncio.sleep(0.2)

    assert len(desk.trusted) == 0


async def test_use_is_written_down_in_the_background_and_at_the_end(database: Database) -> None:
    usage = PostgresUsage(database)
    began = now()
    desk, _ = desk_of(OFF, documents_usage_seconds=3600)

    async with desk.in_step(database, None):
        assert await usage.operations(began) == []  # meanwhile it looks for the first time, and finds nothing
        for _ in range(3):
            await desk.intake.operation(OperationRequest("query Caller { caller }"))
        assert await usage.operations(began) == []

    [use] = await usage.operations(began)
    assert (use.hash, use.name, use.uses, use.trusted) == (CALLER.hash, "Caller", 3, False)
    assert await usage.coordinates(began.date()) == {"Query.caller": 3}


async def test_use_that_cannot_be_written_is_kept_for_the_next_time(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = PostgresUsage(database)
    began = now()
    desk, _ = desk_of(OFF)

    async def fail(*_: object) -> None:
        raise ConnectionError

    await desk.intake.operation(OperationRequest("{ caller }"))
    monkeypatch.setattr(usage, "add", fail)
    with pytest.raises(ConnectionError):
        await desk._write(usage)
    await desk.intake.operation(OperationRequest("{ caller }"))
    monkeypatch.undo()
    await desk._write(usage)

    assert [use.uses for use in await usage.operations(began)] == [2]


async def test_what_is_not_published_is_logged_by_name_and_hash_and_counted(database: Database) -> None:
    await PostgresDocuments(database).publish([CALLER], None)
    desk, metrics = desk_of(LOG, documents_usage_seconds=3600)

    with capture_logs() as logs:
        async with desk.in_step(database, None):
            for text in ("query AdHoc { caller }", "query AdHoc { caller }", CALLER.text):
                await desk.intake.operation(OperationRequest(text))

    [told] = [line for line in logs if line["event"] == "document.ad_hoc"]
    assert (told["operation"], told["uses"]) == ("AdHoc", 2)
    assert told["sha256"] == document_hash("query AdHoc { caller }")
    counted = metrics.registry.get_sample_value
    labels = {"kind": "ad_hoc", "named_by": "text"}
    assert counted("graphql_documents_total", labels) == 2
    assert counted("graphql_documents_total", labels | {"kind": "published"}) == 1


async def test_a_hash_that_another_process_knows_is_found_once_the_shared_store_is_open(
    database: Database,
) -> None:
    shared = LocalQueries(1_000)
    text = "{ caller }"
    await shared.put(document_hash(text), text)
    request = OperationRequest(
        extensions={"persistedQuery": {"version": 1, "sha256Hash": document_hash(text)}}
    )
    desk, _ = desk_of(OFF)

    with pytest.raises(Rejected):
        await desk.intake.operation(request)
    async with desk.in_step(database, shared):
        assert (await desk.intake.operation(request)).prepared.text == text
