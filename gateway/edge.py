"""What every request passes on its way in and out: its id, its span, its headers, its place in the counts."""

import time
from collections.abc import Awaitable, Mapping, MutableMapping, Sequence
from typing import Any, Final

from starlette.applications import Starlette
from starlette.routing import Match, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.platform.tracing import LEFT_OUT
from gateway.logs import REQUEST_ID
from gateway.metrics import Metrics
from gateway.routes.connection import arrival_of
from gateway.routes.security import page_headers
from gateway.tracing import RequestSpans

_STREAMS: Final = (b"text/event-stream", b"multipart/")


class Application(Starlette):
    """Starlette behind an edge. `doors` and `socket_doors` are ASGI applications, by path, for requests and
    WebSockets that need not pass its layers.
    """

    def __init__(
        self,
        metrics: Metrics,
        spans: RequestSpans | None = None,
        doors: Mapping[str, ASGIApp] | None = None,
        socket_doors: Mapping[str, ASGIApp] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        by_kind = {"http": doors or {}, "websocket": socket_doors or {}}
        self._edge = Edge(super().__call__, self.router, metrics, by_kind, spans)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._edge(scope, receive, send)


class Edge:
    """Wraps the application; one thin function per request, as it lies on the path of every one."""

    def __init__(
        self,
        app: ASGIApp,
        router: Router,
        metrics: Metrics,
        doors: Mapping[str, Mapping[str, ASGIApp]],
        spans: RequestSpans | None,
    ) -> None:
        """`doors`, by kind and path, set the headers of their answers themselves. Without `spans` nothing is
        traced.
        """
        self._app = app
        self._router = router
        self._metrics = metrics
        self._doors = doors
        self._spans = spans

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "lifespan":
            await self._app(scope, receive, send)
            return
        connection = arrival_of(scope).connection
        request_id = connection.request_id
        door = self._doors[kind].get(scope["path"])
        answer = _Answer(send) if door is not None else _Completed(send, request_id, scope["scheme"])
        started = time.perf_counter()
        self._metrics.active += 1
        spans = self._spans
        left_out = spans is None or spans.leave_out(connection.headers)
        named, untraced = REQUEST_ID.set(request_id), LEFT_OUT.set(left_out)
        serving = (door or self._app)(scope, receive, answer if kind == "http" else send)
        try:
            if spans is None or left_out:
                await serving
            else:
                with spans.of(scope, connection.headers, request_id):
                    await serving
        finally:
            self._metrics.active -= 1
            LEFT_OUT.reset(untraced)
            REQUEST_ID.reset(named)
            if kind == "http":
                path = self._route(scope) if door is None else scope["path"]
                self._count(scope["method"], path, answer, time.perf_counter() - started)

    def _count(self, method: str, path: str, answer: "_Answer", seconds: float) -> None:
        self._metrics.requests.add(method, path, str(answer.status))
        if not answer.streamed:
            self._metrics.duration.add(seconds, method, path)

    def _route(self, scope: Scope) -> str:
        """The route's own path: what a client writes must not make a new series."""
        for route in self._router.routes:
            if route.matches(scope)[0] is not Match.NONE:
                return str(getattr(route, "path", ""))
        return "none"


class _Answer:
    """Watches an answer go out."""

    __slots__ = ("_headers", "_send", "status", "streamed")

    def __init__(self, send: Send) -> None:
        self._send = send
        self._headers: Sequence[tuple[bytes, bytes]] | None = None
        """Between the start of an answer and its first bytes."""
        self.status = 0
        self.streamed = False

    def __call__(self, message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._headers = message["headers"]
        elif self._headers is not None:
            # What comes in one piece is no stream, whatever its headers say.
            self.streamed = message.get("more_body", False) and any(
                name == b"content-type" and value.startswith(_STREAMS) for name, value in self._headers
            )
            self._headers = None
        return self._send(message)


class _Completed(_Answer):
    """Adds the headers that every answer carries."""

    __slots__ = ("_ours",)

    def __init__(self, send: Send, request_id: str, scheme: str) -> None:
        super().__init__(send)
        self._ours = [(b"x-request-id", request_id.encode("latin-1")), *page_headers(scheme)]

    def __call__(self, message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            message["headers"] = self._with_ours(message)
        return super().__call__(message)

    def _with_ours(self, message: MutableMapping[str, Any]) -> list[tuple[bytes, bytes]]:
        headers = [(name.lower(), value) for name, value in message.get("headers", ())]
        names = {name for name, _ in headers}
        return [*headers, *(header for header in self._ours if header[0] not in names)]
