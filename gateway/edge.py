"""What every request passes on its way in and out: its id, its span, its headers, its place in the counts."""

import time
from collections.abc import MutableMapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

import structlog
from opentelemetry import propagate, trace
from starlette.routing import Match, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.platform.tracing import TRACER_NAME
from gateway.metrics import Metrics
from gateway.routes.connection import headers_of, request_id_of

SECURITY_HEADERS: Final = (
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"permissions-policy", b"geolocation=(), microphone=(), camera=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
DEFAULT_POLICY: Final = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")


class Edge:
    """Wraps the application; one thin function per request, as it lies on the path of every one."""

    def __init__(self, app: ASGIApp, router: Router, metrics: Metrics, *, traced: bool) -> None:
        self._app = app
        self._router = router
        self._metrics = metrics
        self._traced = traced

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = headers_of(scope)
        request_id = request_id_of(headers)
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.perf_counter()
        answer = _Answer(send, request_id)
        self._metrics.active.inc()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            with self._span(scope, headers, request_id):
                await self._app(scope, receive, answer if scope["type"] == "http" else send)
        finally:
            self._metrics.active.dec()
            structlog.contextvars.unbind_contextvars("request_id")
            if scope["type"] == "http":
                self._count(scope, answer, time.perf_counter() - started)

    def _span(self, scope: Scope, headers: dict[str, str], request_id: str) -> AbstractContextManager[Any]:
        if not self._traced:
            return nullcontext()
        method = scope.get("method", "WEBSOCKET")
        return trace.get_tracer(TRACER_NAME).start_as_current_span(
            f"{method} {scope['path']}",
            context=propagate.extract(headers),
            kind=trace.SpanKind.SERVER,
            attributes={"http.request.method": method, "url.path": scope["path"], "request.id": request_id},
        )

    def _count(self, scope: Scope, answer: "_Answer", seconds: float) -> None:
        path = self._route(scope)
        self._metrics.requests.labels(scope["method"], path, answer.status).inc()
        if not answer.streamed:
            self._metrics.duration.labels(scope["method"], path).observe(seconds)

    def _route(self, scope: Scope) -> str:
        """The route's own path: what a client writes must not make a new series."""
        for route in self._router.routes:
            if route.matches(scope)[0] is not Match.NONE:
                return str(getattr(route, "path", ""))
        return "none"


class _Answer:
    """Watches an answer go out and adds the headers that every one carries."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id.encode("latin-1")
        self.status = 0
        self.streamed = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = self._with_ours(message)
        await self._send(message)

    def _with_ours(self, message: MutableMapping[str, Any]) -> list[tuple[bytes, bytes]]:
        headers = list(message.get("headers", ()))
        names = {name.lower() for name, _ in headers}
        self.streamed = any(
            name.lower() == b"content-type" and value.startswith((b"text/event-stream", b"multipart/"))
            for name, value in headers
        )
        headers += [header for header in (*SECURITY_HEADERS, DEFAULT_POLICY) if header[0] not in names]
        if b"x-request-id" not in names:
            headers.append((b"x-request-id", self._request_id))
        return headers
