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

    async def recover(request: Request, fields: Fields) -> Response:
        await closing().reopen(fields.get("token", ""), actor(request))
        return message(request, "page.recover_account.done", going_back=True)

    return [
        *confirming("/account/recover", "page.recover_account", recover),
        *confirming("/account/change-email", "page.change_email", change_email),
        *confirming("/account/verify-email", "page.verify_email", verify_email),
        *resetting("/account/reset-password", recovery),
    ]


def confirming(path: str, key: str, use: Use) -> list[BaseRoute]:
    """A page with one button."""

    async def show(request: Request) -> Response:
        return page(request, "account/confirm.html", page=key, token=request.query_params.get("token", ""))

    return [Route(path, show), Route(path, guarded(use), methods=["POST"])]


def resetting(path: str, recovery: Callable[[], Recovery]) -> list[BaseRoute]:
    """A form for another password."""

    async def show(request: Request) -> Response:
        return await form(request, request.query_params.get("token", ""))

    async def form(request: Request, token: str, wrong: str | None = None) -> Response:
        address = await recovery().address_to_reset(token)
        if address is None:
            return message(request, EXPIRED, 410)
        return page(
            request,
            "account/reset_password.html",
            200 if wrong is None else 422,
            page="page.reset_password",
            token=token,
            address=address,
            wrong=wrong,
        )

    async def reset_password(request: Request, fields: Fields) -> Response:
        token, password = fields.get("token", ""), fields.get("password", "")
        if password != fields.get("repeat"):
            return await form(request, token, "different")
        try:
            await recovery().reset_password(token, password, actor(request))
        except Refused as refusal:
            if refusal.errors[0].code is not UserErrorCode.INVALID:
                raise
            return await form(request, token, "weak")
        return message(request, "page.reset_password.done", going_back=True)

    return [Route(path, show), Route(path, guarded(reset_password), methods=["POST"])]


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


def actor(request: Request) -> Actor:
    """Who sent a form, as far as the connection tells."""
    return Actor(
        address=request.client.host if request.client else None,
        user_agent=request.headers.get("user-agent"),
        request_id=connection_of(request.scope).request_id,
    )
