"""GraphQL over WebSocket, by the protocol graphql-transport-ws.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import ExitStack, aclosing, suppress
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, Final

import orjson
from starlette.types import Message, Receive, Scope, Send

from domain.platform.errors import BadInput, ErrorCode, GatewayError, TooManyRequests
from gateway.engine.documents import Rejected
from gateway.engine.errors import FormattedError
from gateway.engine.execution import Operation
from gateway.engine.incremental.formats import Format
from gateway.engine.limits import Limit
from gateway.engine.places import RETRY_SECONDS
from gateway.engine.requests import OperationRequest, read_json, read_operation
from gateway.engine.results import OperationResult
from gateway.routes.begun import sent_within
from gateway.routes.connection import Connection, DoorOptions, connection_of
from gateway.routes.cursors import Reached
from gateway.routes.interrupts import Interruptible
from gateway.routes.reception import Reception
from gateway.routes.standing import Standing

PROTOCOL: Final = "graphql-transport-ws"
_COME_AGAIN: Final = "The server is restarting: subscribe again"
_MAX_REASON_BYTES: Final = 123


class CloseCode(IntEnum):
    GOING_AWAY = 1012
    """Service restart: come again, at once if you like."""
    INTERNAL = 4500
    BAD_REQUEST = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    BAD_PROTOCOL = 4406
    INIT_TIMEOUT = 4408
    DUPLICATE_ID = 4409
    TOO_MANY = 4429
    """Initialisations of one socket, or sockets of one caller."""


class _Closed(Exception):
    """This socket is to be closed."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class SocketDoor:
    """An ASGI application for the WebSockets of one path."""

    def __init__(self, reception: Reception, options: DoorOptions) -> None:
        self.reception = reception
        self.options = options
        self._open: set[_Socket] = set()
        self._draining = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        if not self.options.origins.allows(connection_of(scope).headers):
            # Before it is accepted, closing answers the handshake with 403.
            await send(
                {"type": "websocket.close", "code": CloseCode.FORBIDDEN, "reason": "Origin not allowed"}
            )
            return
        if PROTOCOL not in scope["subprotocols"]:
            await send({"type": "websocket.accept"})
            await send(_close(CloseCode.BAD_PROTOCOL, f"Speak {PROTOCOL}"))
            return
        await send({"type": "websocket.accept", "subprotocol": PROTOCOL})
        if self._draining:
            await send(_close(CloseCode.GOING_AWAY, _COME_AGAIN))
            return
        socket = _Socket(self, connection_of(scope), receive, send)
        self._open.add(socket)
        try:
            await socket.run()
        finally:
            self._open.discard(socket)

    def refuse(self) -> list[Callable[[], None]]:
        """Closes each that is opened from now on, at once; what closes each of those that are open."""
        self._draining = True
        return [socket.interrupt for socket in self._open]

    async def closed(self) -> None:
        """Waits until none is open."""
        await asyncio.gather(*(socket.ended.wait() for socket in self._open))


@dataclass(frozen=True, slots=True)
class _Subscribe:
    id: str
    request: OperationRequest


