"""Files of other services sent to the account, and all of it as one archive: what GraphQL is not made for."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from domain.identity.policy import Access, Scope, needs
from domain.interchange.files import MAX_FILE_BYTES
from domain.interchange.formats import Hints, source_of
from domain.interchange.model import Fate
from domain.interchange.service import Report
from domain.platform.errors import BadInput, ErrorCode, Forbidden, GatewayError, Refused, TooManyRequests
from gateway.routes.connection import ContextOf, connection_of
from gateway.routes.replies import STATUSES, HttpRefused
from resolvers.context import Context

READS: Final = needs(Scope.READ_PROGRESS, Scope.READ_WATCHLIST, Scope.READ_RATINGS)
WRITES: Final = needs(Scope.WRITE_PROGRESS, Scope.WRITE_WATCHLIST, Scope.WRITE_RATINGS)
BODY_SECONDS: Final = 120.0
SHOWN: Final = 1_000
"""Changes and problems that an answer lists; it counts all."""
MAX_NAME: Final = 200
PLACES: Final = 2
"""Files that a process reads at once: each takes some hundred megabytes at most."""
NO_STORE: Final = {"cache-control": "no-store"}
_FLAGS: Final[Mapping[str | None, bool | None]] = {None: None, "true": True, "false": False}

Answer = Callable[[Request, Context], Awaitable[Response]]


def interchange_routes(context_of: ContextOf) -> list[BaseRoute]:
    """`POST /account/imports` and `GET /account/archive`, for who sends an access token or an API key."""
    places = Places()

    async def bring(request: Request, context: Context) -> Response:
        query = request.query_params
        source = None if query.get("format") is None else source_of(query["format"])
        hints, dry = Hints(_flag(request, "dayFirst")), _flag(request, "dryRun") or False
        name = (query.get("name") or "file")[:MAX_NAME]
        async with places.taken(context.account_id):
            data = await _body(request)
            report = await context.services.interchange.bring(
                context.account_id, name, data, source=source, hints=hints, dry=dry
            )
        return JSONResponse(told(report), headers=NO_STORE)

    async def export(_request: Request, context: Context) -> Response:
        async with places.taken(context.account_id):
            archive = await context.services.archives.archive(context.account_id)
        disposition = 'attachment; filename="media-gateway.zip"'
        headers = {**NO_STORE, "content-disposition": disposition}
        return Response(archive, media_type="application/zip", headers=headers)

    return [
        Route("/account/imports", _answering(context_of, WRITES, bring), methods=["POST"]),
        Route("/account/archive", _answering(context_of, READS, export), methods=["GET"]),
    ]


class Places:
    """Who is at it: one file of an account at a time, and so many in all."""

    def __init__(self) -> None:
        self._accounts: set[str] = set()

    @asynccontextmanager
    async def taken(self, account_id: str) -> AsyncIterator[None]:
        """Raises `TooManyRequests` where there is no place."""
        if account_id in self._accounts or len(self._accounts) >= PLACES:
            raise TooManyRequests("Another file is being read just now; try again in a moment.", retryAfter=5)
        self._accounts.add(account_id)
        try:
            yield
        finally:
            self._accounts.discard(account_id)


def told(report: Report) -> dict[str, Any]:
    """The report as JSON: counts of all, and the first of what changes and of what did not come along."""
    counts: dict[str, dict[str, int]] = {}
    for (kind, fate), count in report.counts.items():
        counts.setdefault(kind.value, {})[fate.value] = count
    new = [outcome for outcome in report.outcomes if outcome.fate is Fate.NEW]
    return {
        "importId": report.import_id,
        "source": report.file.source.value,
        "dryRun": report.dry,
        "read": report.read,
        "brought": report.brought,
        "counts": counts,
        "changes": [
            {
                "where": outcome.entry.where,
                "kind": outcome.kind.value,
                "title": str(outcome.entry.titles[0]),
                "at": None if outcome.entry.act.at is None else outcome.entry.act.at.isoformat(),
            }
            for outcome in new[:SHOWN]
        ],
        "problemCount": len(report.problems),
        "problems": [
            {"where": problem.where, "trouble": problem.trouble.value, "reason": problem.reason}
            for problem in report.problems[:SHOWN]
        ],
    }


def _answering(
    context_of: ContextOf, access: Access, answer: Answer
) -> Callable[[Request], Awaitable[Response]]:
    """What a route does for who may do it; what is wrong otherwise, as the doors of the graph say it."""

    async def answering(request: Request) -> Response:
        try:
            context = await context_of(connection_of(request.scope))
            context.services.policy.check(context.caller, access)
            if context.restriction is not None:
                raise Forbidden("A viewing profile that hides titles brings and exports no history.")
            return await answer(request, context)
        except ClientDisconnect:
            return Response(status_code=400)
        except Refused as refusal:
            errors = [{"message": error.message, "code": error.code.value} for error in refusal.errors]
            return JSONResponse({"userErrors": errors}, 422, headers=NO_STORE)
        except GatewayError as error:
            return _failed(error)

    return answering


def _failed(error: GatewayError) -> Response:
    status = error.status if isinstance(error, HttpRefused) else STATUSES.get(error.code, 400)
    shown = {"message": error.message, "extensions": {"code": error.code.value, **error.extensions}}
    headers = dict(NO_STORE)
    if "retryAfter" in error.extensions:
        headers["retry-after"] = str(error.extensions["retryAfter"])
    if error.code is ErrorCode.UNAUTHENTICATED:
        headers["www-authenticate"] = "Bearer"
    return JSONResponse({"errors": [shown]}, status, headers=headers)


async def _body(request: Request) -> bytes:
    """The body as it comes, and no more of it than is read; `HttpRefused` where there is more."""
    chunks, size = [], 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                if size > MAX_FILE_BYTES:
                    raise HttpRefused(
                        413, f"The file has more than {MAX_FILE_BYTES // 2**20} MiB.", close=True
                    )
                chunks.append(chunk)
    except TimeoutError:
        raise HttpRefused(408, "The file took too long to arrive.", close=True) from None
    return b"".join(chunks)


def _flag(request: Request, name: str) -> bool | None:
    value = request.query_params.get(name)
    if value not in _FLAGS:
        raise BadInput(f"`{name}` is true or false.", argument=name)
    return _FLAGS[value]
