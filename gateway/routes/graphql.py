"""GraphQL over HTTP, by POST and GET (https://graphql.github.io/graphql-over-http/draft/)."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl

from graphql import OperationType
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from domain.platform.errors import BadInput, GatewayError
from domain.platform.values import value
from gateway.engine.documents import Rejected
from gateway.engine.execution import Operation
from gateway.engine.intake import Intake
from gateway.engine.limits import Limit
from gateway.engine.requests import OperationRequest, read_json, read_operation
from gateway.engine.results import OperationResult
from gateway.routes.batches import Batches
from gateway.routes.begun import Begun
from gateway.routes.bodies import compress, discard_body, read_body
from gateway.routes.caching import for_caches
from gateway.routes.connection import Connection, ContextOf, DoorOptions, arrival_of
from gateway.routes.cursors import Reached
from gateway.routes.graphql_parts import begun
from gateway.routes.graphql_streams import Streams
from gateway.routes.graphql_ws import SocketDoor
from gateway.routes.heads import Head
from gateway.routes.interrupts import Interruptible, end_in_turns
from gateway.routes.negotiation import (
    HTML,
    JSON,
    Accepted,
    Manner,
    StreamKind,
)
from gateway.routes.origins import Headers
from gateway.routes.reception import Reception
from gateway.routes.replies import (
    CLOSE,
    NO_CONTENT,
    NO_STORE,
    NOT_MODIFIED,
    ClientLeft,
    HttpRefused,
    Reply,
    refusal_headers,
    result_headers,
    status_of,
)
from gateway.routes.security import data_headers, page_headers

_ALLOWED: Final = (b"allow", b"GET, HEAD, POST, OPTIONS")
_VARY: Final = (b"vary", b"accept, accept-encoding, origin")
_REMEMBERED_HEADERS: Final = 256
_PARAMETERS: Final = ("query", "documentId", "operationName", "variables", "extensions")
# Packing more than this would keep other requests waiting, so it is done in a thread.
_INLINE_COMPRESSION_BYTES: Final = 256 << 10
_HOW_TO: Final = b"""This is a GraphQL endpoint. Send it POST requests with a JSON body such as

    {"query": "{ __typename }", "variables": {}}

