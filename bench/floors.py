"""What the same answers cost without GraphQL: bare ASGI, and a route with our SQL and orjson.

`python -m bench.floors URL PORT` serves them under the gateway's own uvicorn settings. The answers are byte
for byte those of the gateway; `bench/requests.py` compares them before it compares their speed.
"""

import asyncio
import base64
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bench.catalogue import REGION
from domain.catalog.filters import Filter
from domain.catalog.model import Place
from domain.catalog.postgres import PostgresCatalog
from domain.catalog.service import ContentOrder
from domain.catalog.taxonomy import GENRES, PLATFORMS
from domain.platform.paging import Cut
from domain.platform.postgres import SERVER_SETTINGS, Database

BARE = b'{"data":{"__typename":"Query"}}'
KINDS = ("free", "subscription", "rental", "purchase")
Rows = Sequence[asyncpg.Record]


@dataclass(frozen=True, slots=True)
class Statements:
    """The catalogue's own SQL, as it was seen on its way to the database."""

    by_slug: str
    contents: str
    credits: str
    offers: str
    browse: str

    @classmethod
    async def overheard(cls, url: str, size: int) -> "Statements":
        last: list[str] = []
        found: list[str] = []
        async with Database.open(url, observe=lambda logged: last.append(logged.query)) as database:
            catalog = PostgresCatalog(database)
            questions: tuple[Awaitable[object], ...] = (
                catalog.by_slug(["bench-1"]),
                catalog.contents([1]),
                catalog.credits([1]),
                catalog.offers([Place(1, REGION)]),
                catalog.browse(Filter(region=REGION), ContentOrder.POPULARITY, Cut(size)),
            )
            for question in questions:
                await question
                # The driver may have asked about types first.
                found.append(last[-1])
        return cls(*found)


class Routes:
    """The answers to `operations.TITLE` and `operations.TITLES`, put together by hand."""

    def __init__(self, pool: asyncpg.Pool, statements: Statements) -> None:
        self._pool = pool
        self._statements = statements

    async def title(self, request: Request) -> Response:
        variables = orjson.loads(await request.body())["variables"]
        found = await self._pool.fetch(self._statements.by_slug, [variables["slug"]])
        rows = await self._pool.fetch(self._statements.contents, [row["id"] for row in found])
        shown = await self._shown(rows)
        return _answer({"content": shown[0] if shown else None})

    async def titles(self, request: Request) -> Response:
        size = orjson.loads(await request.body())["variables"]["first"]
        rows = await self._pool.fetch(self._statements.browse)
        return _answer({"contents": {"nodes": await self._shown(rows[:size])}})

    async def _shown(self, rows: Rows) -> list[dict[str, Any]]:
        ids = [row["id"] for row in rows]
        credited, offers = await asyncio.gather(
            self._pool.fetch(self._statements.credits, ids),
            self._pool.fetch(self._statements.offers, ids, [REGION] * len(ids)),
        )
        credits_of, offers_of = _grouped(credited, "content_id"), _grouped(offers, "part_id")
        return [_title(row, credits_of[row["id"]], offers_of[row["id"]]) for row in rows]


def application(url: str, size: int) -> ASGIApp:
    """Every floor in one application; `/bare` passes by the framework too."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        statements = await Statements.overheard(url, size)
        async with asyncpg.create_pool(
            url, min_size=2, max_size=20, server_settings=SERVER_SETTINGS, reset=_nothing
        ) as pool:
            routes = Routes(pool, statements)
            app.router.routes += [
                Route("/title", routes.title, methods=["POST"]),
                Route("/titles", routes.titles, methods=["POST"]),
            ]
            yield

    framework = Starlette(lifespan=lifespan)

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/bare":
            await _bare(send)
        else:
            await framework(scope, receive, send)

    return serve


async def _bare(send: Send) -> None:
    """What is left is the server's own work."""
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(BARE)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BARE})


async def _nothing(_connection: Any) -> None:
    """Connections need no reset, as in the gateway."""


def _title(row: asyncpg.Record, credited: Rows, offers: Rows) -> dict[str, Any]:
    return {
        "id": _id(row["kind"].capitalize(), row["id"]),
        "title": row["title"],
        "year": row["year"],
        "genres": [{"id": genre, "name": GENRES[genre].name} for genre in row["genres"]],
        "credits": {"nodes": [_credit(credit) for credit in credited[:8]]},
        "availability": [_offer(offer) for offer in _standing(offers)],
    }


def _credit(row: asyncpg.Record) -> dict[str, Any]:
    return {
        "role": row["role"].upper(),
        "character": row["character"],
        "person": {"id": _id("Person", row["person_id"]), "name": row["name"]},
    }


def _standing(offers: Rows) -> list[asyncpg.Record]:
    now = datetime.now(UTC)
    return sorted(
        (
            offer
            for offer in offers
            if (offer["available_from"] is None or offer["available_from"] <= now)
            and (offer["expires_at"] is None or now < offer["expires_at"])
        ),
        key=lambda offer: (KINDS.index(offer["kind"]), offer["price"] or 0, offer["platform"]),
    )


def _offer(row: asyncpg.Record) -> dict[str, Any]:
    price = None if row["price"] is None else {"amount": str(row["price"]), "currency": row["currency"]}
    return {
        "kind": row["kind"].upper(),
        "quality": row["quality"] or None,
        "price": price,
        "platform": {"id": row["platform"], "name": PLATFORMS[row["platform"]].name},
    }


def _id(kind: str, key: int) -> str:
    return base64.urlsafe_b64encode(f"{kind}:{key}".encode()).decode().rstrip("=")


def _grouped(rows: Rows, key: str) -> defaultdict[int, list[asyncpg.Record]]:
    groups: defaultdict[int, list[asyncpg.Record]] = defaultdict(list)
    for row in rows:
        groups[row[key]].append(row)
    return groups


def _answer(data: dict[str, Any]) -> Response:
    return Response(orjson.dumps({"data": data}), media_type="application/json")


def main(url: str, port: str, size: str) -> None:
    uvicorn.run(
        application(url, int(size)),
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
