"""A client that asks one thing after the other over one kept connection, with next to no cost of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson

from bench.load import answer_in, post


def body(document: str, **variables: Any) -> str:
    return orjson.dumps({"query": document, "variables": variables}).decode()


class Client:
    """Not to be kept without use: the server closes a connection that was silent for five seconds."""

    def __init__(
        self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str | None
    ) -> None:
        self.port = port
        self.token = token
        self._reader = reader
        self._writer = writer

    @classmethod
    @asynccontextmanager
    async def open(cls, port: int, token: str | None = None) -> AsyncIterator["Client"]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield cls(port, reader, writer, token)
        finally:
            writer.close()

    async def ask(self, document: str, **variables: Any) -> Any:
        """The data; raises `LoadFailed` where the answer has errors."""
        answer = await self.post("/graphql", body(document, **variables))
        return orjson.loads(answer)["data"]

    async def post(self, path: str, content: str) -> bytes:
        self._writer.write(post(self.port, path, content.encode(), self.token))
        received = bytearray()
        while (found := answer_in(received)) is None:
            data = await self._reader.read(1 << 16)
            if not data:
                raise ConnectionError("the server closed the connection")
            received += data
        return found[0]