class _Socket:
    """One connection. Its operations send in turns, each waiting for the client's room: nothing is queued."""

    def __init__(self, door: SocketDoor, connection: Connection, receive: Receive, send: Send) -> None:
        self.ended = asyncio.Event()
        self._reception = door.reception
        self._engine = door.reception.engine
        self._options = door.options
        self._connection = connection
        self._receive = receive
        self._send = send
        self._turn = asyncio.Lock()
        self._acknowledged = False
        self._initialised = asyncio.Event()
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._block = Interruptible()
        self._place = ExitStack()
        self._standing = Standing(door.reception.context_of, door.options, self._say)
        self._closing = _Closed(CloseCode.GOING_AWAY, _COME_AGAIN)

    def interrupt(self, closing: _Closed | None = None) -> None:
        """End the connection from outside of its reading task."""
        if closing is not None and not self._block.interrupted:
            self._closing = closing
        self._block.interrupt()

    async def run(self) -> None:
        clock = asyncio.create_task(self._keep_time())
        left = False
        try:
            with self._block:
                left = await self._read()
        except _Closed as closing:
            self._closing = closing
        except OSError:
            # It has gone, or has not read for a long time: there is nobody to say goodbye to.
            left = True
        except Exception as error:  # noqa: BLE001 - the last net: masked, like any other fault
            self._closing = _Closed(CloseCode.INTERNAL, self._engine.errors.of_exception(error)["message"])
        finally:
            clock.cancel()
            self._place.close()
            self._standing.close()
            streams = self._standing.reached()
            await self._stop_operations()
            if not left:
                # The client may be gone by now, or not reading: either way it is let go.
                with suppress(Exception):
                    async with asyncio.timeout(1.0):
                        if self._closing.code is CloseCode.GOING_AWAY:
                            await self._tell_cursors(streams)
                        await self._send(_close(self._closing.code, self._closing.reason))
            self.ended.set()

    async def _tell_cursors(self, streams: Mapping[str, Reached]) -> None:
        """The protocol has no word for where to go on, so a ping carries it, by the id of each stream."""
        cursors = {id_: reached.cursor for id_, reached in streams.items() if reached.cursor is not None}
        if cursors:
            await self._say({"type": "ping", "payload": {"reconnect": cursors}})

    async def _read(self) -> bool:
        """Serve messages until the client leaves."""
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                return True
            await self._handle(self._decoded(message))

    async def _keep_time(self) -> None:
        try:
            async with asyncio.timeout(self._options.init_seconds):
                await self._initialised.wait()
        except TimeoutError:
            self.interrupt(_Closed(CloseCode.INIT_TIMEOUT, "Connection initialisation timeout"))
            return
        while True:
            await asyncio.sleep(self._options.keep_alive_seconds)
            try:
                await self._say({"type": "ping"})
            except Exception:  # noqa: BLE001 - a socket that cannot be written to has ended, whatever the reason
                self.interrupt()
                return

    def _decoded(self, message: Message) -> dict[str, Any]:
        text = message.get("text")
        if text is None:
            raise _Closed(CloseCode.BAD_REQUEST, "Messages are text, not binary")
        guard = self._engine.guard
        raw = text.encode(errors="surrogatepass")
        if guard.refuses(Limit.BODY_BYTES, len(raw)) is not None:
            maximum = guard.limits.max_body_bytes
            raise _Closed(
                CloseCode.BAD_REQUEST, f"The message exceeds the limit of {maximum:,} for body bytes"
            )
        try:
            value = read_json(raw, guard.limits)
        except BadInput as error:
            raise _Closed(CloseCode.BAD_REQUEST, error.message) from None
        if not isinstance(value, dict):
            raise _Closed(CloseCode.BAD_REQUEST, "A message is a JSON object")
        return value

    async def _handle(self, message: dict[str, Any]) -> None:
        match message:
            case {"type": "connection_init"}:
                await self._initialise(_optional_object(message, "payload"))
            case {"type": "ping"}:
                payload = _optional_object(message, "payload")
                if await self._renewed(payload):
                    payload = None  # a token is not sent back
                await self._say({"type": "pong"} if payload is None else {"type": "pong", "payload": payload})
            case {"type": "pong"}:
                await self._renewed(_optional_object(message, "payload"))
            case {"type": "subscribe"}:
                await self._subscribe(message)
            case {"type": "complete", "id": str(operation_id)}:
                self._stop(operation_id)
            case _:
                raise _Closed(CloseCode.BAD_REQUEST, "The message has no known type, or lacks its id")

    async def _initialise(self, payload: dict[str, Any] | None) -> None:
        if self._initialised.is_set():
            raise _Closed(CloseCode.TOO_MANY, "Too many initialisation requests")
        self._initialised.set()
        self._connection = replace(self._connection, parameters=payload or {})
        try:
            # Each operation makes its own; who may not come in learns it before anything is subscribed.
            context = await self._reception.context_of(self._connection)
            self._place.enter_context(self._reception.socket_place(self._connection, context))
        except GatewayError as error:
            raise _closing(error) from None
        except Exception as error:  # noqa: BLE001 - masked, as everywhere
            raise _Closed(CloseCode.INTERNAL, self._engine.errors.of_exception(error)["message"]) from None
        self._standing.begin(context, lambda reason: self.interrupt(_Closed(CloseCode.UNAUTHORIZED, reason)))
        await self._say({"type": "connection_ack"})
        self._acknowledged = True

    async def _renewed(self, payload: dict[str, Any] | None) -> bool:
        """Whether the client brought a fresh access token."""
        if not self._acknowledged:
            return False
        try:
            connection = await self._standing.renewed(self._connection, payload)
        except GatewayError as error:
            raise _closing(error) from None
        self._connection = connection or self._connection
        return connection is not None

    async def _subscribe(self, message: dict[str, Any]) -> None:
        if not self._acknowledged:
            raise _Closed(CloseCode.UNAUTHORIZED, "Unauthorized")
        asked = self._asked(message)
        if asked.id in self._operations:
            raise _Closed(CloseCode.DUPLICATE_ID, f"Subscriber for {asked.id} already exists")
        # Those being stopped count as well, or a client could start any number of slow endings.
        running = len(self._operations) + len(self._ending)
        excess = self._engine.guard.refuses(Limit.SOCKET_OPERATIONS, running + 1)
        if excess is not None:
            error = TooManyRequests(
                f"Only {excess.maximum:,} operations may run on one connection at a time.",
                retryAfter=RETRY_SECONDS,
                **excess.extensions,
            )
            await self._say_errors(asked.id, [self._engine.errors.of_exception(error)])
            return
        self._operations[asked.id] = asyncio.create_task(self._serve(asked))

    def _asked(self, message: dict[str, Any]) -> _Subscribe:
        operation_id = message.get("id")
        if not isinstance(operation_id, str) or not operation_id:
            raise _Closed(CloseCode.BAD_REQUEST, "A subscribe message has an id, a string that is not empty")
        try:
            return _Subscribe(operation_id, read_operation(message.get("payload"), self._engine.guard))
        except BadInput as error:
            raise _Closed(CloseCode.BAD_REQUEST, error.message) from None

    async def _serve(self, asked: _Subscribe) -> None:
        """Run one operation to its end; only a socket that takes nothing more ends with it."""
        task = asyncio.current_task()
        try:
            errors = await self._results(asked)
            # Free before it is said, so that a client may use the id again at once.
            if self._operations.get(asked.id) is task:
                del self._operations[asked.id]
            if errors is None:
                await self._say({"id": asked.id, "type": "complete"})
            else:
                await self._say_errors(asked.id, errors)
        except Exception:  # noqa: BLE001 - results are masked below; what comes here is the socket's end
            self.interrupt()
        finally:
            if self._operations.get(asked.id) is task:
                del self._operations[asked.id]

    async def _results(self, asked: _Subscribe) -> list[FormattedError] | None:
        """Send each result; the errors that ended the operation before its proper end, if any did."""
        try:
            operation = await self._reception.operation(asked.request, self._connection)
            context = await self._reception.context_of(self._connection)
        except Rejected as rejected:
            return rejected.errors
        except Exception as error:  # noqa: BLE001 - masked
            return [self._engine.errors.of_exception(error)]
        try:
            with self._reception.place(self._connection, context, operation):
                return await self._stream(asked.id, operation, context)
        except TooManyRequests as error:
            return [self._engine.errors.of_exception(error)]

    async def _stream(
        self, operation_id: str, operation: Operation, context: Any
    ) -> list[FormattedError] | None:
        format_ = _format(self._connection.parameters)
        with self._standing.stream(operation_id, context) as (lifetime, reached):
            async with aclosing(self._engine.subscribe(operation, context, lifetime, format_)) as results:
                async for result in results:
                    if not result.executed:
                        return reached.marked(result.errors)
                    reached.sending()
                    await self._say_result(operation_id, result)
                    reached.sent()
        return None

    def _stop(self, operation_id: str) -> None:
        """Unknown ids are of operations that have just ended by themselves."""
        task = self._operations.pop(operation_id, None)
        if task is not None:
            task.cancel()
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def _stop_operations(self) -> None:
        for operation_id in list(self._operations):
            self._stop(operation_id)
        if self._ending:
            await asyncio.wait(set(self._ending))

    async def _say_result(self, operation_id: str, result: OperationResult) -> None:
        # The payload is JSON already; only the id needs to be made so.
        payload = self._engine.to_bytes(result).decode()
        await self._say_text(
            f'{{"id":{orjson.dumps(operation_id).decode()},"type":"next","payload":{payload}}}'
        )

    async def _say_errors(self, operation_id: str, errors: list[FormattedError]) -> None:
        await self._say({"id": operation_id, "type": "error", "payload": errors})

    async def _say(self, message: dict[str, Any]) -> None:
        await self._say_text(orjson.dumps(message).decode())

    async def _say_text(self, text: str) -> None:
        """TimeoutError if the client has not made room in time."""
        async with self._turn:
            await sent_within(
                self._options.send_seconds, self._send, {"type": "websocket.send", "text": text}
            )


