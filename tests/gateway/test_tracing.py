import asyncio
from collections.abc import Mapping, Sequence

from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from domain.platform.postgres import Database
from domain.platform.tracing import TRACER_NAME
from gateway.settings import load
from gateway.tracing import trace_statement, tracing
from loaders.loader import one


async def test_a_statement_is_a_span_of_the_request_that_ran_it(
    database_url: str, spans: InMemorySpanExporter
) -> None:
    async with Database.open(database_url, min_connections=1, observe=trace_statement) as database:
        with trace.get_tracer(TRACER_NAME).start_as_current_span("request"):
            await database.value("SELECT   41 +\n 1")
            await asyncio.sleep(0)  # statements are told one turn of the loop later

    told = {span.name: span for span in spans.get_finished_spans() if span.attributes}
    found = [
        span
        for span in spans.get_finished_spans()
        if span.attributes and span.attributes.get("db.statement") == "SELECT 41 + 1"
    ]
    assert len(found) == 1, told
    request = next(span for span in spans.get_finished_spans() if span.name == "request")
    assert found[0].parent is not None
    assert request.context is not None
    assert found[0].parent.span_id == request.context.span_id
    assert (found[0].end_time or 0) >= (found[0].start_time or 0)


async def test_a_batch_of_keys_is_one_span(spans: InMemorySpanExporter) -> None:
    async def titles(keys: Sequence[int]) -> Mapping[int, str]:
        return {key: str(key) for key in keys}

    loader = one(titles)
    await asyncio.gather(*(loader.load(key) for key in range(5)))

    (span,) = spans.get_finished_spans()
    assert span.name == "load"
    assert dict(span.attributes or {}) == {"question": "titles", "keys": 5}


def test_nothing_is_traced_where_no_collector_is_named() -> None:
    with tracing(load(), "1") as traced:
        assert traced is False
