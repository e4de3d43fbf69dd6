"""Spans of the gateway's own work; they cost next to nothing where no exporter is configured, and in requests
that are not sampled.
"""

from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar

from opentelemetry import trace
from opentelemetry.trace import INVALID_SPAN, ProxyTracerProvider, Span

TRACER_NAME = "media-gateway"
LEFT_OUT: ContextVar[bool] = ContextVar("left_out", default=False)
"""Whether what is done now belongs to a request that is not sampled."""
_NOTHING = nullcontext(INVALID_SPAN)


def span(name: str, **attributes: str | float | bool) -> AbstractContextManager[Span]:
    """A span around a piece of work, child of the current one."""
    # Where no provider is set, nothing is kept.
    if LEFT_OUT.get() or isinstance(trace.get_tracer_provider(), ProxyTracerProvider):
        return _NOTHING
    return trace.get_tracer(TRACER_NAME).start_as_current_span(name, attributes=attributes)