and the header Content-Type: application/json.
"""


@value
class _Exchange:
    """One HTTP request and the way to answer it."""

    scope: Scope
    receive: Receive
    send: Send
    method: str
    head: Head
    connection: Connection

    @property
    def accepted(self) -> Accepted:
        return self.head.accepted

    @property
    def headers(self) -> Mapping[str, str]:
        return self.head.headers

    @property
    def json_type(self) -> str:
        return self.head.accepted.single or JSON


class HttpDoor:
    """An ASGI application for one path."""

    def __init__(self, reception: Reception, options: DoorOptions) -> None:
        self._reception = reception
        self._engine = reception.engine
        self._options = options
        self._batches = Batches(reception)
        self.streams = Streams(reception.engine, options.keep_alive_seconds, options.send_seconds)
        # Few different values come in, again and again.
        self._data_headers = lru_cache(_REMEMBERED_HEADERS)(data_headers)
        self._type_headers = lru_cache(_REMEMBERED_HEADERS)(_type_headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        head, connection = arrival_of(scope)
        exchange = _Exchange(scope, receive, send, connection.method, head, connection)
        try:
            posted = exchange.method == "POST"
            reply = await (self._answer_post(exchange) if posted else self._answer_other(exchange))
        except ClientLeft:
            return
        except Exception as error:  # noqa: BLE001 - the last net: a door answers in its own format or not at all
            reply = self._refusal(exchange, error)
        if reply is not None:
            await self._send(exchange, reply)

    async def _answer_other(self, exchange: _Exchange) -> Reply | None:
        match exchange.method:
            case "GET" | "HEAD":
                asked = self._asked(exchange)
                return asked if isinstance(asked, Reply) else await self._answer_request(exchange, asked)
            case "OPTIONS":
                return Reply(
                    NO_CONTENT, headers=[_ALLOWED, *self._options.origins.preflight_headers(exchange.headers)]
                )
        raise HttpRefused(405, "Use POST, or GET for queries.", [_ALLOWED])

    async def _answer_post(self, exchange: _Exchange) -> Reply | None:
        """The reply; None if a stream has already answered."""
        body = await self._body(exchange)
        repeated = self._reception.intake.again(body)
        if repeated is not None:
            return await self._run(exchange, repeated)
        posted = read_json(body, self._engine.limits)
        if isinstance(posted, list):
            return await self._answer_batch(exchange, posted)
        return await self._answer_request(exchange, read_operation(posted, self._engine.guard), body)

    async def _answer_request(
        self, exchange: _Exchange, request: OperationRequest, body: bytes | None = None
    ) -> Reply | None:
        """`body` is what the request was read from, where it alone says what is asked for."""
        try:
            operation = await self._reception.operation(request, exchange.connection)
        except Rejected as rejected:
            result = OperationResult.rejected(rejected.errors)
            if exchange.accepted.single is None and exchange.accepted.stream is not None:
                await self._stream_one(exchange, result, exchange.accepted.stream)
                return None
            return self._reply(exchange, result)
        if body is not None:
            self._reception.intake.remember(body, request, operation)
        return await self._run(exchange, operation)

    async def _body(self, exchange: _Exchange) -> bytes:
        """What was posted, as JSON."""
        # Other types a browser sends across sites without asking first.
        if not exchange.head.is_json:
            accepts = [(b"accept-post", JSON.encode())]
            raise HttpRefused(415, "Send the request as application/json, in UTF-8.", accepts, close=True)
        return await read_body(exchange.head, exchange.receive, self._engine.guard)

    async def _answer_batch(self, exchange: _Exchange, requests: list[Any]) -> Reply:
        if exchange.accepted.single is None:
            raise HttpRefused(406, f"A batch is answered as one piece: accept {JSON}.")
        with Interruptible(exchange.receive, self._options.disconnect_seconds):
            results = await self._batches.answer(requests, exchange.connection)
            body = b",".join(self._engine.to_bytes(result) for result in results)
            return Reply(200, b"[" + body + b"]", exchange.json_type)
        raise ClientLeft

    def _asked(self, exchange: _Exchange) -> Reply | OperationRequest:
        if exchange.accepted.page and self._options.page is not None:
            headers = page_headers(exchange.connection.scheme, self._options.page_policy.encode())
            return Reply(200, self._options.page(), HTML, headers)
        parameters = self._query_parameters(exchange.scope["query_string"])
        if exchange.accepted.page and not parameters:
            return Reply(200, _HOW_TO, "text/plain")
        request = read_operation(parameters, self._engine.guard)
        # What was published does the same for everybody: a cache in between may ask for it without more ado.
        published = request.document_id is not None and self._reception.intake.knows(request.document_id)
        if not published and self._options.origins.refuses_unasked(exchange.headers):
            raise HttpRefused(
                403, "A web page may have sent this without asking first; add a header X-Requested-With."
            )
        return request

    def _query_parameters(self, query_string: bytes) -> dict[str, Any]:
        guard = self._engine.guard
        excess = guard.refuses(Limit.BODY_BYTES, len(query_string))
        if excess is not None:
            message = "The URL is too long; send the operation by POST."
            raise HttpRefused(414, message, **excess.extensions)
        try:
            pairs = parse_qsl(
                query_string.decode(), keep_blank_values=True, errors="strict", max_num_fields=32
            )
        except ValueError as error:
            raise HttpRefused(400, f"The URL's query cannot be read: {error}.") from None
        names = [name for name, _ in pairs if name in _PARAMETERS]
        if len(names) != len(set(names)):
            raise HttpRefused(400, "The URL has a parameter twice.")
        found: dict[str, Any] = {name: value for name, value in pairs if name in _PARAMETERS and value}
        for name in ("variables", "extensions"):
            if name in found:
                found[name] = read_json(found[name].encode(), guard.limits)
        return found

    async def _run(self, exchange: _Exchange, operation: Operation) -> Reply | None:
        if operation.type is OperationType.MUTATION and exchange.method != "POST":
            raise HttpRefused(405, "Mutations are accepted by POST only.", [(b"allow", b"POST")])
        if operation.type is OperationType.SUBSCRIPTION or not exchange.head.takes_whole:
            manner = self._manner(exchange, operation)
            if manner is not None:
                return await self._deliver(exchange, operation, manner)
            stream = self._stream_for(exchange, operation)
            if stream is not None:
                await self._subscribe(exchange, operation, stream)
                return None
        answering = Begun(self._executed(exchange, operation))
        if answering.done:
            return answering.result
        with Interruptible(exchange.receive, self._options.disconnect_seconds):
            return await answering
        raise ClientLeft

    async def _subscribe(self, exchange: _Exchange, operation: Operation, stream: StreamKind) -> None:
        with Interruptible(exchange.receive, self._options.disconnect_seconds) as block:
            context = await self._reception.context_of(exchange.connection)
        if block.interrupted:
            raise ClientLeft
        with (
            self._reception.place(exchange.connection, context, operation),
            self._options.lifetime_of(context) as lifetime,
        ):
            results = self._engine.subscribe(operation, context, lifetime)
            await self._serve(exchange, results, stream, Reached(self._options.course_of(context)))

    async def _executed(self, exchange: _Exchange, operation: Operation) -> Reply:
        context = await self._reception.context_of(exchange.connection)
        with self._reception.place(exchange.connection, context, operation):
            return self._reply(exchange, await self._engine.execute(operation, context), context)

    def _manner(self, exchange: _Exchange, operation: Operation) -> Manner | None:
        """How to answer in parts; None where one answer is wanted, or there is but one."""
        manner = exchange.accepted.incremental
        if manner is None or exchange.method == "HEAD" or operation.type is OperationType.SUBSCRIPTION:
            return None
        return manner if exchange.accepted.single is None or self._engine.delivers(operation) else None

    async def _deliver(self, exchange: _Exchange, operation: Operation, manner: Manner) -> Reply | None:
        watched = Interruptible(exchange.receive, self._options.disconnect_seconds)
        async with begun(self._reception, exchange.connection, operation, manner.format, watched) as delivery:
            if delivery.is_whole and exchange.accepted.single is not None:
                return self._reply(exchange, delivery.first)
            await self._serve(exchange, delivery.results(), manner.kind, finite=True)
        return None

    def _stream_for(self, exchange: _Exchange, operation: Operation) -> StreamKind | None:
        """The form of the stream to answer with; None to answer with one result."""
        if operation.type is not OperationType.SUBSCRIPTION and exchange.accepted.single is not None:
            return None
        if exchange.accepted.stream is None or exchange.method == "HEAD":
            readable = (
                "text/event-stream, or multipart/mixed;subscriptionSpec=1.0, or subscribe over WebSocket"
            )
            raise HttpRefused(
                406, f"Accept {readable if operation.type is OperationType.SUBSCRIPTION else JSON}."
            )
        return exchange.accepted.stream

    async def _stream_one(self, exchange: _Exchange, result: OperationResult, kind: StreamKind) -> None:
        async def results() -> AsyncGenerator[OperationResult, None]:
            yield result

        await self._serve(exchange, results(), kind)

    async def _serve(
        self,
        exchange: _Exchange,
        results: AsyncGenerator[OperationResult, None],
        kind: StreamKind,
        reached: Reached | None = None,
        *,
        finite: bool = False,
    ) -> None:
        # Some proxies hold an answer back until it is whole; this header of theirs says not to.
        own = self._data_headers(exchange.connection.scheme)
        headers = [*self._headers(exchange), *own, NO_STORE, (b"x-accel-buffering", b"no")]
        await self.streams.serve(
            results, kind, headers, exchange.receive, exchange.send, reached=reached, finite=finite
        )

    def _reply(self, exchange: _Exchange, result: OperationResult, context: Any = None) -> Reply:
        content_type, body = exchange.json_type, self._engine.to_bytes(result)
        status, headers = 200, []
        if not result.executed:
            status, headers = status_of(result, content_type), result_headers(result)
        if exchange.method == "POST":
            if context is not None:
                headers += self._options.allowance_of(context)
            return Reply(status, body, content_type, headers)
        # What a cache may keep tells nothing of whoever asked first.
        reply = Reply(status, body, content_type, headers)
        return for_caches(reply, result, exchange.headers, self._options.naming, self._options.varying)

    def _refusal(self, exchange: _Exchange, error: Exception) -> Reply:
        result = self._engine.failed(error)
        status = error.status if isinstance(error, HttpRefused) else None
        if isinstance(error, BadInput):
            status = 400
        content_type = exchange.json_type
        headers = refusal_headers(error, self._options.challenge) if isinstance(error, GatewayError) else []
        body = self._engine.to_bytes(result)
        return Reply(status or status_of(result, content_type), body, content_type, headers)

    def _headers(self, exchange: _Exchange) -> Headers:
        """What every answer carries."""
        headers = [(b"x-request-id", exchange.connection.request_id.encode("latin-1"))]
        if exchange.method != "POST":  # the answers to those are kept by nobody
            headers.append(_VARY)
        if "origin" in exchange.head.headers:
            headers += self._options.origins.response_headers(exchange.head.headers)
        return headers

    async def _send(self, exchange: _Exchange, reply: Reply) -> None:
        body = reply.body
        headers = self._headers(exchange)
        headers += reply.headers
        headers += reply.caching
        headers += self._type_headers(reply.content_type, exchange.connection.scheme)
        if len(body) >= self._options.compress_from_bytes:
            coding = exchange.head.coding
            if coding is not None:
                large = len(body) > _INLINE_COMPRESSION_BYTES
                body = await asyncio.to_thread(compress, body, coding) if large else compress(body, coding)
                headers.append((b"content-encoding", coding.encode()))
        if reply.status not in {NO_CONTENT, NOT_MODIFIED}:
            headers.append((b"content-length", str(len(body)).encode()))
        await exchange.send({"type": "http.response.start", "status": reply.status, "headers": headers})
        shown = b"" if exchange.method == "HEAD" else body
        closes = CLOSE in reply.headers
        await exchange.send({"type": "http.response.body", "body": shown, "more_body": closes})
        if closes:
            await discard_body(exchange.receive, self._engine.limits)
            await exchange.send({"type": "http.response.body"})


def _type_headers(content_type: str | None, scheme: str) -> Headers:
    """What goes with answers of this type."""
    headers = [] if content_type == HTML else data_headers(scheme)
    if content_type is not None:
        headers.append((b"content-type", f"{content_type}; charset=utf-8".encode()))
    return headers


CLOSING_SECONDS: Final = 2.0
"""For the sockets that were ended last; whatever stops the server cuts off what then still runs."""


class Doors:
    """Every way to the graph that speaks HTTP or WebSocket, at one path."""

    def __init__(self, intake: Intake, context_of: ContextOf, options: DoorOptions | None = None) -> None:
        options = options or DoorOptions()
        reception = Reception(intake, context_of, options)
        self._http = HttpDoor(reception, options)
        self._socket = SocketDoor(reception, options)
        self.by_path: Mapping[str, ASGIApp] = {options.path: self._http}
        """Those that speak HTTP, for a server that has no need of routes."""
        self.sockets_by_path: Mapping[str, ASGIApp] = {options.path: self._socket}
        """Those that speak WebSocket, likewise."""
        self.routes: list[BaseRoute] = [
            Route(options.path, self._http, name="graphql"),
            WebSocketRoute(options.path, self._socket, name="graphql-ws"),
        ]

    async def drain(self, seconds: float = 0.0) -> None:
        """Tell every subscriber to come again elsewhere; returns when all have been told.

        They are told one after another over the `seconds`, so that not all of them come at once.
        """
        await end_in_turns([*self._http.streams.refuse(), *self._socket.refuse()], seconds)
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSING_SECONDS):
                await self._socket.closed()
