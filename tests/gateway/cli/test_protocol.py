"""Our HTTP/1.1 beside uvicorn's own: the same bytes for the same requests, whatever the application does."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
import uvicorn
from hypothesis import event, given, settings
from hypothesis import strategies as st
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from gateway.cli import protocol
from gateway.cli.protocol import HEAD_SECONDS, JOINED_BYTES, HttpProtocol, close_quiet

DATE = (b"date", b"Sun, 29 Nov 2026 12:00:00 GMT")
KEEP_ALIVE = 5
Step = tuple[Any, ...]
"""What an application does: ("receive",), ("start", status, headers), ("body", bytes, more), ("turn",) for
others, ("watch",) what `receive` tells meanwhile, ("stay",) for ever, ("raise",).
"""


class Transport:
    """Remembers what was written."""

    def __init__(self) -> None:
        self.written = b""
        self.closing = False
        self.reading = True
        self.late = False
        """Whether somebody wrote after the end."""

    def get_extra_info(self, name: str) -> Any:
        return {"peername": ("127.0.0.1", 5000), "sockname": ("127.0.0.1", 80)}.get(name)

    def write(self, data: bytes) -> None:
        self.late = self.late or self.closing
        self.written += data

    def close(self) -> None:
        self.closing = True

    def is_closing(self) -> bool:
        return self.closing

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


@dataclass
class Seen:
    """What came of a conversation."""

    written: bytes
    closed: bool
    reads: bool
    late: bool
    failures: list[str]
    received: list[Any]
    scopes: list[Any]
    requests: int


@dataclass
class Application:
    """Does what its script says, one list of steps for each request."""

    scripts: Sequence[Sequence[Step]]
    received: list[Any] = field(default_factory=list)
    scopes: list[Any] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    watching: list[asyncio.Task[None]] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await self._answer(scope, receive, send)
        except Exception as error:
            self.failures.append(type(error).__name__)
            raise

    async def _watch(self, receive: Any) -> None:
        self.received.append(await receive())

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        script = self.scripts[len(self.scopes) % len(self.scripts)]
        self.scopes.append({name: value for name, value in scope.items() if name != "state"})
        for what, *arguments in script:
            match what:
                case "receive":
                    self.received.append(await receive())
                case "start":
                    await send(
                        {"type": "http.response.start", "status": arguments[0], "headers": arguments[1]}
                    )
                case "body":
                    await send(
                        {"type": "http.response.body", "body": arguments[0], "more_body": arguments[1]}
                    )
                case "watch":
                    self.watching.append(asyncio.create_task(self._watch(receive)))
                case "stay":
                    await asyncio.Event().wait()
                case "turn":
                    await asyncio.sleep(0)
                case "raise":
                    raise RuntimeError("as the script has it")


class Connection:
    """A protocol between a transport and an application."""

    def __init__(self, kind: type[HttpToolsProtocol], scripts: Sequence[Sequence[Step]]) -> None:
        self.app = Application(scripts)
        config = uvicorn.Config(
            self.app, http=kind, lifespan="off", log_config=None, timeout_keep_alive=KEEP_ALIVE
        )
        config.load()
        state = ServerState()
        state.default_headers = [DATE]
        self.transport = Transport()
        self.protocol = kind(config, state, {}, asyncio.get_running_loop())
        self.protocol.access_log = False
        self.protocol.connection_made(self.transport)  # type: ignore[arg-type]

    async def take(self, *pieces: bytes) -> None:
        for piece in pieces:
            if self.transport.closing:
                return
            self.protocol.data_received(piece)
            await settled()

    def seen(self) -> Seen:
        state = self.protocol.server_state
        return Seen(
            self.transport.written,
            self.transport.closing,
            self.transport.reading,
            self.transport.late,
            self.app.failures,
            self.app.received,
            self.app.scopes,
            state.total_requests,
        )

    async def end(self) -> None:
        self.protocol.connection_lost(None)
        await settled()
        for task in (*self.protocol.tasks, *self.app.watching):
            task.cancel()
        await settled()


async def settled() -> None:
    """Whatever can go on without anything new has."""
    for _ in range(12):
        await asyncio.sleep(0)


async def conversation(
    kind: type[HttpToolsProtocol], scripts: Sequence[Sequence[Step]], pieces: Sequence[bytes]
) -> Seen:
    connection = Connection(kind, scripts)
    await connection.take(*pieces)
    seen = connection.seen()
    await connection.end()
    seen.received = list(connection.app.received)
    return seen


async def both(scripts: Sequence[Sequence[Step]], *pieces: bytes) -> Seen:
    """What ours came to; it is what theirs did."""
    ours = await conversation(HttpProtocol, scripts, pieces)
    theirs = await conversation(HttpToolsProtocol, scripts, pieces)
    if not is_complete(scripts):
        # The head of an answer that never came need not be told before the connection is closed.
        assert theirs.written.startswith(ours.written)
        ours.written = theirs.written
    assert ours == theirs
    return ours


def is_complete(scripts: Sequence[Sequence[Step]]) -> bool:
    return all(any(step[0] == "body" and not step[2] for step in script) for script in scripts)


def answer(body: bytes, *headers: tuple[bytes, bytes], status: int = 200) -> list[Step]:
    given = [(b"content-type", b"application/json"), *headers, (b"content-length", str(len(body)).encode())]
    return [("receive",), ("start", status, given), ("body", body, False)]


def post(body: bytes, *more: bytes, path: bytes = b"/graphql", version: bytes = b"1.1") -> bytes:
    lines = [b"POST " + path + b" HTTP/" + version, b"host: here", b"content-length: %d" % len(body), *more]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


# ── as uvicorn does it ───────────────────────────────────────────────────────────────────────────────────


async def test_an_answer_in_one_piece() -> None:
    seen = await both([answer(b"[1]", (b"x-request-id", b"7"))], post(b"{}"))

    assert seen.written == (
        b"HTTP/1.1 200 OK\r\ndate: " + DATE[1] + b"\r\ncontent-type: application/json\r\n"
        b"x-request-id: 7\r\ncontent-length: 3\r\n\r\n[1]"
    )
    assert seen.received == [{"type": "http.request", "body": b"{}", "more_body": False}]
    assert not seen.closed
    assert seen.scopes[0]["path"] == "/graphql"


async def test_a_target_is_read_anew_for_each_request() -> None:
    targets = (b"/a%20b?q=%20", b"/other", b"/a%20b?q=%20", b"/" + b"long" * 400)

    seen = await both([answer(b"1")], *(post(b"", path=target) for target in targets))

    assert [scope["path"] for scope in seen.scopes[:3]] == ["/a b", "/other", "/a b"]
    assert len(seen.scopes) == len(targets)


@pytest.mark.parametrize("size", [0, 1, JOINED_BYTES, JOINED_BYTES + 1, 1_000_000])
async def test_bodies_of_any_size(size: int) -> None:
    seen = await both([answer(b"x" * size)], post(b"{}"), post(b"y" * size))

    assert seen.requests == 2


@pytest.mark.parametrize(
    "steps",
    [
        [("start", 200, [(b"content-length", b"4")]), ("body", b"ab", True), ("body", b"cd", False)],
        [("start", 200, [(b"content-length", b"4")]), ("turn",), ("body", b"abcd", False)],
        [("start", 200, []), ("body", b"ab", True), ("body", b"", False)],
        [("start", 204, []), ("body", b"", False)],
        [("start", 200, [(b"transfer-encoding", b"chunked")]), ("body", b"ab", False)],
        [("start", 200, [(b"connection", b"close"), (b"content-length", b"2")]), ("body", b"ab", False)],
        [("start", 200, [(b"content-length", b"1")]), ("body", b"too long", False)],
        [("start", 200, [(b"content-length", b"9")]), ("body", b"short", False)],
        [("start", 200, [(b"content-length", b"2")]), ("raise",)],
        [("start", 200, [(b"content-length", b"2")])],
        [("start", 200, [(b"content-length", b"no number")]), ("body", b"ab", False)],
        [("start", 200, [(b"content-length", b"2"), (b"content-length", b"0")]), ("body", b"ab", False)],
        [("start", 200, [(b"x", b"a\r\nset-cookie: b"), (b"content-length", b"0")]), ("body", b"", False)],
        [("start", 200, [(b"x", b"a\nb"), (b"content-length", b"0")]), ("body", b"", False)],
        [("start", 200, [(b"x", b"a\0b"), (b"content-length", b"0")]), ("body", b"", False)],
        [("start", 200, [(b"x", b"a\x7fb"), (b"content-length", b"0")]), ("body", b"", False)],
        [("start", 200, [(b"x", b"a\tb"), (b"content-length", b"0")]), ("body", b"", False)],
        [("body", b"before its start", False)],
        [("start", 200, [(b"content-length", b"0")]), ("start", 200, [])],
        [("raise",)],
        [],
        [*answer(b"1"), ("body", b"after its end", False)],
        [*answer(b"1"), ("receive",)],
        [("receive",), ("watch",), ("turn",), *answer(b"1")[1:], ("turn",)],
        [("start", 200, [(b"content-length", b"2")]), ("receive",), ("body", b"ab", False)],
        [("start", 200, [(b"content-length", b"2")]), ("body", b"ab", True), ("body", b"", False)],
        [("stay",)],
        [("receive",), ("receive",)],
    ],
)
async def test_what_an_application_may_do(steps: list[Step]) -> None:
    once = await both([steps], post(b"{}"))
    in_pieces = await both([steps], post(b"{}")[:-1], b"}", post(b"{}"))
    in_one_go = await both([steps], post(b"{}") + post(b"[]"))

    assert len(once.scopes) == 1
    assert len(in_pieces.scopes) <= 2
    assert len(in_one_go.scopes) <= 2


@pytest.mark.parametrize(
    "pieces",
    [
        [b"HEAD / HTTP/1.1\r\nhost: here\r\n\r\n"],
        [post(b"{}", version=b"1.0")],
        [post(b"{}", b"connection: keep-alive", version=b"1.0")],
        [post(b"{}", b"connection: close")],
        [post(b"{}", b"expect: 100-continue")],
        [post(b"{}", b"expect: 100-continue")[:-2], b"{}"],
        [b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n", b"0\r\n\r\n"],
        [post(b"{}", b"connection: upgrade", b"upgrade: h2c")],
        [b"not HTTP at all\r\n\r\n"],
        [b"GET http://[bad/ HTTP/1.1\r\nhost: here\r\n\r\n"],
        [b"GET /%ff%00 HTTP/1.1\r\nhost: here\r\n\r\n"],
        [post(b"{}") * 3],
        [post(b"x" * 200_000)[:100_000], post(b"x" * 200_000)[100_000:], post(b"{}")],
        [post(b"x" * 200_000)[:100_000], post(b"x" * 200_000)[100_000:]],
    ],
)
async def test_what_a_client_may_send(pieces: list[bytes]) -> None:
    await both([answer(b"[1]")], *pieces)
    await both([[("start", 413, [(b"content-length", b"2")]), ("body", b"no", False)]], *pieces)
    await both([[("receive",), ("turn",), ("receive",), *answer(b"1")[1:]]], *pieces)
    await both([[*answer(b"1")[1:2], ("receive",), *answer(b"1")[2:]]], *pieces)
    await both([[("stay",)]], *pieces)


HEADERS = st.lists(
    st.sampled_from(
        [
            (b"content-length", b"3"),
            (b"content-length", b"0"),
            (b"connection", b"close"),
            (b"connection", b"keep-alive"),
            (b"transfer-encoding", b"chunked"),
            (b"x-request-id", b"abc"),
            (b"x-odd", b"a\r\nb: c"),
        ]
    ),
    max_size=3,
)
STEPS = st.lists(
    st.one_of(
        st.just(("receive",)),
        st.just(("turn",)),
        st.just(("watch",)),
        st.just(("raise",)),
        st.tuples(st.just("start"), st.sampled_from([200, 204, 304, 500]), HEADERS),
        st.tuples(st.just("body"), st.sampled_from([b"", b"abc", b"abcdef"]), st.booleans()),
    ),
    max_size=5,
)
SCRIPTS = st.lists(
    st.one_of(
        STEPS, st.sampled_from([answer(b"abc"), answer(b"")]), st.builds(answer, st.binary(max_size=9))
    ),
    min_size=1,
    max_size=3,
)
REQUESTS = st.lists(
    st.sampled_from(
        [
            post(b"{}"),
            post(b""),
            post(b"{}", b"connection: close"),
            post(b"{}", version=b"1.0"),
            post(b"{}", b"expect: 100-continue"),
            b"GET / HTTP/1.1\r\nhost: here\r\n\r\n",
            b"HEAD / HTTP/1.1\r\nhost: here\r\n\r\n",
            b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\n[1]\r\n0\r\n\r\n",
        ]
    ),
    min_size=1,
    max_size=4,
)


@given(scripts=SCRIPTS, requests=REQUESTS, cuts=st.lists(st.integers(0, 300), max_size=4))
@settings(max_examples=400, deadline=None)
def test_any_conversation(scripts: list[list[Step]], requests: list[bytes], cuts: list[int]) -> None:
    text = b"".join(requests)
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces = [text[start:stop] for start, stop in pairwise(places)]
    logging.getLogger("uvicorn.error").disabled = True

    seen = asyncio.run(both(scripts, *pieces))

    assert seen.requests <= len(seen.scopes) <= len(requests)
    event(f"{seen.requests} answered, {'closed' if seen.closed else 'open'}")


@pytest.mark.parametrize("turns", [0, 1])
async def test_nothing_is_written_and_nothing_lost_while_the_client_does_not_read(turns: int) -> None:
    seen = []
    for kind in (HttpProtocol, HttpToolsProtocol):
        connection = Connection(kind, [[*answer(b"abc")[:2], ("turn",), ("body", b"abc", False)]])
        connection.protocol.data_received(post(b"{}"))
        for _ in range(turns):
            await asyncio.sleep(0)
        connection.protocol.pause_writing()
        await settled()
        assert not connection.transport.written.endswith(b"abc")
        assert turns or not connection.transport.written
        connection.protocol.resume_writing()
        await settled()
        seen.append(connection.transport.written)
        await connection.end()

    assert seen[0] == seen[1]
    assert seen[0].endswith(b"content-length: 3\r\n\r\nabc")


async def test_nothing_is_written_to_a_client_that_left() -> None:
    connection = Connection(HttpProtocol, [[*answer(b"abc")[:2], ("turn",), ("turn",), *answer(b"abc")[2:]]])
    connection.protocol.data_received(post(b"{}"))
    await asyncio.sleep(0)
    await connection.end()

    assert connection.app.scopes
    assert not connection.transport.written
    assert not connection.app.failures


async def test_long_targets_are_not_kept() -> None:
    kept = protocol._read_again.cache_info().currsize

    await both([answer(b"1")], post(b"", path=b"/" + b"long" * 400))

    assert protocol._read_again.cache_info().currsize == kept


@pytest.mark.parametrize("steps", [[("receive",), ("receive",)], [("receive",), *answer(b"1")]])
@pytest.mark.parametrize("pieces", [(post(b"{}"),), (post(b"{}")[:-1],)])
async def test_a_client_that_left_is_told_of(steps: list[Step], pieces: tuple[bytes, ...]) -> None:
    seen = await both([steps], *pieces)

    assert seen.received[-1] == {"type": "http.disconnect"}


# ── who is silent ────────────────────────────────────────────────────────────────────────────────────────


class Quiet:
    """A connection some time after something happened."""

    def __init__(self, *steps: Step) -> None:
        self.connection = Connection(HttpProtocol, [[*steps, *answer(b"1")]])
        self.now = asyncio.get_running_loop().time()

    def looked_at_after(self, seconds: float) -> bool:
        """Whether it is closed by a look so many seconds later."""
        close_quiet([self.connection.protocol, object()], self.now + seconds)
        return self.connection.transport.closing


async def test_who_asked_and_is_silent_then_is_let_go() -> None:
    quiet = Quiet()
    await quiet.connection.take(post(b"{}"))

    assert not quiet.looked_at_after(KEEP_ALIVE - 1)
    assert quiet.looked_at_after(KEEP_ALIVE + 1)


@pytest.mark.parametrize(
    "before", [b"", b"POST / HTTP/1.1\r\nx-slow: ", post(b"{}") + b"POST / HTTP/1.1\r\n"]
)
async def test_a_head_that_does_not_come_is_not_waited_for(before: bytes) -> None:
    quiet = Quiet()
    if before:
        await quiet.connection.take(before)

    assert not quiet.looked_at_after(HEAD_SECONDS - 1)
    assert quiet.looked_at_after(HEAD_SECONDS + 1)


async def test_a_head_has_its_time_from_its_beginning_however_long_nobody_asked() -> None:
    quiet = Quiet()
    await quiet.connection.take(post(b"{}"))
    assert isinstance(quiet.connection.protocol, HttpProtocol)
    quiet.connection.protocol.quiet_since = quiet.now - HEAD_SECONDS - 1

    await quiet.connection.take(b"POST / HTTP/1.1\r\nx-half: ")

    assert not quiet.looked_at_after(HEAD_SECONDS - 1)
    assert quiet.looked_at_after(HEAD_SECONDS + 1)


async def test_who_waits_for_an_answer_or_sends_a_body_stays() -> None:
    quiet = Quiet(("receive",), ("receive",))
    await quiet.connection.take(post(b"{}")[:-1])
    assert not quiet.looked_at_after(1_000)

    await quiet.connection.take(b"}")
    assert not quiet.looked_at_after(1_000)


async def test_a_connection_is_closed_once() -> None:
    quiet = Quiet()
    protocols = [quiet.connection.protocol]

    assert close_quiet(protocols, quiet.now + HEAD_SECONDS + 1) == 1
    assert close_quiet(protocols, quiet.now + HEAD_SECONDS + 2) == 0
