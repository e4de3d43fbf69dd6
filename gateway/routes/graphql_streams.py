"""Results over one long HTTP answer.

Server-sent events follow https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md, in the mode of
distinct connections; multipart follows Apollo's subscription protocol over multipart/mixed. Where one answer
comes in parts, it follows https://github.com/graphql/graphql-over-http/blob/main/rfcs/IncrementalDelivery.md.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from typing import Final

from starlette.types import Receive, Send

from domain.platform.errors import Unavailable
from gateway.engine.execution import Engine
from gateway.engine.incremental.delivery import Part
from gateway.engine.results import OperationResult
from gateway.routes.begun import sent_within
from gateway.routes.cursors import Reached
from gateway.routes.interrupts import Interruptible
from gateway.routes.negotiation import StreamKind
from gateway.routes.origins import Headers

FIRST_SIGN_SECONDS: Final = 1.0
FAREWELL_SECONDS: Final = 1.0
"""For a client to make room for what is said last."""
RESTARTING: Final = "The server is restarting: subscribe again."
_ID: Final = re.compile(r"[\w.~+/=:-]{1,200}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Framing:
    """How results become bytes. Lines end in LF alone: some readers of events trip over CR."""

    content_type: bytes
    before: bytes
    after: bytes
    """Around the JSON of each result."""
    error_before: bytes
    """Before the JSON of a result that was not executed."""
    end: bytes
    """After the last result, if the stream ends by itself."""
    keep_alive: bytes
    """Nothing where readers would take it for a result."""
    has_ids: bool = False
    """Whether readers remember where they are, and say so when they come again."""
    start: bytes = b""
    after_last: bytes = b""
    """Instead of `after` where the last result says that it is the last."""


_PARTS: Final = Framing(
    content_type=b'multipart/mixed; boundary="-"; incrementalSpec=v0.2',
    start=b"\r\n---\r\n",
    before=b"Content-Type: application/json; charset=utf-8\r\n\r\n",
    # A reader knows that a part is whole when it sees the boundary, so that goes with it.
    after=b"\r\n---\r\n",
    after_last=b"\r\n-----\r\n",
    error_before=b"Content-Type: application/json; charset=utf-8\r\n\r\n",
    end=b"",
    keep_alive=b"",
)

FRAMINGS: Final = {
    StreamKind.EVENTS: Framing(
        content_type=b"text/event-stream; charset=utf-8",
        before=b"event: next\ndata: ",
        after=b"\n\n",
        error_before=b"event: next\ndata: ",
        end=b"event: complete\ndata:\n\n",
        keep_alive=b":\n\n",
        has_ids=True,
    ),
    StreamKind.MULTIPART: Framing(
        content_type=b'multipart/mixed; boundary="graphql"; subscriptionSpec=1.0',
        before=b'--graphql\r\nContent-Type: application/json\r\n\r\n{"payload":',
        after=b"}\r\n",
        error_before=b'--graphql\r\nContent-Type: application/json\r\n\r\n{"payload":null,"errors":',
        end=b"--graphql--\r\n",
        keep_alive=b"--graphql\r\nContent-Type: application/json\r\n\r\n{}\r\n",
    ),
    StreamKind.PARTS: _PARTS,
    StreamKind.PARTS_OF_2022: replace(
        _PARTS, content_type=b'multipart/mixed; boundary="-"; deferSpec=20220824'
    ),
}


class Streams:
    """The streams of one door that are running now."""

    def __init__(self, engine: Engine, keep_alive_seconds: float, send_seconds: float) -> None:
        self._engine = engine
        self._keep_alive_seconds = keep_alive_seconds
        self._send_seconds = send_seconds
        self._running: set[Interruptible] = set()
        self._draining = False

    async def serve(  # noqa: PLR0913 - an answer, and where it goes
        self,
        results: AsyncGenerator[OperationResult, None],
        kind: StreamKind,
        headers: Headers,
        receive: Receive,
        send: Send,
        *,
        reached: Reached | None = None,
        finite: bool = False,
    ) -> None:
        """Send the answer; returns when the results end, the client leaves, or on drain.

        `reached` tells how far the reader has come. A drain lets `finite` ones end, which are of queries and
        mutations.

        One result is taken at a time and the next only once the client has room for it, so a slow client
        slows its source and holds no memory.
        """
        if self._draining and not finite:
            await results.aclose()
            raise Unavailable(RESTARTING, reason="RESTARTING")
        framing = FRAMINGS[kind]
        block = Interruptible(receive)

        reached = reached or Reached(None)

        def sign() -> bytes:
            return _id(framing, reached.cursor) + framing.keep_alive

        channel = _Channel(
            send,
            sign if framing.keep_alive else None,
            self._keep_alive_seconds,
            self._send_seconds,
            on_stuck=block.interrupt,
        )
        await channel.start([(b"content-type", framing.content_type), *headers], framing.start)
        with block:
            if not finite:
                self._running.add(block)
                if self._draining:  # since it was let in
                    block.interrupt()
            try:
                async with aclosing(results), channel:
                    async for result in results:
                        await channel.send(self._event(framing, result, reached))
                        reached.sent()
                    if framing.end:
                        await channel.send(framing.end)
            except TimeoutError:
                # Nobody has read for a long time. Not ending the body makes the server drop the connection.
                return
            finally:
                self._running.discard(block)
        if not block.interrupted:
            await channel.finish()
        elif self._draining and not finite:
            with suppress(TimeoutError):
                async with asyncio.timeout(FAREWELL_SECONDS):
                    await channel.finish(self._farewell(framing, reached.cursor))

    def refuse(self) -> list[Callable[[], None]]:
        """Refuses each that is asked for from now on; what ends each of those that run."""
        self._draining = True
        return [block.interrupt for block in self._running]

    def _event(self, framing: Framing, result: OperationResult, reached: Reached) -> bytes:
        if result.executed:
            return _id(framing, reached.sending()) + self._frame(framing, result)
        # What ended the stream; of an event that was being read meanwhile nothing was sent.
        end = OperationResult.rejected(reached.marked(result.errors))
        return _id(framing, reached.staying()) + self._frame(framing, end)

    def _farewell(self, framing: Framing, cursor: str | None) -> bytes:
        """Tells a reader where to go on.

        Without the frame that says it is complete, a reader of events takes the stream for a broken one.
        """
        if framing.has_ids:
            mark = _id(framing, cursor)
            return mark and mark + b"\n"
        told = {} if cursor is None else {"cursor": cursor}
        error = self._engine.failed(Unavailable(RESTARTING, reason="RESTARTING", **told))
        return self._frame(framing, error) + framing.end

    def _frame(self, framing: Framing, result: OperationResult) -> bytes:
        body = self._engine.to_bytes(result)
        if framing.after_last:
            return _part(framing, result, body)
        if result.executed or framing.error_before == framing.before:
            return b"".join((framing.before, body, framing.after))
        # The body is {"errors":[…]}: what follows the colon is the list and the closing brace.
        return b"".join((framing.error_before, body.partition(b":")[2][:-1], framing.after))


def _id(framing: Framing, cursor: str | None) -> bytes:
    """The line that tells a reader where it is
    (https://html.spec.whatwg.org/multipage/server-sent-events.html#the-last-event-id-header).
    """
    if not framing.has_ids or cursor is None or not _ID.fullmatch(cursor):
        return b""
    return f"id: {cursor}\n".encode()


def _part(framing: Framing, result: OperationResult, body: bytes) -> bytes:
    if not isinstance(result, Part):
        return b"".join((framing.before, body[:-1], b',"hasNext":false}', framing.after_last))
    return b"".join((framing.before, body, framing.after_last if result.last else framing.after))


class _Channel:
    """One response body: whole frames, one at a time, and a sign of life when there are none."""

    def __init__(
        self,
        send: Send,
        sign: Callable[[], bytes] | None,
        every_seconds: float,
        send_seconds: float,
        *,
        on_stuck: Callable[[], None],
    ) -> None:
        self._send = send
        self._sign = sign
        self._every_seconds = every_seconds
        self._send_seconds = send_seconds
        self._on_stuck = on_stuck
        self._turn = asyncio.Lock()
        self._quiet = True

    async def start(self, headers: Headers, body: bytes) -> None:
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        # So that the client learns at once that it is subscribed.
        await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def send(self, frame: bytes) -> None:
        """TimeoutError if the client takes too long to make room."""
        async with self._turn:
            self._quiet = False
            part = {"type": "http.response.body", "body": frame, "more_body": True}
            await sent_within(self._send_seconds, self._send, part)

    async def finish(self, body: bytes = b"") -> None:
        await self._send({"type": "http.response.body", "body": body})

    async def __aenter__(self) -> None:
        self._beat = asyncio.create_task(self._keep_alive(self._sign)) if self._sign else None

    async def __aexit__(self, *_: object) -> None:
        if self._beat is not None:
            self._beat.cancel()

    async def _keep_alive(self, sign: Callable[[], bytes]) -> None:
        # The first comes soon: with it a reader to whom nothing happens knows where it is.
        pause = min(FIRST_SIGN_SECONDS, self._every_seconds)
        while True:
            self._quiet = True
            await asyncio.sleep(pause)
            pause = self._every_seconds
            if not self._quiet:
                continue
            try:
                await self.send(sign())
            except TimeoutError:
                self._on_stuck()
                return
