"""Pushed authorisation requests (RFC 9126): the client sends them itself, and the browser a reference."""

import secrets
from typing import Any, Final

from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc9101.errors import RequestNotSupportedError, RequestUriNotSupportedError

from domain.identity.clients import fingerprint
from gateway.oauth.bridge import wait
from gateway.oauth.desk import OAuthDesk
from gateway.oauth.errors import InvalidDPoPProofError
from gateway.oauth.grants import AUTH_METHODS
from gateway.oauth.requests import Asked, Parameters

NAME: Final = "pushed_authorization_request"
PREFIX: Final = "urn:ietf:params:oauth:request_uri:"
LIFETIME_SECONDS: Final = 90
KEPT_BACK: Final = frozenset({"client_secret", "request_uri"})


class PushedEndpoint:
    """Takes the parameters of an authorisation request from an authenticated client, and finds them good."""

    ENDPOINT_NAME = NAME

    def __init__(self, server: Any) -> None:
        self.server = server

    def create_endpoint_request(self, request: Asked) -> Asked:
        return request

    def __call__(self, request: Asked) -> tuple[int, Any, Any]:
        client = self.server.authenticate_client(request, AUTH_METHODS, NAME)
        if "request_uri" in request.form:
            raise InvalidRequestError("A pushed request has no request_uri.")
        parameters: Parameters = request.payload
        pairs = [
            (name, value)
            for name, values in parameters.datalist.items()
            for value in values
            if name not in KEPT_BACK | {"client_id"}
        ]
        pairs.append(("client_id", client.client.id))
        if request.key_thumbprint is not None:
            if request.form.get("dpop_jkt", request.key_thumbprint) != request.key_thumbprint:
                raise InvalidDPoPProofError
            pairs.append(("dpop_jkt", request.key_thumbprint))
        asked = Asked("GET", "/", Parameters(pairs), request.headers, request.by)
        self._find_good(asked)
        reference = secrets.token_urlsafe(32)
        desk: OAuthDesk = self.server.desk
        wait(desk.grants.push(fingerprint(reference), client.client.id, pairs, LIFETIME_SECONDS))
        return 201, {"request_uri": PREFIX + reference, "expires_in": LIFETIME_SECONDS}, []

    def _find_good(self, asked: Asked) -> None:
        """Raises what the authorisation endpoint would say; here, to the client directly."""
        try:
            self.server.get_consent_grant(asked, None)
        except Exception as error:
            if hasattr(error, "redirect_uri"):
                error.redirect_uri = None
            raise


async def resolved(desk: OAuthDesk, parameters: Parameters) -> Parameters:
    """The parameters that were pushed, where these refer to such; raises `OAuth2Error`."""
    if "request" in parameters.data:
        raise RequestNotSupportedError
    reference = parameters.data.get("request_uri")
    if reference is None:
        return parameters
    if not reference.startswith(PREFIX):
        raise RequestUriNotSupportedError
    pushed = await desk.grants.pushed(fingerprint(reference.removeprefix(PREFIX)))
    if pushed is None or pushed.client_id != parameters.data.get("client_id"):
        raise InvalidRequestError("The request_uri is not valid or has expired.")
    return Parameters(pushed.parameters)
