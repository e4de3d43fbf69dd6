"""The real server as a process of its own, and clients that talk to it."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson
from websockets.asyncio.client import ClientConnection, connect

START_SECONDS = 60.0
ANSWER_SECONDS = 10.0
PASSWORD = "A-good-Passw0rd"


class Failed(AssertionError):
    """The server answered with errors where none were expected."""


@dataclass
class Server:
    """A running `media-gateway serve`."""

    port: int
    process: asyncio.subprocess.Process
    log: Path
    settings: dict[str, str] = field(default_factory=dict)
    """What it was told, for commands that share its data."""

    @property
    def issuer(self) -> str:
        return self.settings["MEDIA_GATEWAY_ISSUER"]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """As a crash would: no time for anything."""
        self.process.send_signal(signal.SIGKILL)

    async def stop(self) -> int:
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.terminate()
        return await asyncio.wait_for(self.process.wait(), 30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.asynccontextmanager
async def running(folder: Path, **settings: str) -> AsyncIterator[Server]:
    """A server with its data in `folder`; stopped, or killed where it does not stop, at the end."""
    server = await start(folder, **settings)
    try:
        yield server
    finally:
        if server.process.returncode is None:
            await server.stop()


def share_key(one: Path, *others: Path) -> None:
    """Servers with their data in these folders take the tokens that the one issues."""
    for folder in others:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "signing-key.json").write_bytes((one / "signing-key.json").read_bytes())
        (folder / "signing-key.json").chmod(0o600)


@contextlib.asynccontextmanager
async def running_pair(folder: Path, **settings: str) -> AsyncIterator[tuple[Server, Server]]:
    """Two servers over the same stores, each of which takes the tokens of the other."""
    one, other = folder / "1", folder / "2"
    async with running(one, **settings) as first:
        share_key(one, other)
        async with running(other, **settings) as second:
            yield first, second


async def start(folder: Path, **settings: str) -> Server:
    """A server that is ready; `{port}` in a setting becomes its port. It is a free one unless it is told."""
    port = int(settings.get("port", free_port()))
    log = folder / f"server-{port}.log"
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - a test may wait for a folder
    told = {
        "MEDIA_GATEWAY_DATA_DIR": str(folder),
        "MEDIA_GATEWAY_PORT": str(port),
        "MEDIA_GATEWAY_RATE_LIMITS": "false",
        # Many servers of a run share one database server, which takes a hundred.
        "MEDIA_GATEWAY_DATABASE_MAX_CONNECTIONS": "8",
        # What one of several issues, all of them take.
        "MEDIA_GATEWAY_ISSUER": "http://localhost:8000",
        **{
            f"MEDIA_GATEWAY_{name.upper()}": value.replace("{port}", str(port))
            for name, value in settings.items()
        },
    }
    others = {name: value for name, value in os.environ.items() if not name.startswith("MEDIA_GATEWAY_")}
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway", "serve", env=others | told, stdout=output, stderr=output
        )
    server = Server(port, process, log, told)
    try:
        await _until_ready(server)
    except BaseException:
        if process.returncode is None:
            server.kill()
        raise
    return server


async def _until_ready(server: Server) -> None:
    async with httpx.AsyncClient() as client, asyncio.timeout(START_SECONDS):
        while True:
            if server.process.returncode is not None:
                raise AssertionError(f"The server did not start:\n{server.log.read_text()}")
            with contextlib.suppress(httpx.TransportError):
                if (await client.get(f"{server.url}/readyz")).status_code == httpx.codes.OK:
                    return
            await asyncio.sleep(0.05)


@dataclass
class Client:
    """One device of one account, or somebody anonymous."""

    server: Server
    token: str | None = None

    async def answer(self, document: str, **variables: Any) -> dict[str, Any]:
        """The whole response."""
        headers = {} if self.token is None else {"authorization": f"Bearer {self.token}"}
        body = {"query": document, "variables": variables}
        async with httpx.AsyncClient(timeout=ANSWER_SECONDS, verify=False) as http:
            response = await http.post(f"{self.server.url}/graphql", json=body, headers=headers)
        result: dict[str, Any] = response.json()
        return result

    async def ask(self, document: str, **variables: Any) -> Any:
        """The data; raises where the answer has errors."""
        result = await self.answer(document, **variables)
        if result.get("errors"):
            raise Failed(result["errors"])
        return result["data"]

    @contextlib.asynccontextmanager
    async def follow(self, document: str, **variables: Any) -> AsyncIterator["Stream"]:
        """A subscription over a WebSocket of its own."""
        url = f"ws://127.0.0.1:{self.server.port}/graphql"
        async with connect(url, subprotocols=["graphql-transport-ws"]) as socket:  # type: ignore[list-item]
            payload = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
            await _send(socket, type="connection_init", payload=payload)
            assert (await _receive(socket))["type"] == "connection_ack"
            await _send(socket, type="subscribe", id="1", payload={"query": document, "variables": variables})
            yield Stream(socket)


@dataclass
class Stream:
    """The events of one subscription."""

    socket: ClientConnection

    async def next(self, seconds: float = ANSWER_SECONDS) -> Any:
        """The data of the next event."""
        async with asyncio.timeout(seconds):
            while True:
                message = await _receive(self.socket)
                if message["type"] == "ping":
                    await _send(self.socket, type="pong")
                    continue
                if message["type"] != "next" or message["payload"].get("errors"):
                    raise Failed(message)
                return message["payload"]["data"]

    async def quiet(self, seconds: float = 0.5) -> bool:
        """Whether nothing more arrives for a while."""
        try:
            async with asyncio.timeout(seconds):
                await self.next()
        except TimeoutError:
            return True
        return False


async def _send(socket: ClientConnection, **message: Any) -> None:
    await socket.send(orjson.dumps(message).decode())


async def _receive(socket: ClientConnection) -> dict[str, Any]:
    message: dict[str, Any] = orjson.loads(await socket.recv())
    return message


REGISTER = """mutation ($email: String!, $password: String!) {
  registerAccount(input: {email: $email, password: $password, displayName: "Viewer"}) {
    accessToken userErrors { message }
  }
}"""


async def register(server: Server, email: str) -> Client:
    """A signed-in client of a new account."""
    client = Client(server)
    payload = (await client.ask(REGISTER, email=email, password=PASSWORD))["registerAccount"]
    assert payload["userErrors"] == []
    client.token = payload["accessToken"]
    return client
