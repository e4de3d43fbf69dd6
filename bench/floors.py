"""What the same answers cost without GraphQL: routes with our SQL and orjson, and routes that only answer.

`python -m bench.floors CONFIG PORT` serves them under the gateway's own uvicorn settings. The answers are
those of the gateway; `bench/requests.py` compares them before it compares their speed.
"""

import asyncio
import base64
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
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

from bench.config import Config
from gateway.collector import spare_what_stays

BARE = b'{"data":{"__typename":"Query"}}'
PAGE = 20
KINDS = ("free", "subscription", "rental", "purchase")
Rows = Sequence[asyncpg.Record]


class Routes:
    """The answers to the operations that `bench/operations.py` names, put together by hand."""

    def __init__(self, pool: asyncpg.Pool, config: Config) -> None:
        self._pool = pool
        self._config = config

    async def typename(self, request: Request) -> Response:
        orjson.loads(await request.body())
        return Response(BARE, media_type="application/json")

    async def title(self, request: Request) -> Response:
        variables = orjson.loads(await request.body())["variables"]
        found = await self._rows("by_slug", [variables["slug"]])
        rows = await self._rows("contents", [row["id"] for row in found])
        shown = await self._shown(rows)
        return _answer({"content": shown[0] if shown else None})

    async def titles(self, request: Request) -> Response:
        size = orjson.loads(await request.body())["variables"]["first"]
        rows = await self._rows("browse")
        return _answer({"contents": {"nodes": await self._shown(rows[:size])}})

    async def viewer(self, request: Request) -> Response:
        """Who asks is taken from the token as verified, as the gateway remembers those it has verified."""
        orjson.loads(await request.body())
        account = self._config.accounts[request.headers["authorization"].removeprefix("Bearer ")]
        begun, listed = await asyncio.gather(
            self._rows("continue_watching", account, datetime.now(UTC)),
            self._rows("watchlist", account),
        )
        begun, listed = begun[:PAGE], listed[:PAGE]
        works = await self._works([*{row["content_id"]: None for row in (*begun, *listed)}])
        return _answer(
            {
                "viewer": {
                    "continueWatching": {
                        "nodes": [
                            {
                                "positionSeconds": row["position_seconds"],
                                "content": works.get(row["content_id"]),
                            }
                            for row in begun
                        ]
                    },
                    "watchlist": {
                        "nodes": [
                            {
                                "addedAt": row["added_at"].isoformat(),
                                "content": works.get(row["content_id"]),
                            }
                            for row in listed
                        ]
                    },
                }
            }
        )

    async def _works(self, ids: list[int]) -> dict[int, dict[str, Any]]:
        """With their artwork, by id."""
        rows, images = await asyncio.gather(self._rows("contents", ids), self._rows("artwork", ids))
        images_of = _grouped(images, "content_id")
        return {
            row["id"]: {
                "id": _id(row["kind"].capitalize(), row["id"]),
                "title": row["title"],
                "artwork": [{"url": image["url"]} for image in images_of[row["id"]]],
            }
            for row in rows
        }

    async def _shown(self, rows: Rows) -> list[dict[str, Any]]:
        ids = [row["id"] for row in rows]
        credited, offers = await asyncio.gather(
            self._rows("credits", ids),
            self._rows("offers", ids, [self._config.region] * len(ids)),
        )
        credits_of, offers_of = _grouped(credited, "content_id"), _grouped(offers, "part_id")
        return [self._title(row, credits_of[row["id"]], offers_of[row["id"]]) for row in rows]

    def _title(self, row: asyncpg.Record, credited: Rows, offers: Rows) -> dict[str, Any]:
        genres = self._config.genres
        return {
            "id": _id(row["kind"].capitalize(), row["id"]),
            "title": row["title"],
            "year": row["year"],
            "genres": [{"id": genre, "name": genres[genre]} for genre in row["genres"]],
            "credits": {"nodes": [_credit(credit) for credit in credited[:8]]},
            "availability": [self._offer(offer) for offer in _standing(offers)],
        }

    def _offer(self, row: asyncpg.Record) -> dict[str, Any]:
        price = None if row["price"] is None else {"amount": str(row["price"]), "currency": row["currency"]}
        return {
            "kind": row["kind"].upper(),
            "quality": row["quality"] or None,
            "price": price,
            "platform": {"id": row["platform"], "name": self._config.platforms[row["platform"]]},
        }

    async def _rows(self, name: str, *arguments: Any) -> Rows:
        rows: Rows = await self._pool.fetch(self._config.statements[name], *arguments)
        return rows


def application(config: Config) -> ASGIApp:
    """Every floor in one application; `/bare` passes by the framework too."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with asyncpg.create_pool(
            config.database,
            min_size=config.pool_size,
            max_size=config.pool_size,
            server_settings=config.settings,
            reset=_nothing,
        ) as pool:
            routes = Routes(pool, config)
            app.router.routes += [
                Route("/typename", routes.typename, methods=["POST"]),
                Route("/title", routes.title, methods=["POST"]),
                Route("/titles", routes.titles, methods=["POST"]),
                Route("/viewer", routes.viewer, methods=["POST"]),
            ]
            spare_what_stays()
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


def _id(kind: str, key: int) -> str:
    return base64.urlsafe_b64encode(f"{kind}:{key}".encode()).decode().rstrip("=")


def _grouped(rows: Rows, key: str) -> defaultdict[int, list[asyncpg.Record]]:
    groups: defaultdict[int, list[asyncpg.Record]] = defaultdict(list)
    for row in rows:
        groups[row[key]].append(row)
    return groups


def _answer(data: dict[str, Any]) -> Response:
    return Response(orjson.dumps({"data": data}), media_type="application/json")


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
