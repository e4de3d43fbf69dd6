"""HTTP/1.1 as uvicorn speaks it, with less around each answer.

Of a small answer uvicorn's own work is most: an event, a timer, thirteen arguments, a regular expression for
each header. What comes in the usual way (a body that is there, an answer in one piece with its length) is
done here with a third less; everything else is left to uvicorn's own code, so both say the same bytes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Iterable
from functools import lru_cache
from typing import Any, Final, Generic, TypeVar
from urllib.parse import unquote

import httptools
from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

T = TypeVar("T")

HEAD_SECONDS: Final = 30.0
"""For the head of a request to arrive whole; a new connection has as long for its first."""
JOINED_BYTES: Final = 16 << 10
"""Of a body that is copied behind its head, to be written in one go."""
_KEPT_URL_BYTES: Final = 512
_TELLING: Final = frozenset({b"connection", b"content-length", b"transfer-encoding"})
"""Headers that say more of the connection than that the length is known."""
_CONTROL: Final = bytes([*range(9), *range(10, 32), 127])
"""Characters that no header may have (RFC 9110, section 5.5)."""


class _At_once(Generic[T]):  # noqa: N801 - reads as what it is
    """Something to await that is there."""

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def __await__(self) -> Generator[Any, None, T]:
        return self._value
        yield


_SENT: Final = _At_once(None)


class Exchange(RequestResponseCycle):
    """A request and its answer."""

    access_log = False
    disconnected = False
    more_body = True
    response_started = False
    response_complete = False
    chunked_encoding: bool | None = None
    expected_content_length = 0
    _event: asyncio.Event | None = None
    _unheard = False
    """Whether something has come that `receive` did not tell, while there was no event."""
    _head: bytes | None = None
    """Of an answer, until its body comes."""

    def __init__(self, protocol: "HttpProtocol", *, keep_alive: bool) -> None:
        self.scope = protocol.scope
        self.transport = protocol.transport
        self.flow = protocol.flow
        self.logger = protocol.logger
        self.default_headers = protocol.server_state.default_headers
        self.on_response: Callable[[], None] = protocol.on_response_complete
        self.keep_alive = keep_alive
        self.waiting_for_100_continue = protocol.expect_100_continue
        self.body: bytes | bytearray = b""  # type: ignore[assignment]

    @property
    def message_event(self) -> asyncio.Event:  # type: ignore[override]
        """Set when there is something for `receive` to tell; most exchanges end without one."""
        if self._event is None:
            self._event = asyncio.Event()
            if self._unheard:
                self._event.set()
        return self._event

    def tell(self) -> None:
        """Something has come, or nothing will."""
        if self._event is None:
            self._unheard = True
        else:
            self._event.set()

    def receive(self) -> Awaitable[ASGIReceiveEvent]:  # type: ignore[override]
        over = self.disconnected or self.response_complete
        waits = self.more_body or self.waiting_for_100_continue
        if self._unheard and self._event is None and not over and not waits:
            self._unheard = False
            self.flow.resume_reading()
            body, self.body = bytes(self.body), b""
            return _At_once({"type": "http.request", "body": body, "more_body": False})
        return super().receive()

    def send(self, message: ASGISendEvent) -> Awaitable[None]:  # type: ignore[override]
        has_room = not (self.flow.write_paused or self.disconnected)
        if self._head is not None:
            if has_room and self._ends(message):
                return _SENT
            if not self.disconnected:
                self.transport.write(self._head)
            self._head = None
        elif has_room and not self.response_started and self._starts(message):
            return _SENT
        return super().send(message)

    def _starts(self, message: Any) -> bool:
        """Whether this is the head of an answer in one piece, after which others may follow; it is kept."""
        if not self.keep_alive or message["type"] != "http.response.start":
            return False
        headers = [*self.default_headers, *message.get("headers", ())]
        length = -1
        parts = [STATUS_LINE[message["status"]]]
        for name, value in headers:  # in lower case, as ASGI has it
            if name == b"content-length" and length < 0 and value.isdigit():
                length = int(value)
            elif name in _TELLING:
                return False
            parts += (name, b": ", value, b"\r\n")
        parts.append(b"\r\n")
        head = b"".join(parts)
        lines = len(headers) + 2
        if length < 0 or len(head) - len(head.translate(None, _CONTROL)) != 2 * lines:
            return False
        self.response_started = True
        self.waiting_for_100_continue = False
        self.chunked_encoding = False
        self.expected_content_length = length
        self._head = head
        return True

    def _ends(self, message: Any) -> bool:
        """Whether this is all of the body; then the answer is written."""
        body = message.get("body", b"")
        if (
            message["type"] != "http.response.body"
            or message.get("more_body", False)
            or len(body) != self.expected_content_length
            or self.scope["method"] == "HEAD"
        ):
            return False
        head, self._head = self._head or b"", None
        if len(body) <= JOINED_BYTES:
            self.transport.write(head + body)
        else:
            self.transport.write(head)
            self.transport.write(body)
        self.expected_content_length = 0
        self.response_complete = True
        self.tell()
        self.on_response()
        return True


class HttpProtocol(HttpToolsProtocol):
    """A connection. Who is silent between requests is let go by `close_quiet`, not by a timer for each."""

    cycle: Exchange | None  # type: ignore[assignment]
    quiet_since: float | None = None
    """By the loop's clock: of the last answer, or of the beginning of the next head; none in a request."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.quiet_since = self.loop.time()

    @property
    def is_begun(self) -> bool:
        """Whether a part of the next request has come."""
        return self.scope is not None and (self.cycle is None or self.scope is not self.cycle.scope)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self.quiet_since is not None:
            self.quiet_since = self.loop.time()

    def on_headers_complete(self) -> None:
        parser, scope = self.parser, self.scope
        version = parser.get_http_version()
        if version != "1.1":
            scope["http_version"] = version
        scope["method"] = parser.get_method().decode("ascii")
        if parser.should_upgrade() and self._should_upgrade():
            return
        read = _read if len(self.url) > _KEPT_URL_BYTES else _read_again
        scope["path"], scope["raw_path"], scope["query_string"] = read(self.url)
        before, self.quiet_since = self.cycle, None
        exchange = Exchange(self, keep_alive=version != "1.0" and parser.should_keep_alive())
        self.cycle = exchange
        if before is None or before.response_complete:
            self._start_asgi_task(exchange, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((exchange, self.app))

    def on_body(self, body: bytes) -> None:
        exchange = self.cycle
        if self._upgrades() or exchange is None or exchange.response_complete:
            return
        exchange.body += body
        if len(exchange.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        exchange.tell()

    def on_message_complete(self) -> None:
        exchange = self.cycle
        if self._upgrades() or exchange is None or exchange.response_complete:
            return
        exchange.more_body = False
        exchange.tell()

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self.quiet_since = self.loop.time()

    def _upgrades(self) -> bool:
        return bool(self.parser.should_upgrade()) and self._should_upgrade()


def close_quiet(connections: Iterable[object], now: float) -> int:
    """Closes those that wait for no answer and did not ask again in time, and says how many.

    To be called every second; `now` is of the loop's clock.
    """
    closed = 0
    for connection in connections:
        if not isinstance(connection, HttpProtocol) or connection.quiet_since is None:
            continue
        waits = connection.is_begun or connection.cycle is None
        seconds = HEAD_SECONDS if waits else connection.timeout_keep_alive
        if now - connection.quiet_since > seconds and not connection.transport.is_closing():
            connection.transport.close()
            closed += 1
    return closed


def _read(url: bytes) -> tuple[str, bytes, bytes]:
    """The path, as written, and the query of a request's target; raises HttpParserInvalidURLError."""
    parsed = httptools.parse_url(url)
    path = parsed.path.decode("ascii")
    return unquote(path) if "%" in path else path, parsed.path, parsed.query or b""


_read_again = lru_cache(_read)
"""Clients ask the same targets over and over; long ones are not kept."""
