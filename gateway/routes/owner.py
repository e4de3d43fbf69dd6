"""What owners of accounts send and fetch that is no JSON: their picture, and the copy of their data."""

import re
import secrets
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from domain.identity.avatars import MAX_BYTES, Avatars, picture_of
from domain.identity.exports import Exports
from domain.identity.policy import Scope, needs
from domain.platform.errors import GatewayError, Refused, UserErrorCode
from gateway.routes.connection import ContextOf, connection_of
from gateway.routes.forms import message
from gateway.routes.interchange import Places
from gateway.routes.replies import STATUSES, refusal_headers
from resolvers.context import Context

NAME_BYTES: Final = 16
_NAME: Final = re.compile(r"[\w-]{22}")
_FRESH: Final = {"cache-control": "no-store"}
# A picture never changes under its name, and nothing in it is run, whatever a browser takes it for.
_PICTURE: Final = {
    "cache-control": "public, max-age=31536000, immutable",
    "content-security-policy": "default-src 'none'; sandbox",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "cross-origin",
}

LIMIT: Final = "account.avatar"
"""Its name in the table of rate limits."""


class TooLarge(Exception):
    """More was sent than a picture may have."""


def owner_routes(
    avatars: Callable[[], Avatars], exports: Callable[[], Exports], context_of: ContextOf
) -> list[BaseRoute]:
    # What a picture unfolds to takes some hundred megabytes while it is cut down.
    places = Places()

    async def owner(request: Request) -> str:
        context: Context = await context_of(connection_of(request.scope))
        context.services.policy.check(context.caller, needs(Scope.WRITE_PREFERENCES))
        account_id = context.account_id
        await context.limit(LIMIT)
        return account_id

    async def set_avatar(request: Request) -> Response:
        account_id = await owner(request)
        async with places.taken(account_id):
            picture = await picture_of(await _body(request))
        name = secrets.token_urlsafe(NAME_BYTES)
        await avatars().set(account_id, name, picture)
        return JSONResponse({"path": f"/avatars/{name}"}, headers=_FRESH)

    async def remove_avatar(request: Request) -> Response:
        await avatars().remove(await owner(request))
        return Response(status_code=204, headers=_FRESH)

    async def avatar(request: Request) -> Response:
        name = request.path_params["name"]
        picture = await avatars().named(name) if _NAME.fullmatch(name) else None
        if picture is None:
            return JSONResponse({"error": "There is no such picture."}, 404, headers=_FRESH)
        return Response(picture.data, media_type=picture.content_type, headers=_PICTURE)

    async def export(request: Request) -> Response:
        token = request.query_params.get("token", "")
        named = {"content-disposition": 'attachment; filename="media-gateway-account.zip"'}
        try:
            # Who only asks what there is, as programs do that save it, has not fetched it.
            packed = b"" if request.method == "HEAD" else await exports().archive(token)
        except Refused:
            return message(request, "page.expired", 410)
        return Response(packed, media_type="application/zip", headers=_FRESH | named)

    return [
        Route("/account/avatar", _told(set_avatar), methods=["PUT"]),
        Route("/account/avatar", _told(remove_avatar), methods=["DELETE"]),
        Route("/avatars/{name}", avatar),
        Route("/account/export", export),
    ]


def _told(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that says in JSON why it did not do what was asked."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except TooLarge:
            return JSONResponse({"error": "A picture has 5 MB at most."}, 413, headers=_FRESH)
        except Refused as refusal:
            error = refusal.errors[0]
            status = 422 if error.code is UserErrorCode.INVALID else 409
            return JSONResponse({"error": error.message}, status, headers=_FRESH)
        except GatewayError as error:
            told = {name.decode(): text.decode("latin-1") for name, text in refusal_headers(error, "Bearer")}
            headers = _FRESH | told
            return JSONResponse({"error": error.message}, STATUSES.get(error.code, 400), headers=headers)

    return answer


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise TooLarge
    return bytes(body)
