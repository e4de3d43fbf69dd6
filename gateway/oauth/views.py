"""Our values as Authlib wants to see them."""

from dataclasses import dataclass
from datetime import datetime

from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin, TokenMixin
from authlib.oauth2.rfc8628 import DeviceCredentialMixin

from domain.identity.clients import GrantType, OAuthClient
from domain.identity.grants import Code, DeviceCode
from domain.identity.model import Caller, LoginSession

SECRET_METHODS = ("client_secret_basic", "client_secret_post")


class ClientView(ClientMixin):  # type: ignore[misc]
    def __init__(self, client: OAuthClient, now: datetime) -> None:
        self.client = client
        self._now = now

    def get_client_id(self) -> str:
        return self.client.id

    def get_default_redirect_uri(self) -> str | None:
        """The only one, where there is but one."""
        uris = self.client.redirect_uris
        return uris[0] if len(uris) == 1 else None

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """What was asked for, or everything the client may ask for; None where it asks for more."""
        wanted = set(self.client.scopes if scope is None else scope.split())
        return " ".join(sorted(wanted)) if wanted <= self.client.scopes else None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return self.client.redirects_to(redirect_uri)

    def check_client_secret(self, client_secret: str) -> bool:
        return self.client.knows(client_secret, self._now)

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        """A client with a secret proves itself by it wherever it asks."""
        return method == "none" if self.client.public else method in SECRET_METHODS

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code" and GrantType.AUTHORIZATION_CODE in self.client.grants

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in self.client.grants


class CodeView(AuthorizationCodeMixin):  # type: ignore[misc]
    def __init__(self, text: str, granted: Code, redirect_uri: str | None) -> None:
        self.text = text
        self.granted = granted
        # OAuth 2.1 leaves the redirect URI out of the token request, as PKCE binds the code better; where a
        # client sends it nevertheless, it must be the same.
        self._redirect_uri = granted.redirect_uri if redirect_uri is not None else None

    @property
    def code_challenge(self) -> str:
        return self.granted.challenge

    @property
    def code_challenge_method(self) -> str:
        return "S256"

    def get_redirect_uri(self) -> str | None:
        return self._redirect_uri

    def get_scope(self) -> str:
        return " ".join(sorted(self.granted.terms.scopes or ()))


class DeviceView(DeviceCredentialMixin):  # type: ignore[misc]
    def __init__(self, text: str, device: DeviceCode, *, expired: bool) -> None:
        self.text = text
        self.device = device
        self._expired = expired

    def get_client_id(self) -> str:
        return self.device.client_id

    def get_scope(self) -> str:
        return " ".join(sorted(self.device.scopes))

    def get_user_code(self) -> str:
        return self.device.user_code

    def is_expired(self) -> bool:
        return self._expired


@dataclass(frozen=True, slots=True)
class TokenView(TokenMixin):  # type: ignore[misc]
    """A token that somebody shows: an access token by its caller, a refresh token by its session."""

    client_id: str
    session: LoginSession | None = None
    caller: Caller | None = None
    scopes: frozenset[str] = frozenset()

    def check_client(self, client: ClientView) -> bool:
        return self.client_id == client.client.id

    def get_scope(self) -> str:
        return " ".join(sorted(self.scopes))

    def is_expired(self) -> bool:
        return False

    def is_revoked(self) -> bool:
        return False
