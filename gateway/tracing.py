"""OpenTelemetry: spans are made where an exporter is configured, else they cost next to nothing."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from domain.platform.tracing import TRACER_NAME
from gateway.settings import Settings

MAX_STATEMENT_CHARACTERS = 200
SERVICE = "media-gateway"


@contextmanager
def tracing(settings: Settings, version: str, exporter: SpanExporter | None = None) -> Iterator[bool]:
    """Sends spans to the configured collector while the block runs; whether it does."""
    if exporter is None and settings.otlp_endpoint is None:
        yield False
        return
    resource = Resource.create(
        {
            "service.name": SERVICE,
            "service.version": version,
            "deployment.environment": settings.mode.value,
        }
    )
    provider = TracerProvider(resource=resource, sampler=ParentBased(TraceIdRatioBased(settings.trace_ratio)))
    provider.add_span_processor(BatchSpanProcessor(exporter or _otlp(str(settings.otlp_endpoint))))
    trace.set_tracer_provider(provider)
    try:
        yield True
    finally:
        provider.shutdown()


def _otlp(endpoint: str) -> SpanExporter:
    # Not loaded where nothing is exported: it takes its share of every start.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

    return OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces")


def trace_statement(logged: Any) -> None:
    """A span of a statement that has run; its parent is the span it was run in."""
    ended = time.time_ns()
    tracer = trace.get_tracer(TRACER_NAME)
    span = tracer.start_span(
        "sql",
        start_time=ended - int(logged.elapsed * 1e9),
        attributes={
            "db.system": "postgresql",
            "db.statement": " ".join(logged.query.split())[:MAX_STATEMENT_CHARACTERS],
        },
    )
    if logged.exception is not None:
        span.record_exception(logged.exception)
    span.end(ended)
