"""Endpoints beside that for tokens: of devices, for revoking tokens, and for asking about them."""

from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError, InvalidScopeError, UnauthorizedClientError
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from authlib.oauth2.rfc8628 import DeviceAuthorizationEndpoint

from domain.identity import refreshing
from domain.identity.clients import GrantType
from domain.identity.model import SessionEnd
from domain.platform.errors import Unauthenticated
from gateway.oauth.bridge import wait
from gateway.oauth.desk import DEVICE, QR, OAuthDesk
from gateway.oauth.errors import InvalidDPoPProofError, InvalidTargetError
from gateway.oauth.grants import AUTH_METHODS
from gateway.oauth.requests import Asked
from gateway.oauth.views import ClientView, TokenView

JSON_HEADERS = [("Cache-Control", "no-store"), ("Pragma", "no-cache")]


class DeviceEndpoint(DeviceAuthorizationEndpoint):  # type: ignore[misc]
    """Where a device gets its codes (RFC 8628, section 3.1)."""

    CLIENT_AUTH_METHODS = AUTH_METHODS

    def create_endpoint_response(self, request: Asked) -> tuple[int, Any, Any]:
        view: ClientView = self.authenticate_client(request)
        desk: OAuthDesk = self.server.desk
        if not view.check_grant_type(GrantType.DEVICE_CODE):
            raise UnauthorizedClientError("The client may not use the device grant.")
        scope = view.get_allowed_scope(request.payload.scope)
        if scope is None:
            raise InvalidScopeError
        if not desk.serves(request.resources):
            raise InvalidTargetError
        if view.client.bound and request.key_thumbprint is None:
            raise InvalidDPoPProofError
        scopes = frozenset(scope.split())
        started = wait(
            desk.grants.start_device(
                view.client, scopes, request.resources, request.key_thumbprint, request.by
            )
        )
        data = {
            "device_code": started.device_code,
            "user_code": started.user_code,
            "verification_uri": desk.url(DEVICE),
            "verification_uri_complete": f"{desk.url(DEVICE)}?user_code={started.user_code}",
            "verification_qr_uri": f"{desk.url(QR)}?user_code={started.user_code}",
            "expires_in": started.expires_seconds,
            "interval": started.interval_seconds,
        }
        return 200, data, JSON_HEADERS


class _Shown:
    """What both of the others do with a token that is shown to them."""

    server: Any
    CLIENT_AUTH_METHODS = AUTH_METHODS

    @property
    def desk(self) -> OAuthDesk:
        desk: OAuthDesk = self.server.desk
        return desk

    def check_params(self, request: Asked, _client: ClientView) -> None:
        """Hints are ignored: the two kinds of tokens cannot be mistaken for each other."""
        if "token" not in request.form:
            raise InvalidRequestError("The token is missing.")

    def query_token(self, token_string: str, _hint: str | None) -> TokenView | None:
        """A token that counts; nothing for any other."""
        if token_string.startswith(refreshing.PREFIX):
            return self._refresh_token(token_string)
        try:
            caller = wait(self.desk.sessions.identify(token_string))
        except Unauthenticated:
            return None
        return TokenView(str(caller.client_id), caller=caller, scopes=caller.scopes | caller.discloses)

    def _refresh_token(self, token: str) -> TokenView | None:
        shown = wait(self.desk.sessions.store.presented(refreshing.fingerprint(token)))
        if shown is None or shown.used_at is not None or not shown.session.stands(self.desk.now()):
            return None
        session = shown.session
        return TokenView(session.client_id, session, scopes=session.scopes or frozenset())


class Revocation(_Shown, RevocationEndpoint):  # type: ignore[misc]
    """RFC 7009. A token goes with its session: revoking either of the two kinds signs the client out."""

    def revoke_token(self, token: TokenView, request: Asked) -> None:
        session, caller = token.session, token.caller
        if session is not None:
            ids, account = [session.id], session.account_id
        elif caller is None:
            return
        elif caller.account_id is None:
            wait(self.desk.sessions.revoke_token(caller, request.by))
            return
        else:
            ids, account = [str(caller.session_id)], caller.account_id
        wait(self.desk.sessions.end(account, ids, SessionEnd.SIGNED_OUT, request.by.known_as(account)))


class Introspection(_Shown, IntrospectionEndpoint):  # type: ignore[misc]
    """RFC 7662, for clients that have a secret: about their own tokens, and about all if they are ours."""

    CLIENT_AUTH_METHODS = AUTH_METHODS[:2]

    def check_permission(self, token: TokenView, client: ClientView, _request: Asked) -> bool:
        return client.client.trusted or token.check_client(client)

    def introspect_token(self, token: TokenView) -> dict[str, Any]:
        told: dict[str, Any] = {
            "active": True,
            "iss": self.desk.issuer,
            "client_id": token.client_id,
            "scope": token.get_scope(),
        }
        if token.session is not None:
            session = token.session
            about = {
                "token_type": "refresh_token",
                "sub": session.account_id,
                "sid": session.id,
                "iat": int(session.last_used_at.timestamp()),
                "exp": int(session.expires_at.timestamp()),
            }
            return told | about
        return told | _of_access(token)


def _of_access(token: TokenView) -> dict[str, Any]:
    caller = token.caller
    assert caller is not None and caller.expires_at is not None  # noqa: S101, PT018 - it was verified
    told: dict[str, Any] = {
        "token_type": "Bearer" if caller.key_thumbprint is None else "DPoP",
        "sub": caller.account_id or token.client_id,
        "aud": sorted(caller.audience),
        "exp": int(caller.expires_at.timestamp()),
        "jti": caller.token_id,
    }
    if caller.session_id is not None:
        told["sid"] = caller.session_id
    if caller.key_thumbprint is not None:
        told["cnf"] = {"jkt": caller.key_thumbprint}
    if caller.acting_id is not None:
        told["act"] = {"sub": caller.acting_id}
    return told
