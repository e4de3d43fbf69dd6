"""Access tokens: JWTs of the profile for OAuth 2.0 access tokens (RFC 9068), checked as RFC 8725 asks."""

import json
import re
from base64 import urlsafe_b64encode
from binascii import a2b_base64
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson
from joserfc import jws
from joserfc.jwa import JWSAlgModel

from domain.identity.keys import SigningKey, SigningKeys
from domain.identity.model import IDENTITY, AccessToken, Account, Caller, LoginSession, Role, Tier
from domain.identity.policy import Scope, granted, implied
from domain.identity.signatures import Signed, verifier
from domain.platform.errors import Unauthenticated

TOKEN_TYPE = "at+jwt"  # noqa: S105 - a media type
SKEW_SECONDS = 60
MAX_TOKEN_CHARACTERS = 4_096
MAX_LIFETIME_SECONDS = 86_400
"""No settings give a token more."""
REMEMBERED_TOKENS = 4_096
_REMEMBERED_CLAIMS = 256
"""Of those that many tokens have in common."""

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_THREE_UUIDS = re.compile(rf"({UUID.pattern} ){{2}}{UUID.pattern}")
_ROLES = {role.value: role for role in Role}
_TIERS = {tier.value: tier for tier in Tier}


class _Refused(Exception):
    """Why a token is not accepted: for our own eyes, as it would guide who forges one."""


# The others are what the JSON of a stranger brings about in the code that reads it.
_UNACCEPTABLE = (_Refused, ValueError, TypeError, KeyError, OverflowError, OSError, RecursionError)


class _OwnAlgorithms(jws.JWSRegistry):
    """Our algorithms. The parent's method warns of the name EdDSA at each use; see `ALGORITHMS`."""

    def get_alg(self, name: str) -> JWSAlgModel:
        return self.algorithms[name]


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who issues tokens, whom they are for, and for how long they hold."""

    issuer: str
    audience: str
    lifetime_seconds: int
    resources: tuple[str, ...] = ()
    """Others that tokens may be for, of which this process is one or more (RFC 8707)."""


class Tokens:
    """Issues tokens with the current key and accepts those of every key it has.

    Verified tokens are remembered until they lapse: a signature is checked once.
    """

    def __init__(
        self, keys: SigningKeys, issuer: Issuer, now: Callable[[], datetime], new_id: Callable[[], str]
    ) -> None:
        self.keys = keys
        self._issuer = issuer
        self._audiences = frozenset({issuer.audience, *issuer.resources})
        self._now = now
        self._new_id = new_id
        self._registry = _OwnAlgorithms()
        self._adopt()

    def _adopt(self) -> None:
        """Takes what its keys are now, and forgets what was verified with others."""
        self._generation = self.keys.generation
        self._signed: dict[str, Signed] = {
            _encoded(json.dumps(_header(key, TOKEN_TYPE), separators=(",", ":")).encode()): verifier(key.key)
            for key in self.keys.keys
        }
        self._verified: OrderedDict[str, tuple[float, Caller]] = OrderedDict()

    @property
    def lifetime_seconds(self) -> int:
        return self._issuer.lifetime_seconds

    def issue(self, account: Account, session: LoginSession) -> AccessToken:
        """A token with which its bearer is `account`, as far as the session's scopes and its roles go."""
        issued = int(self._now().timestamp())
        expires = min(issued + self._issuer.lifetime_seconds, int(session.final_at.timestamp()))
        allowed: frozenset[str] = granted(account.roles) | IDENTITY
        scopes: frozenset[str] = granted(account.roles)
        if session.scopes is not None:
            scopes = allowed & session.scopes
        claims: dict[str, Any] = {
            "iss": self._issuer.issuer,
            "aud": list(session.resources) or self._issuer.audience,
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
            "scope": _words(implied(scopes) | IDENTITY & scopes),
        }
        if session.key_thumbprint is not None:
            claims["cnf"] = {"jkt": session.key_thumbprint}
        if session.acting_id is not None:
            claims["act"] = {"sub": session.acting_id}
        return self._issued(claims, scopes)

    def issue_to_service(
        self, client_id: str, scopes: frozenset[str], resources: Sequence[str] = (), jkt: str | None = None
    ) -> AccessToken:
        """A token with which a client is itself (RFC 6749, section 4.4), bound to the key `jkt` if given."""
        issued = int(self._now().timestamp())
        expires = issued + self._issuer.lifetime_seconds
        claims: dict[str, Any] = {
            "iss": self._issuer.issuer,
            "aud": list(resources) or self._issuer.audience,
            "sub": client_id,
            "client_id": client_id,
            "iat": issued,
            "exp": expires,
            "jti": self._new_id(),
            "scope": _words(implied(scopes)),
        }
        if jkt is not None:
            claims["cnf"] = {"jkt": jkt}
        return self._issued(claims, scopes)

    def _issued(self, claims: Mapping[str, Any], scopes: Collection[str]) -> AccessToken:
        expires = claims["exp"]
        at = datetime.fromtimestamp(expires, UTC)
        return AccessToken(self.sign(claims), at, expires - claims["iat"], _words(scopes))

    def sign(self, claims: Mapping[str, Any], type_: str = TOKEN_TYPE) -> str:
        """A JWT of these claims, signed with the current key."""
        key = self.keys.current
        return jws.serialize_compact(
            _header(key, type_), orjson.dumps(claims), key.key, registry=self._registry
        )

    def verify(self, token: str) -> Caller:
        """Whom the token stands for; raises `Unauthenticated`, in the same words whatever is wrong."""
        now = self._now().timestamp()
        if self._generation != self.keys.generation:
            self._adopt()
        remembered = self._verified.get(token)
        if remembered is not None and now < remembered[0]:
            self._verified.move_to_end(token)
            return remembered[1]
        self._verified.pop(token, None)
        try:
            until, caller = self._caller(self._claims(token), now)
        except _UNACCEPTABLE as reason:
            raise Unauthenticated(
                "The access token is not valid or has expired: sign in again.", error="invalid_token"
            ) from reason
        self._verified[token] = (until, caller)
        if len(self._verified) > REMEMBERED_TOKENS:
            self._verified.popitem(last=False)
        return caller

    def _claims(self, token: str) -> dict[str, Any]:
        """What our signature vouches for.

        The header is not read: it is one of those that we write ourselves, to the letter, or the token is not
        ours. So it cannot choose an algorithm or bring a key, and has no members that we do not know.
        """
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise _Refused("size")
        content, _, end = token.rpartition(".")
        header, _, payload = content.partition(".")
        signed = self._signed.get(header)
        if signed is None:
            raise _Refused("header")
        signature = _decoded(end)
        # Some letters stand for the same bytes: a token has one way to be written.
        if _encoded(signature) != end or not signed(content.encode(), signature):
            raise _Refused("signature")
        claims = orjson.loads(_decoded(payload))
        if not isinstance(claims, dict):
            raise _Refused("payload")
        return claims

    def _caller(self, claims: dict[str, Any], now: float) -> tuple[float, Caller]:
        """The caller, and until when (in seconds since 1970) the token counts."""
        audience = claims["aud"]
        audiences = frozenset((audience,) if isinstance(audience, str) else _texts(audience))
        if claims["iss"] != self._issuer.issuer or self._audiences.isdisjoint(audiences):
            raise _Refused("issuer or audience")
        issued, until = _seconds(claims["iat"]), _seconds(claims["exp"]) + SKEW_SECONDS
        if not max(issued, _seconds(claims.get("nbf", 0))) - SKEW_SECONDS <= now < until:
            raise _Refused("time")
        # A key that leaked must not make what outlives it, as a stream that is open would.
        if claims["exp"] - issued > MAX_LIFETIME_SECONDS:
            raise _Refused("lifetime")
        bound = claims.get("cnf")
        scopes, discloses = _reach(claims.get("scope", ""))
        caller = Caller(
            scopes=scopes,
            discloses=discloses,
            token_id=_name(claims["jti"]),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
            client_id=_name(claims["client_id"]),
            audience=audiences,
            key_thumbprint=None if bound is None else _name(bound["jkt"]),
            **(_owner(claims) if "sid" in claims else {}),
        )
        if caller.account_id is None and claims["sub"] != caller.client_id:
            raise _Refused("subject")
        return until, caller


