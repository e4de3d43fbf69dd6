"""OpenTelemetry: spans are made where an exporter is configured, else they cost next to nothing."""

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from random import random
from typing import Any

from opentelemetry import context, propagate, trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_ON,
    ParentBased,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)
from opentelemetry.trace import SpanKind
from starlette.types import Scope

from domain.platform.tracing import LEFT_OUT, TRACER_NAME
from gateway.settings import Settings

MAX_STATEMENT_CHARACTERS = 200
SERVICE = "media-gateway"


class RequestSpans:
    """A span for each request that is sampled; the others cost no more than to say so to all they do."""

    def __init__(self, ratio: float) -> None:
        """`ratio` is the share that is sampled of those that come without a trace of their own."""
        self._ratio = ratio

    def leave_out(self, headers: Mapping[str, str]) -> bool:
        """Whether a request is not sampled and has no trace of its own, as nearly all: all else asks `of`."""
        return "traceparent" not in headers and random() >= self._ratio  # noqa: S311 - a sample, no secret

    def of(self, scope: Scope, headers: Mapping[str, str], request_id: str) -> AbstractContextManager[Any]:
        """The span of a request that `leave_out` let through."""
        parent = context.Context()
        if "traceparent" in headers:
            parent = propagate.extract(headers)
            came = trace.get_current_span(parent).get_span_context()
            unsampled = random() >= self._ratio if not came.is_valid else not came.trace_flags.sampled  # noqa: S311 - as above
            if unsampled:
                return LeftOut(parent if came.is_valid else None)
        method, path = scope.get("method", "WEBSOCKET"), scope["path"]
        return trace.get_tracer(TRACER_NAME).start_as_current_span(
            f"{method} {path}",
            context=parent,
            kind=SpanKind.SERVER,
            attributes={"http.request.method": method, "url.path": path, "request.id": request_id},
        )


class LeftOut:
    """The block is not traced; lines it logs have the ids of the trace that `context_` has, if any."""

    __slots__ = ("_attached", "_context", "_token")

    def __init__(self, context_: context.Context | None = None) -> None:
        self._context = context_

    def __enter__(self) -> None:
        self._token = LEFT_OUT.set(True)
        self._attached = None if self._context is None else context.attach(self._context)

    def __exit__(self, *_: object) -> None:
        if self._attached is not None:
            context.detach(self._attached)
        LEFT_OUT.reset(self._token)


class _Roots(Sampler):
    """Which traces that begin here are kept: of requests all, as RequestSpans has chosen among them."""

    def __init__(self, ratio: float) -> None:
        self._others = TraceIdRatioBased(ratio)

    def should_sample(
        self,
        parent_context: context.Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> SamplingResult:
        chosen = ALWAYS_ON if kind is SpanKind.SERVER else self._others
        return chosen.should_sample(parent_context, trace_id, name, kind, *args, **kwargs)

    def get_description(self) -> str:
        return f"Roots({self._others.get_description()})"


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
    provider = TracerProvider(resource=resource, sampler=ParentBased(_Roots(settings.trace_ratio)))
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


def trace_statement(query: str, seconds: float, failure: BaseException | None) -> None:
    """A span of a statement that has run; its parent is the span it was run in."""
    if LEFT_OUT.get():
        return
    ended = time.time_ns()
    tracer = trace.get_tracer(TRACER_NAME)
    span = tracer.start_span(
        "sql",
        start_time=ended - int(seconds * 1e9),
        attributes={
            "db.system": "postgresql",
            "db.statement": " ".join(query.split())[:MAX_STATEMENT_CHARACTERS],
        },
    )
    if failure is not None:
        span.record_exception(failure)
    span.end(ended)
