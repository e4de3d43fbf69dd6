"""Authlib's authorisation server over our clients, grants and sessions."""

from collections.abc import Callable
from typing import Any

import structlog
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import (
    AuthorizationServer,
    InvalidClientError,
    InvalidRequestError,
    InvalidScopeError,
)
from authlib.oauth2.rfc9207 import IssuerParameter

from domain.identity.clients import GRANTABLE
from domain.identity.model import Account
from gateway.oauth.bridge import run, wait
from gateway.oauth.desk import OAuthDesk
from gateway.oauth.endpoints import DeviceEndpoint, Introspection, Revocation
from gateway.oauth.errors import readable
from gateway.oauth.exchange import ExchangeGrant
from gateway.oauth.grants import CodeGrant, DeviceGrant, RefreshGrant, S256Only, ServiceGrant
from gateway.oauth.openid import IdToken
from gateway.oauth.pushing import PushedEndpoint, resolved
from gateway.oauth.requests import Answer, Asked, Headers, Parameters
from gateway.oauth.views import ClientView

log = structlog.get_logger(__name__)


class Issued(IssuerParameter):  # type: ignore[misc]
    """Says in every authorisation response who gives it, against mix-up (RFC 9207)."""

    def __init__(self, server: "Server") -> None:
        self._issuer = server.desk.issuer
        self(server)

    def get_issuer(self) -> str:
        return self._issuer


class Server(AuthorizationServer):  # type: ignore[misc]
    """Called within `run`; the coroutines below are the way in."""

    def __init__(self, desk: OAuthDesk) -> None:
        super().__init__(scopes_supported=sorted(GRANTABLE))
        self.desk = desk
        self.register_grant(CodeGrant, [S256Only(), IdToken()])
        self.register_grant(DeviceGrant, [IdToken()])
        for grant in (RefreshGrant, ServiceGrant, ExchangeGrant):
            self.register_grant(grant)
        for endpoint in (DeviceEndpoint, PushedEndpoint, Revocation, Introspection):
            self.register_endpoint(endpoint)
        self.register_extension(Issued)

    async def token(self, asked: Asked) -> Answer:
        """Tokens for a grant, or why there are none."""
        return await self._answer(asked, self.create_token_response, asked)

    async def endpoint(self, name: str, asked: Asked) -> Answer:
        """What one of the other endpoints answers."""
        return await self._answer(asked, self.create_endpoint_response, name, asked)

    async def consent(self, asked: Asked, account: Account | None) -> Any:
        """The grant that is asked for, found good; raises `OAuth2Error`."""
        with readable():
            return await run(self.get_consent_grant, asked, account)

    async def authorized(self, asked: Asked, account: Account, grant: Any) -> Answer:
        """The way back to the client, with a code."""
        return await self._answer(asked, self.create_authorization_response, asked, account, grant)

    async def _answer(self, asked: Asked, ask: Callable[..., Answer], *arguments: Any) -> Answer:
        try:
            with readable():
                return await run(ask, *arguments)
        except InvalidRequestError as error:
            return self.handle_error_response(asked, error)

    def turned_away(self, asked: Asked, error: OAuth2Error) -> Answer:
        """Back to the client with an error, saying who says so."""
        answer = self.handle_error_response(asked, error)
        self.execute_hook("after_create_authorization_response", answer)
        return answer

    async def pushed(self, parameters: Parameters) -> Parameters:
        """The parameters that were pushed before where these refer to such, else these."""
        return await resolved(self.desk, parameters)

    def query_client(self, client_id: str) -> ClientView | None:
        found = wait(self.desk.clients.find(client_id))
        return None if found is None else ClientView(found, self.desk.now())

    def save_token(self, token: dict[str, Any], request: Asked) -> None:
        """Issuing it has saved it."""

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: Asked) -> Asked:
        return request

    def handle_response(self, status: int, body: Any, headers: Headers) -> Answer:
        return Answer.of(status, body, headers)

    def validate_requested_scope(self, scope: str | None) -> None:
        if scope and not GRANTABLE.issuperset(scope.split()):
            raise InvalidScopeError

    def handle_error_response(self, request: Asked, error: OAuth2Error) -> Answer:
        if isinstance(error, InvalidClientError):
            error = InvalidClientError(
                status_code=401, description="The client is unknown or did not prove itself."
            )
        log.info("oauth.refused", error=error.error, client=request.payload.client_id)
        answer: Answer = super().handle_error_response(request, error)
        return answer
