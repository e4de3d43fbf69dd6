"""A real server around a toy graph, for tests of the doors."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette

from domain.platform.errors import Unauthenticated
from gateway.engine.admission import CostPolicy
from gateway.engine.errors import ErrorFormatter, Fault
from gateway.engine.execution import Engine, MayIntrospect
from gateway.engine.intake import Intake
from gateway.engine.limits import Limits
from gateway.engine.persisted import QueryStore
from gateway.engine.trusted import DocumentsMode, TrustedDocument, TrustedDocuments
from gateway.routes.connection import Connection, DoorOptions
from gateway.routes.graphql import Doors
from tests.gateway.toy import Toys, toy_schema


@dataclass
class Shop:
    """A running server and what it has seen."""

    doors: Doors
    port: int
    context: Toys
    faults: list[Fault]
    connections: list[Connection] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/graphql"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/graphql"


@asynccontextmanager
async def serving(
    limits: Limits | None = None,
    options: DoorOptions | None = None,
    *,
    introspection: bool | MayIntrospect = True,
    suggestions: bool = True,
    mode: DocumentsMode = DocumentsMode.OFF,
    documents: Iterable[TrustedDocument] = (),
    queries: QueryStore | None = None,
    costs: CostPolicy | None = None,
) -> AsyncIterator[Shop]:
    """All operations share one context, so that a test can see what they did."""
    faults: list[Fault] = []
    connections: list[Connection] = []
    context = Toys()

    async def context_of(connection: Connection) -> Toys:
        connections.append(connection)
        said = {**connection.headers, **connection.parameters}
        token = said.get("Authorization", said.get("token") or said.get("authorization"))
        token = token.removeprefix("Bearer ") if isinstance(token, str) else token
        if token == "bad":
            raise Unauthenticated("This token is not ours.")
        if token == "broken":
            raise RuntimeError("the token store is at /etc/tokens")
        context.caller = str(token or "nobody")
        return context

    errors = ErrorFormatter(on_fault=faults.append, suggestions=suggestions)
    engine = Engine(toy_schema(), limits, errors, introspection=introspection, costs=costs)
    intake = Intake(engine, mode, TrustedDocuments(documents), queries)
    doors = Doors(intake, context_of, options)
    async with listening(Starlette(routes=doors.routes)) as port:
        yield Shop(doors, port, context, faults, connections)


@asynccontextmanager
async def listening(app: Starlette) -> AsyncIterator[int]:
    """The port of a server for the app."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, log_level=logging.CRITICAL, lifespan="off", timeout_graceful_shutdown=1, loop="asyncio"
    )
    server = uvicorn.Server(config)
    # The signals belong to the tests.
    task = asyncio.create_task(server._serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110 - the server has no event to wait for
        await asyncio.sleep(0.01)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task
        listener.close()
