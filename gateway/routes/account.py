"""The pages that links in letters lead to.

A link shows a form, and only its button uses the token: programs that look into letters follow links.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from domain.identity.address_change import AddressChange
from domain.identity.audit import Actor
from domain.identity.closing import Closing
from domain.identity.recovery import Recovery
from domain.platform.errors import Refused, TooManyRequests, UserErrorCode
from gateway.routes.connection import connection_of
from gateway.routes.forms import BadForm, fields_of, message, page

Fields = Mapping[str, str]
Use = Callable[[Request, Fields], Awaitable[Response]]

EXPIRED: Final = "page.expired"


def account_routes(
    recovery: Callable[[], Recovery],
    address_change: Callable[[], AddressChange],
    closing: Callable[[], Closing],
) -> list[BaseRoute]:
    async def verify_email(request: Request, fields: Fields) -> Response:
        account = await recovery().verify_email(fields.get("token", ""), actor(request))
        return message(request, "page.verify_email.done", going_back=True, address=account.email)

    async def change_email(request: Request, fields: Fields) -> Response:
        account, _ = await address_change().change(fields.get("token", ""), actor(request))
        return message(request, "page.change_email.done", going_back=True, address=account.email)

    async def show_reset(request: Request) -> Response:
        token = request.query_params.get("token", "")
        if not await recovery().can_reset(token):
            return message(request, EXPIRED, 410)
        return reset_form(request, token)

    async def reset_password(request: Request, fields: Fields) -> Response:
        token, password = fields.get("token", ""), fields.get("password", "")
        if password != fields.get("repeat"):
            return reset_form(request, token, "different")
        try:
            await recovery().reset_password(token, password, actor(request))
        except Refused as refusal:
            if refusal.errors[0].code is not UserErrorCode.INVALID:
                raise
            return reset_form(request, token, "weak")
        return message(request, "page.reset_password.done", going_back=True)

    async def recover(request: Request, fields: Fields) -> Response:
        await closing().reopen(fields.get("token", ""), actor(request))
        return message(request, "page.recover_account.done", going_back=True)

    return [
        *confirming("/account/recover", "page.recover_account", recover),
        *confirming("/account/change-email", "page.change_email", change_email),
        *confirming("/account/verify-email", "page.verify_email", verify_email),
        Route("/account/reset-password", show_reset),
        Route("/account/reset-password", guarded(reset_password), methods=["POST"]),
    ]


def confirming(path: str, key: str, use: Use) -> list[BaseRoute]:
    """A page with one button."""

    async def show(request: Request) -> Response:
        return page(request, "account/confirm.html", page=key, token=request.query_params.get("token", ""))

    return [Route(path, show), Route(path, guarded(use), methods=["POST"])]


def guarded(use: Use) -> Callable[[Request], Awaitable[Response]]:
    """What a form does, and a page that says why it did not."""

    async def answer(request: Request) -> Response:
        try:
            return await use(request, await fields_of(request))
        except BadForm:
            return message(request, EXPIRED, 400)
        except Refused:
            return message(request, EXPIRED, 410)
        except TooManyRequests as error:
            seconds = error.extensions["retryAfter"]
            answer = message(request, "page.failed", 429, seconds=seconds)
            answer.headers["retry-after"] = str(seconds)
            return answer

    return answer


def reset_form(request: Request, token: str, wrong: str | None = None) -> Response:
    return page(
        request,
        "account/reset_password.html",
        200 if wrong is None else 422,
        page="page.reset_password",
        token=token,
        wrong=wrong,
    )


def actor(request: Request) -> Actor:
    """Who sent a form, as far as the connection tells."""
    return Actor(
        address=request.client.host if request.client else None,
        user_agent=request.headers.get("user-agent"),
        request_id=connection_of(request.scope).request_id,
    )
