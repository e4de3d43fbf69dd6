"""OpenID Connect: who has signed in, told to the client that they allowed to know."""

import base64
import hashlib
from collections.abc import Collection
from typing import Any, Final

from domain.identity.model import Account, Disclosure, IssuedTokens
from domain.identity.tokens import Tokens
from gateway.oauth.desk import OAuthDesk

TYPE: Final = "JWT"
_DIGESTS: Final = {"RS256": hashlib.sha256, "EdDSA": hashlib.sha512, "Ed25519": hashlib.sha512}

Claims = dict[str, Any]


class IdToken:
    """Adds an ID token (OpenID Connect Core, section 2) to what a grant answers, where its scope says so."""

    def __call__(self, grant: Any) -> None:
        grant.register_hook("after_create_token_response", self.add)

    def add(self, grant: Any, response: tuple[int, dict[str, Any], Any]) -> None:
        _, told, _ = response
        scopes = told["scope"].split()
        if Disclosure.OPENID not in scopes:
            return
        desk: OAuthDesk = grant.desk
        tokens: IssuedTokens = grant.issued
        claims = id_claims(desk, tokens, grant.nonce) | claims_of(grant.request.user, scopes)
        claims["at_hash"] = half_hash(tokens.access.value, desk.sessions.tokens)
        told["id_token"] = desk.sessions.tokens.sign(claims, TYPE)


def id_claims(desk: OAuthDesk, tokens: IssuedTokens, nonce: str | None) -> Claims:
    """Who says it, of whom, to whom, and for how long; how and when they signed in."""
    session = tokens.session
    now = int(desk.now().timestamp())
    claims = {
        "iss": desk.issuer,
        "sub": session.account_id,
        "aud": session.client_id,
        "iat": now,
        "exp": now + tokens.access.lifetime_seconds,
        "auth_time": int(session.authenticated_at.timestamp()),
        "amr": list(session.methods),
        "sid": session.id,
    }
    return claims if nonce is None else {**claims, "nonce": nonce}


def claims_of(account: Account, scopes: Collection[str]) -> Claims:
    """What these scopes disclose of an account (OpenID Connect Core, section 5.4)."""
    claims: Claims = {"sub": account.id}
    if Disclosure.PROFILE in scopes:
        claims |= {"name": account.display_name, "locale": account.language}
    if Disclosure.EMAIL in scopes and account.email is not None:
        claims |= {"email": account.email, "email_verified": account.email_verified_at is not None}
    return claims


def half_hash(token: str, tokens: Tokens) -> str:
    """The left half of a token's hash (OpenID Connect Core, section 3.1.3.6)."""
    digest = _DIGESTS[tokens.keys.current.algorithm](token.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
