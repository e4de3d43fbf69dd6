"""From a web request to what Authlib is asked, and back."""

from collections.abc import Mapping
from typing import Any, Final

from authlib.oauth2.rfc6749 import InvalidRequestError
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from domain.identity.audit import Actor
from domain.identity.dpop import InvalidProof, NonceMissing
from gateway.oauth.desk import OAuthDesk
from gateway.oauth.errors import InvalidDPoPProofError, UseDPoPNonceError
from gateway.oauth.requests import MAX_BYTES, Answer, Asked, Parameters, parameters_in
from gateway.routes.connection import connection_of

FORM: Final = "application/x-www-form-urlencoded"
# For pages of any origin: what a browser adds by itself (cookies) plays no part here.
OPEN: Final = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "www-authenticate, retry-after, dpop-nonce",
}
PREFLIGHT: Final = {
    **OPEN,
    "access-control-allow-methods": "GET, POST",
    "access-control-allow-headers": "authorization, content-type, dpop",
    "access-control-max-age": "3600",
}
FRESH: Final = {"cache-control": "no-store", "pragma": "no-cache"}


async def posted(request: Request) -> Parameters:
    """The parameters of a form; raises `InvalidRequestError`."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise InvalidRequestError(f"Send the parameters as {FORM}.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise InvalidRequestError("The request is too large.")
    try:
        return parameters_in(body.decode())
    except UnicodeDecodeError:
        raise InvalidRequestError("The parameters cannot be read.") from None


async def asked_by(request: Request, parameters: Parameters, desk: OAuthDesk) -> Asked:
    """The request, with the key that its client has proven to hold; raises `InvalidDPoPProofError`."""
    asked = Asked(request.method, request.url.path, parameters, request.headers, actor(request))
    proofs = request.headers.getlist("dpop")
    if proofs:
        try:
            (proof,) = proofs
            asked.key_thumbprint = await desk.proofs.thumbprint(
                proof, request.method, desk.url(request.url.path)
            )
        except NonceMissing as error:
            raise UseDPoPNonceError(error.nonce) from None
        except (InvalidProof, ValueError):
            raise InvalidDPoPProofError from None
    return asked


def actor(request: Request) -> Actor:
    """Who asks, as far as the connection tells."""
    return Actor(
        address=request.client.host if request.client else None,
        user_agent=request.headers.get("user-agent"),
        request_id=connection_of(request.scope).request_id,
    )


def to_program(answer: Answer) -> Response:
    """An answer as JSON."""
    return JSONResponse(
        answer.body, status_code=answer.status, headers={**dict(answer.headers), **FRESH, **OPEN}
    )


def to_browser(answer: Answer, status: int) -> Response:
    """An answer that sends a browser on."""
    return RedirectResponse(str(answer.location), status_code=status, headers=FRESH)


def document(shown: Mapping[str, Any]) -> Response:
    """A document that anybody may read and keep for a while."""
    return JSONResponse(shown, headers={"cache-control": "public, max-age=300", **OPEN})
