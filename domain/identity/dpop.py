"""Proof that a client holds the key its tokens are bound to (DPoP, RFC 9449)."""

import base64
import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwa import JWSAlgModel
from joserfc.jwk import ECKey, OKPKey, RSAKey

from domain.identity.attempts import Allowance, AttemptLimit
from domain.identity.keys import MIN_RSA_BITS

TYPE: Final = "dpop+jwt"
ALGORITHMS: Final = ("ES256", "EdDSA", "RS256")
MAX_CHARACTERS: Final = 4_096
MAX_ID: Final = 128
WINDOW_SECONDS: Final = 60
"""How far the client's clock may be from ours."""
ONCE: Final = Allowance(attempts=1, seconds=2 * WINDOW_SECONDS + 10)
"""For as long as a proof would be accepted, its id is known."""

_KEYS: Final[Mapping[str, type[ECKey] | type[OKPKey] | type[RSAKey]]] = {
    "ES256": ECKey,
    "EdDSA": OKPKey,
    "RS256": RSAKey,
}
_CURVES: Final = {"ES256": "P-256", "EdDSA": "Ed25519"}
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "k", "oth"})


class InvalidProof(Exception):
    """The proof does not hold; why is for our own eyes."""


class _Algorithms(jws.JWSRegistry):
    """Those that proofs may use; the parent warns of the name EdDSA at each use."""

    def get_alg(self, name: str) -> JWSAlgModel:
        if name not in ALGORITHMS:
            raise InvalidProof("algorithm")
        return self.algorithms[name]


class Proofs:
    """Checks proofs, and accepts each once."""

    def __init__(self, attempts: AttemptLimit, now: Callable[[], datetime]) -> None:
        self._attempts = attempts
        self._now = now
        self._registry = _Algorithms()

    async def thumbprint(self, proof: str, method: str, url: str, token: str | None = None) -> str:
        """The thumbprint (RFC 7638) of the key that signed `proof` for this request, which carries the access
        token `token` if one is given; raises `InvalidProof`.
        """
        try:
            thumbprint, claims = self._signed(proof)
        except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise InvalidProof("form") from error
        self._refuse_other(claims, method, url, token)
        used = hashlib.sha256(f"{thumbprint}\0{claims['jti']}".encode()).hexdigest()
        if await self._attempts.attempt(f"dpop:{used}", ONCE) > 0:
            raise InvalidProof("replay")
        return thumbprint

    def _signed(self, proof: str) -> tuple[str, Mapping[str, Any]]:
        """The key's thumbprint and what it vouches for."""
        if len(proof) > MAX_CHARACTERS:
            raise InvalidProof("size")
        found = jws.extract_compact(proof.encode(), registry=self._registry)
        header = found.headers()
        algorithm, jwk = header["alg"], header["jwk"]
        if header.get("typ") != TYPE or algorithm not in _KEYS or _PRIVATE & jwk.keys():
            raise InvalidProof("header")
        key = _KEYS[algorithm].import_key(jwk)
        if not _strong(key, algorithm) or not jws.validate_compact(found, key, registry=self._registry):
            raise InvalidProof("signature")
        claims = orjson.loads(found.payload)
        if not isinstance(claims, dict):
            raise InvalidProof("payload")
        return key.thumbprint(), claims

    def _refuse_other(self, claims: Mapping[str, Any], method: str, url: str, token: str | None) -> None:
        match claims:
            case {"jti": str(jti), "htm": str(htm), "htu": str(htu), "iat": int(iat) | float(iat)}:
                fits = htm == method and _place(htu) == _place(url) and 0 < len(jti) <= MAX_ID
            case _:
                raise InvalidProof("claims")
        if not fits or abs(self._now().timestamp() - iat) > WINDOW_SECONDS:
            raise InvalidProof("request")
        if token is not None and claims.get("ath") != _digest(token):
            raise InvalidProof("token")


def _strong(key: ECKey | OKPKey | RSAKey, algorithm: str) -> bool:
    if isinstance(key, RSAKey):
        return key.raw_value.key_size >= MIN_RSA_BITS
    return key.curve_name == _CURVES[algorithm]


def _digest(token: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()


def _place(url: str) -> tuple[str, str, int | None, str]:
    """What of a URL counts (RFC 9449, section 4.3): neither query nor fragment, nor how it is written."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise InvalidProof("url") from None
    standard = {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, (parts.hostname or ""), (None if port == standard else port), (parts.path or "/")
