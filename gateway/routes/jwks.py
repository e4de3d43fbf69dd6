"""The public keys of our tokens, for whoever verifies them (RFC 7517)."""

from collections.abc import Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from domain.identity.keys import SigningKeys

PATH: Final = "/.well-known/jwks.json"
# Anybody may read them from any page. A new key is published before it signs, so minutes of age do no harm.
_HEADERS: Final = {"cache-control": "public, max-age=300", "access-control-allow-origin": "*"}


def jwks_routes(keys: Callable[[], SigningKeys]) -> list[BaseRoute]:
    """`keys` answers those that hold now."""

    async def published(_request: Request) -> JSONResponse:
        return JSONResponse(keys().jwks(), headers=_HEADERS)

    return [Route(PATH, published, name="jwks")]
