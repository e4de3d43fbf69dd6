"""The grants of OAuth, as Authlib has them, over our stores."""

from dataclasses import replace
from typing import Any, Final

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, InvalidScopeError, grants
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc8628 import DeviceCodeGrant

from domain.identity import refreshing
from domain.identity.grants import CODE_LIFETIME, Code
from domain.identity.model import AccessToken, Account, IssuedTokens, LoginSession, Terms
from gateway.oauth.bridge import wait
from gateway.oauth.desk import OAuthDesk
from gateway.oauth.errors import InvalidDPoPProofError, InvalidTargetError, granted
from gateway.oauth.requests import Asked
from gateway.oauth.views import ClientView, CodeView, DeviceView, TokenView

AUTH_METHODS: Final = ["client_secret_basic", "client_secret_post", "none"]
S256: Final = "S256"
CHALLENGE_CHARACTERS: Final = 43

Response = dict[str, Any]


class OurGrant:
    """What all of ours share."""

    request: Asked
    server: Any
    issued: IssuedTokens
    """What was given out; set with the response."""
    nonce: str | None = None
    """What the client wants to see again in its ID token."""
    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS

    @property
    def desk(self) -> OAuthDesk:
        desk: OAuthDesk = self.server.desk
        return desk

    def save_token(self, token: Response) -> None:
        """Issuing it has saved it."""

    def resources(self, granted: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Whom the tokens are for: those asked for, among those that were granted where any were."""
        wanted = self.request.resources
        if not self.desk.serves(wanted) or (granted and not set(wanted) <= set(granted)):
            raise InvalidTargetError
        return wanted or granted

    def key_thumbprint(self, granted: str | None = None) -> str | None:
        """The key that the tokens are bound to; one that the client named before must be the same."""
        proven = self.request.key_thumbprint
        client: ClientView = self.request.client
        if (granted is not None and proven != granted) or (client.client.bound and proven is None):
            raise InvalidDPoPProofError
        return proven


class S256Only(CodeChallenge):  # type: ignore[misc]
    """PKCE for every client, by S256 alone: less could be a downgrade (RFC 9700, section 4.8)."""

    SUPPORTED_CODE_CHALLENGE_METHOD = [S256]  # noqa: RUF012 - as Authlib has it
    DEFAULT_CODE_CHALLENGE_METHOD = S256

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        asked = grant.request.form
        if len(asked.get("code_challenge", "")) != CHALLENGE_CHARACTERS:
            raise InvalidRequestError("The code_challenge is missing or not one of S256.")
        if asked.get("code_challenge_method") != S256:
            raise InvalidRequestError("The code_challenge_method must be S256.")
        super().validate_code_challenge(grant, redirect_uri)


class CodeGrant(OurGrant, grants.AuthorizationCodeGrant):  # type: ignore[misc]
    """Authorisation by code (RFC 6749, section 4.1)."""

    session: LoginSession
    """In which the owner allows it, on our pages; set before the response is made."""

    def validate_requested_scope(self) -> None:
        self.resources()
        super().validate_requested_scope()

    def save_authorization_code(self, code: str, request: Asked) -> None:
        asked, account, session = request.form, request.user, self.session
        code_granted = Code(
            client_id=request.client.client.id,
            account_id=account.id,
            redirect_uri=self.redirect_uri,
            challenge=asked["code_challenge"],
            terms=Terms(
                scopes=frozenset(request.scope.split()),
                methods=session.methods,
                authenticated_at=session.authenticated_at,
                resources=request.resources,
                key_thumbprint=asked.get("dpop_jkt"),
            ),
            expires_at=self.desk.now() + CODE_LIFETIME,
            nonce=asked.get("nonce"),
        )
        by = request.by.known_as(account.id)
        wait(self.desk.grants.authorize(code, code_granted, session.id, by))

    def query_authorization_code(self, code: str, client: ClientView) -> CodeView | None:
        found = wait(self.desk.grants.code(code, client.client.id, self.request.by))
        return None if found is None else CodeView(code, found, self.request.form.get("redirect_uri"))

    def authenticate_user(self, authorization_code: CodeView) -> Account | None:
        return wait(self.desk.account(authorization_code.granted.account_id))

    def generate_token(self, user: Account, include_refresh_token: bool, **_: Any) -> Response:  # noqa: FBT001
        view: CodeView = self.request.authorization_code
        terms = view.granted.terms
        terms = replace(
            terms,
            resources=self.resources(terms.resources),
            key_thumbprint=self.key_thumbprint(terms.key_thumbprint),
        )
        redeemed = self.desk.grants.redeem(
            view.text,
            replace(view.granted, terms=terms),
            user,
            self.request.by.known_as(user.id),
            refreshable=include_refresh_token,
        )
        self.issued, self.nonce = granted(redeemed), view.granted.nonce
        return told(self.issued, refreshable=include_refresh_token)

    def delete_authorization_code(self, authorization_code: CodeView) -> None:
        """Redeeming has used it up; it is kept for a while, so that a replay is known."""


class RefreshGrant(OurGrant, grants.RefreshTokenGrant):  # type: ignore[misc]
    """The next tokens for a refresh token (RFC 6749, section 6)."""

    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> TokenView | None:
        shown = wait(self.desk.sessions.store.presented(refreshing.fingerprint(refresh_token)))
        if shown is None:
            return None
        session = shown.session
        return TokenView(session.client_id, session, scopes=session.scopes or frozenset())

    def authenticate_user(self, refresh_token: TokenView) -> Account | None:
        session = refresh_token.session
        account = None if session is None else wait(self.desk.account(session.account_id))
        if account is None:
            raise InvalidGrantError("The account is not in use.")
        return account

    def issue_token(self, user: Account, refresh_token: TokenView) -> Response:
        asked = self.request.payload.scope
        refreshed = self.desk.sessions.refresh(
            self.request.form["refresh_token"],
            self.request.by.known_as(user.id),
            refresh_token.client_id,
            scopes=None if asked is None else frozenset(asked.split()),
            key_thumbprint=self.key_thumbprint(),
        )
        return told(granted(refreshed), refreshable=True)

    def revoke_old_credential(self, refresh_token: TokenView) -> None:
        """Refreshing has used it up."""


class DeviceGrant(OurGrant, DeviceCodeGrant):  # type: ignore[misc]
    """Devices without a keyboard, let in by their owner elsewhere (RFC 8628)."""

    def query_device_credential(self, device_code: str) -> DeviceView:
        found = wait(self.desk.grants.poll(device_code))
        if found is None or found.used_at is not None:
            raise InvalidGrantError("The device_code is not valid or was used before.")
        return DeviceView(device_code, found, expired=self.desk.now() >= found.expires_at)

    def validate_device_credential(self, credential: DeviceView) -> Any:
        self._asking = credential
        return super().validate_device_credential(credential)

    def query_user_grant(self, _user_code: str) -> tuple[Account | None, bool] | None:
        device = self._asking.device
        if device.denied_at is not None:
            return None, False
        if device.account_id is None:
            return None
        account = wait(self.desk.account(device.account_id))
        return account, account is not None

    def should_slow_down(self, credential: DeviceView) -> bool:
        return credential.device.too_soon

    def generate_token(self, user: Account, include_refresh_token: bool, **_: Any) -> Response:  # noqa: FBT001
        view: DeviceView = self.request.credential
        self.key_thumbprint(view.device.key_thumbprint)
        admitted = self.desk.grants.admit(
            view.text,
            view.device,
            user,
            self.request.by.known_as(user.id),
            refreshable=include_refresh_token,
        )
        self.issued = granted(admitted)
        return told(self.issued, refreshable=include_refresh_token)


class ServiceGrant(OurGrant, grants.ClientCredentialsGrant):  # type: ignore[misc]
    """Services that act for nobody but themselves (RFC 6749, section 4.4)."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS[:2]

    def validate_requested_scope(self) -> None:
        if self.request.client.get_allowed_scope(self.request.payload.scope) is None:
            raise InvalidScopeError

    def generate_token(self, **_: Any) -> Response:
        view: ClientView = self.request.client
        scope = view.get_allowed_scope(self.request.payload.scope) or ""
        token = self.desk.sessions.tokens.issue_to_service(
            view.client.id, frozenset(scope.split()), self.resources(), self.key_thumbprint()
        )
        return _told(token, bound=self.request.key_thumbprint is not None)


def told(tokens: IssuedTokens, *, refreshable: bool) -> Response:
    """What a client is given (RFC 6749, section 5.1)."""
    response = _told(tokens.access, bound=tokens.session.key_thumbprint is not None)
    if refreshable:
        response["refresh_token"] = tokens.refresh_token
    return response


def _told(token: AccessToken, *, bound: bool) -> Response:
    return {
        "access_token": token.value,
        "token_type": "DPoP" if bound else "Bearer",
        "expires_in": token.lifetime_seconds,
        "scope": token.scope,
    }
