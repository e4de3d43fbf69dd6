"""Token exchange (RFC 8693), for administrators who act as an account."""

from typing import Any, Final

from authlib.oauth2.rfc6749 import (
    BaseGrant,
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    TokenEndpointMixin,
    UnauthorizedClientError,
)

from domain.identity.clients import GrantType
from domain.identity.impersonation import SCOPES
from domain.identity.model import Terms
from domain.platform.errors import Unauthenticated
from gateway.oauth.bridge import wait
from gateway.oauth.errors import InvalidTargetError, granted
from gateway.oauth.grants import AUTH_METHODS, OurGrant, told

ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - its name
ACCOUNT: Final = "urn:media-gateway:params:oauth:token-type:account"
"""The subject is an account, by its id: whoever acts as it has no token of its."""


class ExchangeGrant(OurGrant, BaseGrant, TokenEndpointMixin):  # type: ignore[misc]
    """The subject is the account, the actor an administrator, by their access token."""

    GRANT_TYPE = GrantType.TOKEN_EXCHANGE
    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS[:2]

    def validate_token_request(self) -> None:
        client = self.authenticate_token_endpoint_client()
        self.request.client = client
        if not client.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClientError("The client may not exchange tokens.")
        asked = self.request.form
        if asked.get("subject_token_type") != ACCOUNT or asked.get("actor_token_type") != ACCESS_TOKEN:
            raise InvalidRequestError("The subject must be an account, the actor an access token.")
        if asked.get("requested_token_type", ACCESS_TOKEN) != ACCESS_TOKEN:
            raise InvalidRequestError("Only access tokens are given for others.")
        if not asked.get("subject_token") or not asked.get("actor_token"):
            raise InvalidRequestError("The subject_token or the actor_token is missing.")
        if "audience" in asked:  # we know resources by their URL alone (RFC 8693, section 2.2.2)
            raise InvalidTargetError

    @property
    def scopes(self) -> frozenset[str]:
        """What was asked for, or all that there may be; no more, as it would come unasked."""
        wanted = self.request.payload.scope
        scopes = SCOPES if wanted is None else frozenset(wanted.split())
        if not scopes <= SCOPES:
            raise InvalidScopeError
        return scopes

    def create_token_response(self) -> tuple[int, dict[str, Any], Any]:
        asked, client = self.request.form, self.request.client.client
        key = self.key_thumbprint()
        wanted = Terms(scopes=self.scopes, resources=self.resources(), key_thumbprint=key)
        try:
            administrator = wait(self.desk.sessions.identify(asked["actor_token"]))
        except Unauthenticated:
            raise InvalidGrantError("The actor_token is not valid.") from None
        if administrator.key_thumbprint not in {None, key}:
            raise InvalidGrantError("The actor_token is bound to a key that this request does not prove.")
        if self.desk.issuer not in administrator.audience:
            raise InvalidGrantError("The actor_token is meant for one resource, and not for this server.")
        started = self.desk.impersonation.start(
            administrator, asked["subject_token"], client.id, self.request.by, wanted
        )
        response = told(granted(started), refreshable=False)
        return 200, {**response, "issued_token_type": ACCESS_TOKEN}, self.TOKEN_RESPONSE_HEADER