def _format(parameters: Mapping[str, Any]) -> Format:
    """Of parts: the protocol has no word for it, so `connection_init` may ask for one as HTTP does."""
    asked = {name.lower(): value for name, value in parameters.items()}
    return Format.asked_by(asked, Format.CURRENT) or Format.CURRENT


def _optional_object(message: dict[str, Any], name: str) -> dict[str, Any] | None:
    value = message.get(name)
    if value is None or isinstance(value, dict):
        return value
    raise _Closed(CloseCode.BAD_REQUEST, f"The {name} is an object")


def _closing(error: GatewayError) -> _Closed:
    match error.code:
        case ErrorCode.UNAUTHENTICATED:
            return _Closed(CloseCode.UNAUTHORIZED, error.message)
        case ErrorCode.RATE_LIMITED:
            return _Closed(CloseCode.TOO_MANY, error.message)
        case ErrorCode.INTERNAL | ErrorCode.UNAVAILABLE | ErrorCode.TIMEOUT:
            return _Closed(CloseCode.INTERNAL, error.message)
        case _:
            return _Closed(CloseCode.FORBIDDEN, error.message)


def _close(code: CloseCode, reason: str) -> Message:
    # A close frame holds 123 bytes of reason; a cut must not leave half a character.
    short = reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")
    return {"type": "websocket.close", "code": int(code), "reason": short}
