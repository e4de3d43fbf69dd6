from collections.abc import AsyncIterator

import httpx
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from domain.platform.tracing import span
from gateway.edge import Application
from gateway.metrics import Metrics
from gateway.tracing import RequestSpans


def _application(ratio: float | None = None) -> tuple[Application, Metrics]:
    async def hello(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("hello")

    async def fail(_request: Request) -> PlainTextResponse:
        raise RuntimeError("broken")

    metrics = Metrics()
    routes = [Route("/hello/{name}", hello), Route("/fail", fail), *metrics.routes]
    return Application(metrics, RequestSpans(ratio) if ratio is not None else None, routes=routes), metrics


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app, _ = _application()
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def test_every_answer_carries_security_headers_and_its_request_id(client: httpx.AsyncClient) -> None:
    for path in ("/hello/a", "/nowhere"):
        answer = await client.get(path, headers={"x-request-id": "mine-1"})

        assert answer.headers["x-request-id"] == "mine-1"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["x-frame-options"] == "DENY"


async def test_a_request_id_that_could_forge_log_lines_is_replaced(client: httpx.AsyncClient) -> None:
    answer = await client.get("/hello/a", headers={"x-request-id": "a b\tc"})

    assert answer.headers["x-request-id"] != "a b\tc"
    assert len(answer.headers["x-request-id"]) == 32


async def test_requests_are_counted_by_route_not_by_what_clients_write(client: httpx.AsyncClient) -> None:
    for name in ("a", "b", "c"):
        await client.get(f"/hello/{name}")
    await client.get("/elsewhere")

    scraped = (await client.get("/metrics")).text

    samples = {
        (sample.labels["path"], sample.labels["status"]): sample.value
        for family in text_string_to_metric_families(scraped)
        if family.name == "http_requests"
        for sample in family.samples
        if sample.name == "http_requests_total"
    }
    assert samples[("/hello/{name}", "200")] == 3
    assert samples[("none", "404")] == 1


async def test_a_trace_goes_on_where_the_caller_began_it(spans: InMemorySpanExporter) -> None:
    app, _ = _application(ratio=0.0)
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        await client.get("/hello/a", headers={"traceparent": parent})

    (span,) = spans.get_finished_spans()
    assert span.context is not None
    assert span.parent is not None
    assert f"{span.context.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c"
    assert f"{span.parent.span_id:016x}" == "b7ad6b7169203331"


@pytest.mark.parametrize(
    ("ratio", "traceparent", "spans_kept"),
    [
        (0.0, None, 0),
        (1.0, None, 2),
        (1.0, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", 0),
        (0.0, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", 2),
        (1.0, "nonsense", 2),
    ],
)
async def test_what_is_done_for_a_request_is_traced_or_not_with_it(
    spans: InMemorySpanExporter, ratio: float, traceparent: str | None, spans_kept: int
) -> None:
    async def work(_request: Request) -> PlainTextResponse:
        with span("work"):
            return PlainTextResponse("done")

    app = Application(Metrics(), RequestSpans(ratio), routes=[Route("/work", work)])
    headers = {} if traceparent is None else {"traceparent": traceparent}

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        await client.get("/work", headers=headers)

    assert len(spans.get_finished_spans()) == spans_kept


def test_work_outside_of_requests_is_traced(spans: InMemorySpanExporter) -> None:
    with span("work"):
        pass

    assert [found.name for found in spans.get_finished_spans()] == ["work"]
