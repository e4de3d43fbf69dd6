"""Pages with a form: they work without JavaScript, load nothing from elsewhere, and are kept by nobody."""

from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from gateway.phrases import preferred, say_in
from gateway.templates import FOLDER, rendered

POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
HEADERS: Final = {
    "content-security-policy": POLICY,
    # The address of a page may hold a token.
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "vary": "accept-language",
}
MAX_FORM_BYTES: Final = 16_384
MAX_FIELDS: Final = 50
_FILES: Final = {"style.css": "text/css", "passkey.js": "text/javascript"}
"""What pages load, and what it is."""


class BadForm(Exception):
    """What was sent is not what a page of ours sends."""


def page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A template in the language that the browser prefers."""
    text = rendered(template, language_of(request), **values)
    return HTMLResponse(text, status_code=status, headers=HEADERS)


def message(
    request: Request, key: str, status: int = 200, *, going_back: bool = False, **values: object
) -> Response:
    """A page that says one thing: the phrases `key_title` and `key`."""
    say = say_in(language_of(request))
    return page(
        request,
        "message.html",
        status,
        title=say(f"{key}_title"),
        text=say(key, **values),
        going_back=going_back,
    )


def language_of(request: Request) -> str:
    return preferred(request.headers.get("accept-language", ""))


async def fields_of(request: Request) -> dict[str, str]:
    """The fields of a form; raises `BadForm`. Another site's page cannot have sent it."""
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise BadForm
    if (
        request.headers.get("content-type", "").partition(";")[0].strip()
        != "application/x-www-form-urlencoded"
    ):
        raise BadForm
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            raise BadForm
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        raise BadForm from None


def style_routes() -> list[BaseRoute]:
    """The files that pages load."""

    def serving(name: str, kind: str) -> BaseRoute:
        async def answer(_request: Request) -> Response:
            body = (FOLDER / name).read_bytes()
            return Response(body, media_type=kind, headers={"cache-control": "public, max-age=3600"})

        return Route(f"/pages/{name}", answer)

    return [serving(name, kind) for name, kind in _FILES.items()]
