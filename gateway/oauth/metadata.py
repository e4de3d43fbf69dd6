"""What the server and its resources say of themselves (RFC 8414, OpenID Connect Discovery, RFC 9728)."""

from collections.abc import Mapping
from typing import Any, Final

from domain.identity.clients import GRANTABLE, GrantType
from domain.identity.dpop import ALGORITHMS
from domain.identity.keys import SigningKeys
from domain.identity.model import IDENTITY
from gateway.oauth import desk as paths
from gateway.oauth.desk import OAuthDesk
from gateway.oauth.grants import AUTH_METHODS, S256
from gateway.routes.jwks import PATH as JWKS

SERVER: Final = "/.well-known/oauth-authorization-server"
OPENID: Final = "/.well-known/openid-configuration"
RESOURCE: Final = "/.well-known/oauth-protected-resource"

CLAIMS: Final = (
    "sub",
    "iss",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "nonce",
    "amr",
    "sid",
    "name",
    "locale",
    "email",
)

Document = Mapping[str, Any]


def server_metadata(desk: OAuthDesk, keys: SigningKeys) -> Document:
    """One document for both: what OpenID Connect adds does not disturb those who know OAuth alone."""
    return {
        "issuer": desk.issuer,
        "authorization_endpoint": desk.url(paths.AUTHORIZE),
        "token_endpoint": desk.url(paths.TOKEN),
        "device_authorization_endpoint": desk.url(paths.DEVICE_AUTHORIZATION),
        "pushed_authorization_request_endpoint": desk.url(paths.PUSHED),
        "revocation_endpoint": desk.url(paths.REVOKE),
        "introspection_endpoint": desk.url(paths.INTROSPECT),
        "userinfo_endpoint": desk.url(paths.USERINFO),
        "jwks_uri": desk.url(JWKS),
        "scopes_supported": sorted(GRANTABLE),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [grant.value for grant in GrantType],
        "code_challenge_methods_supported": [S256],
        "token_endpoint_auth_methods_supported": AUTH_METHODS,
        "revocation_endpoint_auth_methods_supported": AUTH_METHODS,
        "introspection_endpoint_auth_methods_supported": AUTH_METHODS[:2],
        "authorization_response_iss_parameter_supported": True,
        "client_id_metadata_document_supported": desk.clients.describe is not None,
        "require_pushed_authorization_requests": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "dpop_signing_alg_values_supported": list(ALGORITHMS),
        "protected_resources": list(desk.resources),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [keys.current.algorithm],
        "prompt_values_supported": ["none", "login", "consent"],
        "claims_supported": list(CLAIMS),
        "ui_locales_supported": list(desk.languages),
    }


def resource_metadata(desk: OAuthDesk, resource: str) -> Document:
    """Where tokens for a resource come from."""
    return {
        "resource": resource,
        "resource_name": desk.resources[resource],
        "authorization_servers": [desk.issuer],
        "scopes_supported": sorted(GRANTABLE - IDENTITY),
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": list(ALGORITHMS),
    }
