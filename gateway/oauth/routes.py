"""Where programs ask the authorisation server; people are shown `pages.py`."""

from collections.abc import Awaitable, Callable
from typing import Final

from authlib.oauth2 import OAuth2Error
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from domain.identity.model import Caller, Disclosure
from domain.platform.errors import Unauthenticated
from gateway.authentication import caller_of
from gateway.binding import Binding
from gateway.oauth import desk as paths
from gateway.oauth import metadata, pushing
from gateway.oauth.elsewhere import Elsewhere
from gateway.oauth.errors import NONCE
from gateway.oauth.openid import claims_of
from gateway.oauth.pages import Fields, Pages
from gateway.oauth.qr import qr_code
from gateway.oauth.reading import FRESH, OPEN, PREFLIGHT, asked_by, document, posted, to_program
from gateway.oauth.requests import Answer, Asked, parameters_in
from gateway.oauth.server import Server
from gateway.routes.connection import connection_of
from gateway.routes.forms import BadForm, fields_of, message

ENDPOINTS: Final = {
    paths.DEVICE_AUTHORIZATION: "device_authorization",
    paths.PUSHED: pushing.NAME,
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

    async def userinfo(request: Request) -> Response:
        desk = server().desk
        binding = Binding(desk.url(paths.USERINFO), desk.issuer, lambda: desk.proofs)
        connection = connection_of(request.scope)
        try:
            caller = await caller_of(connection, desk.sessions.identify, _no_key, binding.check)
        except Unauthenticated as error:
            return unauthorized(error.extensions.get("error"), error.extensions.get("dpopNonce"))
        if caller.account_id is None or Disclosure.OPENID not in caller.discloses:
            return unauthorized("insufficient_scope" if caller.client_id else None)
        account = await desk.account(caller.account_id)
        if account is None:
            return unauthorized("invalid_token")
        return JSONResponse(claims_of(account, caller.discloses), headers={**FRESH, **OPEN})

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
        *_open(paths.USERINFO, userinfo, "GET", "POST"),
        Route(metadata.SERVER, server_metadata),
        Route(metadata.OPENID, server_metadata),
        Route(metadata.RESOURCE, resource_metadata),
        Route(metadata.RESOURCE + "/{path:path}", resource_metadata),
    ]


def oauth_page_routes(elsewhere: Callable[[], Elsewhere]) -> list[BaseRoute]:
    """`elsewhere` answers the pages that are open, and the other providers."""

    def showing(show: Show) -> Endpoint:
        async def answer(request: Request) -> Response:
            return await show(elsewhere().pages, request)

        return answer

    def using(use: Use) -> Endpoint:
        async def answer(request: Request) -> Response:
            return await use(elsewhere().pages, request, await fields_of(request))

        return _expiring(answer)

    async def leave(request: Request) -> Response:
        return await elsewhere().leave(request)

    async def arrive(request: Request) -> Response:
        asked = parameters_in(request.url.query) if request.method == "GET" else await posted(request)
        return await elsewhere().arrive(request, asked.data)

    async def qr(request: Request) -> Response:
        return qr_code(elsewhere().pages.desk, request)

    return [
        Route(paths.AUTHORIZE, showing(Pages.authorize)),
        Route(paths.AUTHORIZE, using(Pages.decide), methods=["POST"]),
        Route(paths.SIGN_IN, using(_sign_in), methods=["POST"]),
        Route(paths.PASSKEY, using(_passkey), methods=["POST"]),
        Route(paths.SECOND_STEP, using(_second_step), methods=["POST"]),
        Route(paths.SIGN_OUT, using(Pages.sign_out), methods=["POST"]),
        Route(paths.DEVICE, showing(Pages.device)),
        Route(paths.DEVICE, using(Pages.decide_device), methods=["POST"]),
        Route(paths.QR, qr),
        Route(paths.WITH + "/{provider}", _expiring(leave)),
        Route(paths.WITH + "/{provider}/callback", _expiring(arrive), methods=["GET", "POST"]),
    ]


async def _sign_in(pages: Pages, request: Request, fields: Fields) -> Response:
    return await pages.signing_in.sign_in(request, fields)


async def _passkey(pages: Pages, request: Request, fields: Fields) -> Response:
    return await pages.signing_in.passkey(request, fields)


async def _second_step(pages: Pages, request: Request, fields: Fields) -> Response:
    return await pages.signing_in.second_step(request, fields)


def _expiring(endpoint: Endpoint) -> Endpoint:
    """With a page that says so where something is sent that no page of ours sends, or not any more."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except (BadForm, OAuth2Error):
            return message(request, "page.expired", 400)

    return answer


async def _no_key(_key: str) -> Caller:
    raise Unauthenticated("An API key tells nobody who its owner is.", error="invalid_token")


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


def unauthorized(error: str | None, nonce: str | None = None) -> Response:
    """Of somebody who shows no token, or one that does not do (RFC 6750, section 3.1); `nonce` is what a
    proof has to contain.
    """
    status = 403 if error == "insufficient_scope" else 401
    scheme = "DPoP" if error is not None and "dpop" in error else "Bearer"
    challenge = scheme if error is None else f'{scheme} error="{error}"'
    body = {} if error is None else {"error": error}
    asked = {} if nonce is None else {NONCE: nonce}
    return JSONResponse(body, status, {"www-authenticate": challenge, **asked, **FRESH, **OPEN})


def _open(path: str, endpoint: Endpoint, *methods: str) -> list[BaseRoute]:
    """An endpoint for pages of any origin."""

    async def preflight(_request: Request) -> Response:
        return Response(status_code=_NO_CONTENT, headers=PREFLIGHT)

    return [Route(path, endpoint, methods=methods or ["POST"]), Route(path, preflight, methods=["OPTIONS"])]
