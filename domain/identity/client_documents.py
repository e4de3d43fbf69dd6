"""Clients that nobody registered: their id is the address of a document in which they describe themselves
(draft-ietf-oauth-client-id-metadata-document).
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from domain.identity.clients import MAX_NAME, MAX_URIS, GrantType, OAuthClient, is_redirect_uri
from domain.identity.model import IDENTITY, Role
from domain.identity.policy import NEEDS_CONSENT, NOT_ON_REQUEST, granted

MAX_CHARACTERS: Final = 500
GRANTS: Final = frozenset({GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN, GrantType.DEVICE_CODE})
SCOPES: Final[frozenset[str]] = (granted([Role.VIEWER]) - NOT_ON_REQUEST - NEEDS_CONSENT) | IDENTITY
"""The most that somebody whom nobody has looked at can be granted, by an owner who allows it."""


def is_document(client_id: str) -> bool:
    """Whether a client's id is the address of such a document: https, with a path, and nothing else to it."""
    if len(client_id) > MAX_CHARACTERS or not client_id.startswith("https://") or not client_id.isprintable():
        return False
    try:
        parts = urlsplit(client_id)
        parts.port  # noqa: B018 - raises where it is none
    except ValueError:
        return False
    plain = not parts.query and "#" not in client_id and "@" not in parts.netloc and "\\" not in client_id
    return bool(parts.hostname) and parts.path not in {"", "/"} and plain and "/." not in parts.path


def described(client_id: str, document: Any, now: Callable[[], datetime]) -> OAuthClient | None:
    """The public client that a document describes; nothing where it does not say so properly."""
    if not isinstance(document, Mapping) or document.get("client_id") != client_id:
        return None
    if "client_secret" in document or document.get("token_endpoint_auth_method", "none") != "none":
        return None
    uris, grants = document.get("redirect_uris", []), document.get("grant_types", ["authorization_code"])
    if not _texts(uris) or not _texts(grants) or len(uris) > MAX_URIS:
        return None
    if not all(is_redirect_uri(uri) for uri in uris):
        return None
    host = str(urlsplit(client_id).hostname)
    name = document.get("client_name")
    shown = f"{name[:MAX_NAME].strip()} ({host})" if isinstance(name, str) and name.isprintable() else host
    return OAuthClient(
        id=client_id,
        name=shown,
        secret_hash=None,
        redirect_uris=tuple(uris),
        grants=frozenset(grant for grant in GRANTS if grant in grants),
        scopes=SCOPES,
        trusted=False,
        bound=document.get("dpop_bound_access_tokens") is True,
        created_at=now(),
    )


def _texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)
