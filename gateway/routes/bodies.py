"""Reading request bodies and packing response bodies, never holding more than was allowed."""

import asyncio
import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

import brotli  # type: ignore[import-untyped]
import zstandard
from starlette.types import Receive

from gateway.engine.limits import Excess, Guard, Limit, Limits
from gateway.routes.begun import Begun
from gateway.routes.heads import IDENTITY, Head
from gateway.routes.replies import ClientLeft, HttpRefused

_STEP_BYTES: Final = 64 << 10
_DISCARDED_BODIES: Final = 4
_DISCARD_SECONDS: Final = 1.0
# Levels at which a response of 60 kB takes well under a millisecond.
_GZIP_LEVEL: Final = 5
_BROTLI_QUALITY: Final = 4
_ZSTD_LEVEL: Final = 3


async def read_body(head: Head, receive: Receive, guard: Guard) -> bytes:
    """The body, decoded. HttpRefused: 408 too slow, 413 too large, 415 unknown coding, 400 broken coding."""
    limits = guard.limits
    try:
        body = await _read(head, receive, limits)
    except _TooLarge as large:
        excess = Excess(Limit.BODY_BYTES, limits.max_body_bytes, large.actual, at_least=True)
        guard.note(excess, True)  # noqa: FBT003 - by position, as the guard calls it
        raise _too_large(excess) from None
    if len(body) > limits.max_body_bytes:  # they come here only where this limit warns
        guard.check(Limit.BODY_BYTES, len(body))
    return body


class _TooLarge(Exception):
    """There is more than is read at all."""

    def __init__(self, actual: int) -> None:
        super().__init__(actual)
        self.actual = actual


async def _read(head: Head, receive: Receive, limits: Limits) -> bytes:
    maximum = limits.most_body_bytes
    if head.body_bytes > maximum:
        raise _TooLarge(maximum + 1)
    decode = None if head.body_coding == IDENTITY else _decoder(head.body_coding)
    try:
        arriving = Begun(_receive_all(receive, maximum))
        if arriving.done:
            raw = arriving.result
        else:
            async with asyncio.timeout(limits.body_seconds):
                raw = await arriving
    except TimeoutError:
        # The rest of the body may still be on its way: this connection is of no more use.
        raise HttpRefused(408, "The request body took too long to arrive.", close=True) from None
    if decode is None:
        return raw
    return _inflate(decode, raw, maximum)


async def discard_body(receive: Receive, limits: Limits) -> None:
    """Take some more of a refused body: to close over unread bytes resets the connection, answer and all."""
    left = _DISCARDED_BODIES * limits.max_body_bytes
    with suppress(TimeoutError):
        async with asyncio.timeout(_DISCARD_SECONDS):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if not message.get("more_body", False):
                    return


def compress(body: bytes, encoding: str) -> bytes:
    if encoding == "zstd":
        return zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(body)
    if encoding == "br":
        packed: bytes = brotli.compress(body, quality=_BROTLI_QUALITY)
        return packed
    return gzip.compress(body, compresslevel=_GZIP_LEVEL, mtime=0)


async def _receive_all(receive: Receive, maximum: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > maximum:
            raise _TooLarge(size)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


Inflate = Callable[[bytes, int], Iterator[bytes]]


def _decoder(coding: str) -> Inflate:
    decoder = {"gzip": _gunzip, "br": _unbrotli, "zstd": _unzstd}.get(coding)
    if decoder is None:
        accepted = [(b"accept-encoding", b"gzip, br, zstd")]
        raise HttpRefused(415, "The content coding of the body is unknown.", accepted, close=True)
    return decoder


def _inflate(decode: Inflate, raw: bytes, maximum: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    try:
        for chunk in decode(raw, _STEP_BYTES):
            size += len(chunk)
            if size > maximum:
                raise _TooLarge(size)
            chunks.append(chunk)
    except (zlib.error, brotli.error, zstandard.ZstdError, EOFError):
        raise HttpRefused(400, "The body is not in the content coding that its header states.") from None
    return b"".join(chunks)


def _gunzip(raw: bytes, step: int) -> Iterator[bytes]:
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    rest = raw
    while not inflater.eof:
        chunk = inflater.decompress(rest, step)
        rest = inflater.unconsumed_tail
        if not chunk and not rest and not inflater.eof:
            raise EOFError
        yield chunk
    if inflater.unused_data:
        raise EOFError


def _unbrotli(raw: bytes, step: int) -> Iterator[bytes]:
    inflater = brotli.Decompressor()
    chunk = inflater.process(raw, output_buffer_limit=step)
    while chunk or not inflater.is_finished():
        if not chunk and inflater.can_accept_more_data():
            raise EOFError
        yield chunk
        chunk = inflater.process(b"", output_buffer_limit=step)


def _unzstd(raw: bytes, step: int) -> Iterator[bytes]:
    # A frame's header may ask for gigabytes of window; ours need no more than a body.
    inflater = zstandard.ZstdDecompressor(max_window_size=8 << 20)
    with inflater.stream_reader(raw) as reader:
        while chunk := reader.read(step):
            yield chunk


def _too_large(excess: Excess) -> HttpRefused:
    message = f"The body is too large; {excess.maximum:,} bytes are allowed."
    return HttpRefused(413, message, close=True, **excess.extensions)
