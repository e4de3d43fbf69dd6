"""Where programs ask the authorisation server; people are shown `pages.py`."""

from collections.abc import Awaitable, Callable
from typing import Final

from authlib.oauth2 import OAuth2Error
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.oauth import desk as paths
from gateway.oauth import metadata
from gateway.oauth.pages import Fields, Pages
from gateway.oauth.qr import qr_code
from gateway.oauth.reading import PREFLIGHT, asked_by, document, posted, to_program
from gateway.oauth.requests import Answer, Asked
from gateway.oauth.server import Server
from gateway.routes.forms import BadForm, fields_of, message

ENDPOINTS: Final = {
    paths.DEVICE_AUTHORIZATION: "device_authorization",
    paths.REVOKE: "revocation",
    paths.INTROSPECT: "introspection",
}
_NO_CONTENT: Final = 204

Endpoint = Callable[[Request], Awaitable[Response]]
Show = Callable[[Pages, Request], Awaitable[Response]]
Use = Callable[[Pages, Request, Fields], Awaitable[Response]]


def oauth_routes(server: Callable[[], Server]) -> list[BaseRoute]:
    """`server` answers the one that is open."""

    async def token(asked: Asked) -> Answer:
        return await server().token(asked)

    def at(name: str) -> Callable[[Asked], Awaitable[Answer]]:
        return lambda asked: server().endpoint(name, asked)

    async def server_metadata(_request: Request) -> Response:
        found = server().desk
        return document(metadata.server_metadata(found, found.sessions.tokens.keys))

    async def resource_metadata(request: Request) -> Response:
        desk = server().desk
        path = request.url.path.removeprefix(metadata.RESOURCE)
        wanted = desk.url(path) if path else desk.issuer
        if wanted not in desk.resources:
            return Response(status_code=404)
        return document(metadata.resource_metadata(desk, wanted))

    return [
        *_open(paths.TOKEN, _answering(server, token)),
        *(route for path, name in ENDPOINTS.items() for route in _open(path, _answering(server, at(name)))),
        Route(metadata.SERVER, server_metadata),
        Route(metadata.OPENID, server_metadata),
        Route(metadata.RESOURCE, resource_metadata),
        Route(metadata.RESOURCE + "/{path:path}", resource_metadata),
    ]


def oauth_page_routes(pages: Callable[[], Pages]) -> list[BaseRoute]:
    """`pages` answers those that are open."""

    def showing(show: Show) -> Endpoint:
        async def answer(request: Request) -> Response:
            return await show(pages(), request)

        return answer

    def using(use: Use) -> Endpoint:
        async def answer(request: Request) -> Response:
            try:
                return await use(pages(), request, await fields_of(request))
            except BadForm:
                return message(request, "page.expired", 400)

        return answer

    async def qr(request: Request) -> Response:
        return qr_code(pages().desk, request)

    return [
        Route(paths.AUTHORIZE, showing(Pages.authorize)),
        Route(paths.AUTHORIZE, using(Pages.decide), methods=["POST"]),
        Route(paths.SIGN_IN, using(Pages.sign_in), methods=["POST"]),
        Route(paths.SIGN_OUT, using(Pages.sign_out), methods=["POST"]),
        Route(paths.DEVICE, showing(Pages.device)),
        Route(paths.DEVICE, using(Pages.decide_device), methods=["POST"]),
        Route(paths.QR, qr),
    ]


def _answering(
    server: Callable[[], Server], ask: Callable[[Asked], Awaitable[Answer]]
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            asked = await asked_by(request, await posted(request), server().desk)
        except OAuth2Error as error:
            return to_program(Answer.of(*error()))
        return to_program(await ask(asked))

    return answer


def _open(path: str, endpoint: Callable[[Request], Awaitable[Response]]) -> list[BaseRoute]:
    """An endpoint for pages of any origin."""

    async def preflight(_request: Request) -> Response:
        return Response(status_code=_NO_CONTENT, headers=PREFLIGHT)

    return [Route(path, endpoint, methods=["POST"]), Route(path, preflight, methods=["OPTIONS"])]
