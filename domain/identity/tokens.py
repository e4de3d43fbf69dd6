"""Access tokens: JWTs of the profile for OAuth 2.0 access tokens (RFC 9068), checked as RFC 8725 asks."""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwa import JWSAlgModel
from joserfc.jwt import JWTClaimsRegistry
from joserfc.registry import JWS_HEADER_REGISTRY

from domain.identity.keys import ALGORITHMS, SigningKeys
from domain.identity.model import AccessToken, Account, Caller, LoginSession, Role, Tier
from domain.identity.policy import granted, implied
from domain.platform.errors import Unauthenticated

TOKEN_TYPE = "at+jwt"  # noqa: S105 - a media type
SKEW_SECONDS = 60
MAX_TOKEN_CHARACTERS = 4_096
REMEMBERED_TOKENS = 4_096

_ALGORITHMS = frozenset(name for names in ALGORITHMS.values() for name in names)
_TYPES = frozenset({TOKEN_TYPE, f"application/{TOKEN_TYPE}"})
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ROLES = {role.value: role for role in Role}
_TIERS = {tier.value: tier for tier in Tier}


class _Refused(Exception):
    """Why a token is not accepted: for our own eyes, as it would guide who forges one."""


# The others are what the JSON of a stranger brings about in the code that reads it.
_UNACCEPTABLE = (
    _Refused, JoseError, ValueError, TypeError, AttributeError, OverflowError, OSError, RecursionError
)  # fmt: skip


class _OwnAlgorithms(jws.JWSRegistry):
    """Our algorithms, and of the headers those we write: no key from a URL, no unencoded payload."""

    def __init__(self) -> None:
        super().__init__()
        self.header_registry = {name: JWS_HEADER_REGISTRY[name] for name in ("alg", "kid", "typ")}

    def get_alg(self, name: str) -> JWSAlgModel:
        # The parent's method warns of the name EdDSA at each use; see `ALGORITHMS`.
        if name not in _ALGORITHMS:
            raise _Refused("algorithm")
        return self.algorithms[name]


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who issues tokens, whom they are for, and for how long they hold."""

    issuer: str
    audience: str
    lifetime_seconds: int


class Tokens:
    """Issues tokens with the current key and accepts those of every key it has.

    Verified tokens are remembered by their hash until they lapse: a signature is checked once.
    """

    def __init__(
        self, keys: SigningKeys, issuer: Issuer, now: Callable[[], datetime], new_id: Callable[[], str]
    ) -> None:
        self.keys = keys
        self._issuer = issuer
        self._now = now
        self._new_id = new_id
        self._registry = _OwnAlgorithms()
        self._verified: OrderedDict[bytes, tuple[float, Caller]] = OrderedDict()

    @property
    def lifetime_seconds(self) -> int:
        return self._issuer.lifetime_seconds

    def issue(self, account: Account, session: LoginSession) -> AccessToken:
        """A token with which its bearer is `account`, as far as the session's scopes and its roles go."""
        issued = int(self._now().timestamp())
        expires = min(issued + self._issuer.lifetime_seconds, int(session.final_at.timestamp()))
        allowed = granted(account.roles)
        scopes = allowed if session.scopes is None else allowed & session.scopes
        claims = {
            "iss": self._issuer.issuer,
            "aud": self._issuer.audience,
            "sub": account.id,
            "iat": issued,
            "exp": expires,
            "jti": self._new_id(),
            "client_id": session.client_id,
            "sid": session.id,
            "fam": session.family_id,
            "auth_time": int(session.authenticated_at.timestamp()),
            "amr": list(session.methods),
            "roles": [role.value for role in account.roles],
            "tier": account.tier.value,
            "scope": " ".join(sorted(implied(scopes))),
        }
        key = self.keys.current
        header = {"typ": TOKEN_TYPE, "alg": key.algorithm, "kid": key.kid}
        value = jws.serialize_compact(header, orjson.dumps(claims), key.key, registry=self._registry)
        return AccessToken(value, datetime.fromtimestamp(expires, UTC))

    def verify(self, token: str) -> Caller:
        """Whom the token stands for; raises `Unauthenticated`, in the same words whatever is wrong."""
        now = self._now().timestamp()
        digest = hashlib.sha256(token.encode(errors="surrogatepass")).digest()
        remembered = self._verified.get(digest)
        if remembered is not None and now < remembered[0]:
            self._verified.move_to_end(digest)
            return remembered[1]
        self._verified.pop(digest, None)
        try:
            until, caller = self._caller(self._claims(token), now)
        except _UNACCEPTABLE as reason:
            raise Unauthenticated(
                "The access token is not valid or has expired: sign in again.", error="invalid_token"
            ) from reason
        self._verified[digest] = (until, caller)
        if len(self._verified) > REMEMBERED_TOKENS:
            self._verified.popitem(last=False)
        return caller

    def _claims(self, token: str) -> Mapping[str, Any]:
        """What our signature vouches for."""
        if len(token) > MAX_TOKEN_CHARACTERS or not _COMPACT.fullmatch(token):
            raise _Refused("form")
        signed = jws.extract_compact(token.encode(), registry=self._registry)
        header = signed.headers()
        key = self.keys.find(header.get("kid"))
        # The algorithm is the key's, never the token's: that is what confusing them thrives on.
        if key is None or header.get("alg") != key.algorithm or header.get("typ") not in _TYPES:
            raise _Refused("header")
        if not jws.validate_compact(signed, key.key, registry=self._registry):
            raise _Refused("signature")
        claims = orjson.loads(signed.payload)
        if not isinstance(claims, dict):
            raise _Refused("payload")
        return claims

    def _caller(self, claims: Mapping[str, Any], now: float) -> tuple[float, Caller]:
        """The caller, and until when (in seconds since 1970) the token counts."""
        JWTClaimsRegistry(
            now=int(now),
            leeway=SKEW_SECONDS,
            iss={"essential": True, "value": self._issuer.issuer},
            aud={"essential": True, "value": self._issuer.audience},
            sub={"essential": True},
            jti={"essential": True},
            sid={"essential": True},
            fam={"essential": True},
            client_id={"essential": True},
            auth_time={"essential": True},
            iat={"essential": True},
            exp={"essential": True},
        ).validate(dict(claims))
        subject = _text(claims["sub"])
        if not UUID.fullmatch(subject):
            raise _Refused("subject")
        caller = Caller(
            account_id=subject,
            # What this process does not know yet (a newer one may have issued the token) grants nothing.
            roles=frozenset(_ROLES[role] for role in _texts(claims.get("roles", [])) if role in _ROLES),
            scopes=frozenset(implied(_text(claims.get("scope", "")).split(" "))),
            tier=_TIERS.get(_text(claims.get("tier", Tier.FREE.value)), Tier.FREE),
            token_id=_text(claims["jti"]),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
            client_id=_text(claims["client_id"]),
            session_id=_text(claims["sid"]),
            family_id=_text(claims["fam"]),
            authenticated_at=datetime.fromtimestamp(claims["auth_time"], UTC),
            methods=tuple(_texts(claims.get("amr", []))),
        )
        return float(claims["exp"]) + SKEW_SECONDS, caller


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _Refused("type of a claim")
    return value


def _texts(value: object) -> list[str]:
    if not isinstance(value, list):
        raise _Refused("type of a claim")
    return [_text(entry) for entry in value]
