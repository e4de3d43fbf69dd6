"""Strawberry as its documentation shows it: its ASGI application, its data loaders, its own execution.

`python -m bench.peers.stock_strawberry CONFIG PORT` serves what a `bench.config.Config` tells.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL

from bench.config import Config
from bench.peers.stock_graph import Context, Sources, schema


class Application(GraphQL[Context, None]):
    """Tokens are taken as verified, as the gateway remembers those that it has verified."""

    sources: Sources

    async def get_context(
        self,
        request: Request | WebSocket,
        response: Response | WebSocket,  # noqa: ARG002 - Strawberry passes both
    ) -> Context:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        return Context(self.sources, self.sources.accounts.get(token))


def application(config: Config) -> ASGIApp:
    graphql = Application(schema(), graphql_ide=None)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with asyncpg.create_pool(
            config.database,
            min_size=config.pool_size,
            max_size=config.pool_size,
            server_settings=config.settings,
        ) as pool:
            graphql.sources = Sources(pool, config)
            yield

    return Starlette(routes=[Route("/graphql", graphql)], lifespan=lifespan)


def main(config: str, port: str) -> None:
    uvicorn.run(
        application(Config.read(config)),
        host="127.0.0.1",
        port=int(port),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
        server_header=False,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
