"""The application asked in this process, without sockets."""

import asyncio
from collections.abc import Callable
from typing import Any


async def ask(app: Callable[..., Any], content: str, token: str | None = None) -> None:
    """Posts an operation; raises ValueError where the answer has another status than 200."""
    body = content.encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if token is not None:
        headers.append((b"authorization", f"Bearer {token}".encode()))
    scope = {
        "type": "http", "http_version": "1.1", "method": "POST", "scheme": "http", "path": "/graphql",
        "raw_path": b"/graphql", "root_path": "", "query_string": b"", "headers": headers,
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "state": {},
    }  # fmt: skip
    received = iter([{"type": "http.request", "body": body, "more_body": False}])
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        message = next(received, None)
        if message is None:
            await asyncio.Event().wait()  # the client stays
        return message or {}

    async def send(message: dict[str, Any]) -> None:
        statuses.append(message.get("status", 0))

    await app(scope, receive, send)
    if statuses[0] != 200:
        raise ValueError(f"The answer has status {statuses[0]}.")