@lru_cache(_REMEMBERED_CLAIMS)
def _reach(scope: object) -> tuple[frozenset[Scope], frozenset[str]]:
    """What a token grants, and what its client may learn of the account."""
    scopes = _text(scope).split(" ")
    return implied(scopes), IDENTITY.intersection(scopes)


@lru_cache(_REMEMBERED_CLAIMS)
def _roles(*roles: object) -> frozenset[Role]:
    # What this process does not know yet (a newer one may have issued the token) grants nothing.
    return frozenset(_ROLES[role] for role in map(_text, roles) if role in _ROLES)


def _header(key: SigningKey, type_: str) -> dict[str, str]:
    return {"typ": type_, "alg": key.algorithm, "kid": key.kid}


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    """Passes over what is no base64; the signature, or the comparison with it, does not."""
    return a2b_base64(text.replace("-", "+").replace("_", "/") + "==")


def _owner(claims: Mapping[str, Any]) -> dict[str, Any]:
    """What a caller is as the owner of an account, in a session."""
    account, session, family, actor = claims["sub"], claims["sid"], claims["fam"], claims.get("act")
    if not _THREE_UUIDS.fullmatch(f"{account} {session} {family}"):
        raise _Refused("form of an id")
    return {
        "account_id": account,
        "roles": _roles(*_list(claims.get("roles", []))),
        "tier": _TIERS.get(_text(claims.get("tier", Tier.FREE.value)), Tier.FREE),
        "session_id": session,
        "family_id": family,
        "authenticated_at": datetime.fromtimestamp(claims["auth_time"], UTC),
        "methods": tuple(_texts(claims.get("amr", []))),
        "acting_id": None if actor is None else _uuid(actor["sub"]),
    }


def _words(scopes: Collection[str]) -> str:
    return " ".join(sorted(scopes))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _Refused("type of a claim")
    return value


def _name(value: object) -> str:
    text = _text(value)
    if not text:
        raise _Refused("empty claim")
    return text


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Refused("type of a time")
    return value


def _uuid(value: object) -> str:
    text = _text(value)
    if not UUID.fullmatch(text):
        raise _Refused("form of an id")
    return text


def _texts(value: object) -> list[str]:
    return [_text(entry) for entry in _list(value)]


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise _Refused("type of a claim")
    return value
